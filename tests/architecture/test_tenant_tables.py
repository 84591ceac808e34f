"""Whatever has a tenant is a tenant table, in Python and in the database; an erasure knows it."""

from collections.abc import Iterator
from functools import cache

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from souvenir.deletion.registry import ERASABLES, KEPT
from tenants.isolation.catalogue import CONTROL_TABLES, audit_isolation
from tenants.isolation.operations import APP_ROLE, IsolateTenantTable, MarkContent
from tenants.isolation.scope import NoTenantScope
from tenants.isolation.tables import TenantForeignKey, TenantManager, TenantOwned
from tenants.sealed import sealed_columns
from tests.architecture.sources import PACKAGES
from tests.tenants.readable import readable

MODELS = [model for model in apps.get_models() if not model._meta.proxy]
TENANT_MODELS = [model for model in MODELS if issubclass(model, TenantOwned)]
# The types of ids, times, numbers, states: what proves an erasure, and is no content.
_PLAIN = {
    "uuid", "boolean", "smallint", "integer", "bigint", "date", "timestamp with time zone",
    "text", "character varying",
}  # fmt: skip
each_tenant_model = pytest.mark.parametrize(
    "model", TENANT_MODELS, ids=lambda model: model._meta.db_table
)


@cache
def isolations() -> dict[str, IsolateTenantTable]:
    """Every IsolateTenantTable of the migrations, by the label of its model: `memories.person`."""
    loader = MigrationLoader(connection=None, ignore_no_migrations=True)
    return {
        f"{app}.{operation.model_name}".lower(): operation
        for (app, _), migration in sorted(loader.disk_migrations.items())
        for operation in migration.operations
        if isinstance(operation, IsolateTenantTable)
    }


@cache
def marked_later(model: type[models.Model]) -> set[str]:
    """Columns that a later migration added, and marked as content."""
    loader = MigrationLoader(connection=None, ignore_no_migrations=True)
    return {
        operation.column
        for (app, _), migration in loader.disk_migrations.items()
        for operation in migration.operations
        if isinstance(operation, MarkContent)
        and f"{app}.{operation.model_name}".lower() == model._meta.label_lower
    }


def test_every_model_with_a_tenant_is_a_tenant_model() -> None:
    loose = [
        model._meta.label
        for model in MODELS
        if model not in TENANT_MODELS and "tenant_id" in _columns(model)
    ]

    assert loose == [], f"Inherit from TenantScoped (tenants/isolation/tables.py): {loose}"


def test_every_other_table_is_a_control_table_with_a_reason() -> None:
    # Of Django's own tables the run-time role reaches those alone that the catalogue audit lists.
    ours = [model for model in MODELS if model.__module__.split(".")[0] in PACKAGES]
    tables = {model._meta.db_table for model in ours if model not in TENANT_MODELS}

    assert sorted(tables - CONTROL_TABLES.keys()) == [], (
        "Inherit from TenantScoped; or, if the rows belong to no organization, say why in "
        "CONTROL_TABLES (tenants/isolation/catalogue.py)."
    )


@each_tenant_model
def test_its_migration_isolates_it(model: type[models.Model]) -> None:
    assert model._meta.label_lower in isolations(), (
        f'Put IsolateTenantTable("{model.__name__}") after CreateModel in the migrations of '
        f"{model._meta.app_label}."
    )


@each_tenant_model
def test_its_content_keeps_no_statistics(model: type[models.Model]) -> None:
    content = {field.get_attname() for field in sealed_columns(model)}
    named = set(isolations()[model._meta.label_lower].content) | marked_later(model)

    assert sorted(content - named) == [], (
        f"Name these in `content=` of {model.__name__}’s IsolateTenantTable: the statistics of the "
        "database would keep copies of values past their deletion."
    )


# Ways into a table that begin with the tenant; and whether something is known of single tenants.
_WAYS = """
    SELECT count(*), bool_or(a.attstattarget IS DISTINCT FROM 0) FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = %s::regclass AND a.attname = 'tenant_id'
"""


@each_tenant_model
def test_its_tenants_are_counted_alike(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_WAYS, [model._meta.db_table])
        ways, knows_tenants = cursor.fetchone()

    assert ways == 1 or not knows_tenants, (
        f'Put CountTenantsAlike("{model.__name__}") (tenants/isolation/operations.py) into the '
        f"migrations of {model._meta.app_label}: of {ways} indexes that begin with the tenant, any "
        "would seem to do for one that came after the last ANALYZE (decision 27)."
    )


@each_tenant_model
def test_the_sweeper_sees_its_ids_and_none_of_its_content(model: type[models.Model]) -> None:
    table = model._meta.db_table
    ids = {name for name, kind, _ in readable("default", table) if kind == "uuid"}

    shown = readable("sweeper", table)

    hidden = ids - {name for name, _, _ in shown}
    assert hidden == set(), (
        f'Put ShowToSweeper("{model.__name__}") (tenants/isolation/grants.py) after the operation '
        f"that added {sorted(hidden)}: an erasure is proved by the ids that are left."
    )
    assert [name for name, kind, comment in shown if comment or kind not in _PLAIN] == []


@each_tenant_model
def test_its_references_stay_inside_one_tenant(model: type[models.Model]) -> None:
    loose = [
        field.name
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and not isinstance(field, TenantForeignKey)
    ]

    assert loose == [], f"Make these of {model.__name__} TenantForeignKey: {loose}"
    assert not model._meta.local_many_to_many, f"Give {model.__name__} a tenant table in between."


@each_tenant_model
def test_an_erasure_knows_it(model: type[models.Model]) -> None:
    erased = {erasable.model._meta.db_table for erasable in ERASABLES}

    assert model._meta.db_table in erased | KEPT.keys(), (
        f"Add {model.__name__} to ERASABLES in souvenir/deletion/registry.py, children before "
        "parents; or to KEPT, with the reason why it may outlive what is erased."
    )


def test_nothing_is_both_erased_and_kept() -> None:
    erased = {erasable.model._meta.db_table for erasable in ERASABLES}

    assert sorted(erased & KEPT.keys()) == [], (
        "A table stands in ERASABLES or in KEPT, not in both."
    )


def test_an_erasure_takes_children_before_their_parents() -> None:
    models_in_order = [erasable.model for erasable in ERASABLES]
    place = {model: models_in_order.index(model) for model in models_in_order}
    early = [
        f"{target.__name__} before {model.__name__}"
        for model, target in _references()
        if model in place and place.get(target, len(place)) < place[model]
    ]

    assert early == [], f"Move these in ERASABLES (souvenir/deletion/registry.py): {early}"


@each_tenant_model
def test_it_cannot_be_asked_without_a_scope(model: type[models.Model]) -> None:
    for manager in (model._default_manager, model._base_manager):
        assert isinstance(manager, TenantManager), (
            f"Let the Meta of {model.__name__} inherit from TenantScoped.Meta, and give it no "
            "manager but TenantManager."
        )
        with pytest.raises(NoTenantScope):
            manager.exists()


@each_tenant_model
def test_it_cannot_be_made_without_a_scope(model: type[models.Model]) -> None:
    with pytest.raises(NoTenantScope):
        model()


def test_the_audit_of_the_database_finds_nothing() -> None:
    found = [f"{one.code}: {one.object} ({one.remedy})" for one in audit_isolation()]

    assert found == [], "Nothing would be served on this schema: " + "; ".join(found)


def test_the_tests_run_as_the_role_that_serves() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname = current_user"
        )
        name, *powers = cursor.fetchone()

    assert name == APP_ROLE, "A test as another role proves nothing; see tests/conftest.py."
    assert powers == [False, False, False, False], (
        f"Row-level security does not hold {name} back; see souvenir/config/embedded/roles.py."
    )


def _columns(model: type[models.Model]) -> set[str]:
    return {field.get_attname() for field in model._meta.local_fields}


def _references() -> Iterator[tuple[type[models.Model], type[models.Model]]]:
    """(model, what it refers to) for each reference between two tenant tables, but to itself.

    Without those whose row goes with what it refers to, by the database's own hand.
    """
    for model in TENANT_MODELS:
        following = isolations()[model._meta.label_lower].follows
        for field in model._meta.local_fields:
            target = field.related_model
            bound = isinstance(field, TenantForeignKey) and field.column not in following
            if bound and target is not model:
                assert isinstance(target, type)
                yield model, target
