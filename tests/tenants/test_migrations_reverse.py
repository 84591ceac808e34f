"""Every migration can be undone and done again, and what comes back is as tight as before."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from souvenir.config.embedded.roles import create_database, drop_database
from souvenir.config.embedded.throwaway import Throwaway
from tenants.isolation.operations import (
    ForgoReferenceIndex,
    IsolateTenantTable,
    MarkContent,
    ReorderKey,
)
from tests.tenants.second_server import OWNER_ALIAS, SUPERUSER_ALIAS, found_after, way_in

_DATABASE = "souvenir_reversed"
_EXECUTOR = MigrationExecutor(connection=None)
_STATE = _EXECUTOR.loader.project_state()
# Of a table that took another's place, the last isolation is the one that holds.
_LAST = {
    (
        migration.app_label,
        operation.model_name.lower(),
        type(operation),
        getattr(operation, "column", None),
    ): operation
    for migration, _ in _EXECUTOR.migration_plan(
        _EXECUTOR.loader.graph.leaf_nodes(), clean_start=True
    )
    for operation in migration.operations
    if isinstance(operation, IsolateTenantTable | MarkContent | ReorderKey | ForgoReferenceIndex)
}
_PLAN = [(key[0], operation) for key, operation in _LAST.items() if key[:2] in _STATE.models]
_LOG = "'audit_entry'"  # no tenant's table: it has policies of its own
_OURS = sorted({label for label, _ in _PLAN})
# All that a migration of ours can leave in a database, without the names of toast and of numbers.
_SCHEMA = {
    "columns": "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod),"
    " attnotnull, attstattarget, attstorage::text, col_description(attrelid, attnum)"
    " FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    " AND attnum > 0 AND NOT attisdropped",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "policies": "SELECT tablename, policyname, cmd, roles::text, qual, with_check FROM pg_policies",
    "tables": "SELECT relname, relrowsecurity, relforcerowsecurity,"
    " (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) a) FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')",
}


@pytest.fixture
def empty_database(second_server: Throwaway) -> Iterator[None]:
    """The aliases of second_server.py lead into a database with nothing in it yet."""
    address, passwords = second_server.server.address, second_server.passwords
    create_database(address, passwords, _DATABASE)
    with way_in(second_server, database=_DATABASE):
        yield
    drop_database(address, passwords, _DATABASE)


def _migrate(*target: str, using: str = OWNER_ALIAS) -> None:
    call_command("migrate", *target, database=using, verbosity=0, interactive=False)


def _undo_all() -> None:
    # What came after the first migration of `embedding` rests on it, and is the owner's to undo.
    _migrate("ingestion", "0001_initial")
    # The extension is the superuser's, so only the superuser can undo the migration that asks for
    # it; and puts it back, as at the making of any database (souvenir/config/embedded/roles.py).
    _migrate("embedding", "zero", using=SUPERUSER_ALIAS)
    with connections[SUPERUSER_ALIAS].cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
    for label in _OURS:
        _migrate(label, "zero")


def _schema() -> dict[str, list[str]]:
    shown = {}
    with connections[OWNER_ALIAS].cursor() as cursor:
        for name, question in _SCHEMA.items():
            cursor.execute(question)
            shown[name] = sorted(map(str, cursor.fetchall()))
    return shown


def _tables() -> set[str]:
    names = connections[OWNER_ALIAS].introspection.table_names()
    return {name for name in names if name.split("_")[0] in _OURS}


@pytest.mark.usefixtures("empty_database")
def test_the_whole_schema_goes_back_to_zero_and_comes_again() -> None:
    _migrate()
    first, tables = _schema(), _tables()

    _undo_all()
    left, policies_left = _tables(), _schema()["policies"]
    _migrate()

    assert tables
    assert (left, policies_left) == (set(), [])
    assert _schema() == first
    assert found_after() == set()


@pytest.mark.usefixtures("empty_database")
def test_isolation_can_be_undone_and_done_again_in_place() -> None:
    _migrate()
    first, state = _schema(), _STATE

    with connections[OWNER_ALIAS].schema_editor() as editor:
        for label, operation in reversed(_PLAN):
            operation.database_backwards(label, editor, state, state)
    plain = _schema()
    with connections[OWNER_ALIAS].schema_editor() as editor:
        for label, operation in _PLAN:
            operation.database_forwards(label, editor, state, state)

    assert [line for line in plain["policies"] if _LOG not in line] == []
    assert [line for line in plain["columns"] if "'content'" in line] == []
    assert [line for line in plain["tables"] if "True" in line and _LOG not in line] == []
    assert "('memories_person', 'memories_person_pkey', 'PRIMARY KEY (id)')" in plain["constraints"]
    assert _schema() == first
