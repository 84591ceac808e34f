"""The roles beside the run-time role: each sees what its one purpose needs, and changes nothing."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.apps import apps
from django.db import DatabaseError, connections, models, transaction
from django.db.migrations.state import ProjectState

from souvenir.memories.services import ensure_person
from tenants.isolation.catalogue import CONTROL_TABLES
from tenants.isolation.grants import EnsureRoles, GrantTable, RolesMissing, ShowToSweeper
from tenants.isolation.roles import CONTROL, OWNER, RELAY, SERVICES, SWEEPER
from tenants.isolation.scope import tenant_scope
from tenants.isolation.tables import TenantOwned
from tests.builders import Tenant
from tests.tenants.readable import readable
from tests.tenants.second_server import SUPERUSER_ALIAS, found_after

_TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantOwned)]
each_tenant_model = pytest.mark.parametrize(
    "model", _TENANT_MODELS, ids=lambda model: model._meta.db_table
)
each_service = pytest.mark.parametrize("alias", ["relay", "control", "sweeper"])
_REFUSED = r"permission denied|read-only"


def _asked(alias: str, question: str, *values: UUID) -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(question, values)
        return list(cursor.fetchall())


def test_the_sweeper_sees_ids_of_every_organization(acme: Tenant, globex: Tenant) -> None:
    made = set()
    for tenant in (acme, globex):
        with tenant_scope(tenant.id):
            made.add((tenant.id, ensure_person(external_id="alice").id))

    seen = _asked(
        "sweeper",
        "SELECT tenant_id, id FROM memories_person WHERE tenant_id IN (%s, %s)",
        acme.id,
        globex.id,
    )

    assert set(seen) == made
    assert _asked("sweeper", "SELECT state FROM tenants_organization WHERE id = %s", acme.id) == [
        ("active",)
    ]


def test_content_is_refused_to_the_sweeper() -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        _asked("sweeper", "SELECT text FROM memories_memoryversion")


@each_tenant_model
@pytest.mark.parametrize("alias", ["relay", "control"])
def test_the_others_see_no_tenant_table(alias: str, model: type[models.Model]) -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        _asked(alias, f'SELECT tenant_id FROM "{model._meta.db_table}"')


@each_service
@pytest.mark.parametrize("table", sorted(CONTROL_TABLES.keys() - {"django_content_type"}))
def test_a_control_table_shows_what_is_declared_and_no_more(alias: str, table: str) -> None:
    declared = CONTROL_TABLES[table]
    columns = {"control": declared.control, "sweeper": declared.sweeper, "relay": ()}[alias]

    seen = {name for name, _, _ in readable(alias, table)}

    assert seen == set(columns) or "SELECT" in declared.relay


@each_service
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE memories_person SET id = id",
        "DELETE FROM tenants_job",
        "INSERT INTO tenants_organization (id) VALUES (gen_random_uuid())",
        "UPDATE tenants_user SET is_platform_admin = true",
        "TRUNCATE memories_person",
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "SELECT password FROM tenants_user",
        "SELECT session_data FROM django_session",
        "SELECT digest FROM tenants_platformkey",
        "SET ROLE souvenir_owner",
        "SET ROLE souvenir_app",
    ],
)
def test_no_service_role_changes_or_takes_anything(alias: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match=_REFUSED), connections[alias].cursor() as cursor:
        cursor.execute(statement)


def test_a_session_that_asks_to_write_still_may_not() -> None:
    with transaction.atomic(using="sweeper"), connections["sweeper"].cursor() as cursor:
        cursor.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(DatabaseError, match="permission denied"):
            cursor.execute("DELETE FROM memories_person")
        transaction.set_rollback(True, using="sweeper")


def test_whatever_the_sweeper_asks_is_kept_by_the_server() -> None:
    assert _asked("sweeper", "SHOW log_statement") == [("all",)]


@pytest.fixture
def no_service_roles(migrated_elsewhere: None) -> Iterator[None]:
    """On the second server, none of them is there until the end of the test."""
    with transaction.atomic(using=SUPERUSER_ALIAS), connections[SUPERUSER_ALIAS].cursor() as cursor:
        for role in SERVICES:
            cursor.execute(f"DROP OWNED BY {role.name}")
            cursor.execute(f"DROP ROLE {role.name}")
        yield
        transaction.set_rollback(True, using=SUPERUSER_ALIAS)


def _forwards(*operations: EnsureRoles | GrantTable | ShowToSweeper) -> None:
    with connections[SUPERUSER_ALIAS].schema_editor() as editor:
        for operation in operations:
            operation.database_forwards("tenants", editor, ProjectState(), ProjectState())


@pytest.mark.usefixtures("no_service_roles")
def test_a_migration_says_which_roles_are_missing_and_how_to_make_them() -> None:
    with connections[SUPERUSER_ALIAS].cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {OWNER.name}")

        with pytest.raises(RolesMissing) as refusal:
            _forwards(EnsureRoles())

        cursor.execute("RESET ROLE")
        # The sentence can be run as it stands.
        cursor.execute(str(refusal.value).partition("superuser: ")[2])
        cursor.execute(f"SET LOCAL ROLE {OWNER.name}")
        _forwards(EnsureRoles(), ShowToSweeper())
        cursor.execute("RESET ROLE")
    assert found_after() == set()


@pytest.mark.usefixtures("no_service_roles")
def test_an_owner_who_may_make_roles_makes_those_within_its_rights() -> None:
    with connections[SUPERUSER_ALIAS].cursor() as cursor:
        cursor.execute(f"ALTER ROLE {OWNER.name} CREATEROLE; SET LOCAL ROLE {OWNER.name}")
        with pytest.raises(RolesMissing) as refusal:
            _forwards(EnsureRoles())
        cursor.execute(f"RESET ROLE; CREATE ROLE {SWEEPER.name} NOLOGIN {SWEEPER.attributes}")
        cursor.execute(f"SET LOCAL ROLE {OWNER.name}")

        _forwards(EnsureRoles())

        cursor.execute("RESET ROLE")
        cursor.execute(
            "SELECT rolname, rolcanlogin, rolbypassrls, rolsuper FROM pg_roles"
            " WHERE rolname IN (%s, %s)",
            [RELAY.name, CONTROL.name],
        )
        made = cursor.fetchall()
    # Only the one past row-level security needs a superuser.
    assert [role.name for role in SERVICES if role.name in str(refusal.value)] == [SWEEPER.name]
    assert sorted(made) == [
        (CONTROL.name, False, False, False),
        (RELAY.name, False, False, False),
    ]
    assert found_after() == set()


@pytest.mark.usefixtures("migrated_elsewhere")
def test_a_grant_can_be_undone_and_leaves_the_others() -> None:
    first = GrantTable("tenants_user", "SELECT (id)", to=RELAY.name)
    second = GrantTable("tenants_user", "SELECT (email), DELETE", to=RELAY.name)
    with transaction.atomic(using=SUPERUSER_ALIAS):
        _forwards(first, second)
        with connections[SUPERUSER_ALIAS].schema_editor() as editor:
            second.database_backwards("tenants", editor, ProjectState(), ProjectState())
        held = _held(RELAY.name)
        transaction.set_rollback(True, using=SUPERUSER_ALIAS)

    assert held == {("id", True), ("email", False)}
    assert second.describe() == "Grant SELECT (email), DELETE on tenants_user to souvenir_relay"


def _held(role: str) -> set[tuple[str, bool]]:
    with connections[SUPERUSER_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT attname, has_column_privilege(%s, attrelid, attnum, 'SELECT')"
            " FROM pg_attribute WHERE attrelid = 'tenants_user'::regclass"
            " AND attname IN ('id', 'email')",
            [role],
        )
        return set(cursor.fetchall())
