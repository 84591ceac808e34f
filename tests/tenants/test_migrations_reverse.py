"""Every migration can be undone and done again, and what comes back is as tight as before."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections, transaction

from souvenir.config.embedded.postgres import SUPERUSER
from souvenir.config.embedded.roles import create_database, drop_database
from souvenir.config.embedded.throwaway import Throwaway
from tenants.isolation.catalogue import audit_isolation

_DATABASE = "souvenir_reversed"
_ALIAS = "reversed"
_OURS = [
    app.label for app in apps.get_app_configs() if app.name.startswith(("souvenir", "tenants"))
]
# All that a migration of ours can leave in a database, without the names of toast and of numbers.
_SCHEMA = {
    "columns": "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod),"
    " attnotnull, attstattarget, attstorage::text, col_description(attrelid, attnum) FROM pg_attribute"
    " JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace"
    " AND relkind = 'r' AND attnum > 0 AND NOT attisdropped",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "policies": "SELECT tablename, policyname, cmd, roles::text, qual, with_check FROM pg_policies",
    "tables": "SELECT relname, relrowsecurity, relforcerowsecurity, relacl::text FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S')",
}


@pytest.fixture
def own_empty_database(own_server: Throwaway) -> Iterator[str]:
    """The alias of the owner in a database with nothing in it yet."""
    address, passwords = own_server.server.address, own_server.passwords
    create_database(address, passwords, _DATABASE)
    for alias, user, password in (
        (_ALIAS, "souvenir_owner", passwords.owner),
        (f"{_ALIAS}-superuser", SUPERUSER, passwords.superuser),
    ):
        connections.databases[alias] = connections.databases["owner"] | {
            "NAME": _DATABASE,
            "USER": user,
            "PASSWORD": password,
            "HOST": str(address.sockets),
        }
    yield _ALIAS
    for alias in (_ALIAS, f"{_ALIAS}-superuser"):
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
    drop_database(address, passwords, _DATABASE)


def _migrate(*target: str) -> None:
    call_command("migrate", *target, database=_ALIAS, verbosity=0, interactive=False)


def _schema() -> dict[str, list[str]]:
    with connections[_ALIAS].cursor() as cursor:
        shown = {}
        for name, question in _SCHEMA.items():
            cursor.execute(question)
            shown[name] = sorted(map(str, cursor.fetchall()))
    return shown


def _found() -> set[tuple[str, str]]:
    alias = f"{_ALIAS}-superuser"
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL ROLE souvenir_app")
        return {(finding.code, finding.object) for finding in audit_isolation(using=alias)}


def test_the_whole_schema_goes_back_to_zero_and_comes_again(own_empty_database: str) -> None:
    empty = _schema()
    _migrate()
    first = _schema()

    for label in _OURS:
        _migrate(label, "zero")
    back = _schema()
    _migrate()

    assert not [table for table in back["tables"] if any(f"'{label}_" in table for label in _OURS)]
    assert back["policies"] == empty["policies"] == []
    assert _schema() == first
    assert _found() == set()
