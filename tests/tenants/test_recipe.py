"""The recipe for a tenant table, followed: one mixin and one operation, and nothing is found."""

import pytest
from django.db import connections, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ModelState, ProjectState
from django.test.utils import isolate_apps

from tenants.isolation.operations import IsolateTenantTable
from tenants.isolation.tables import TenantScoped
from tests.tenants.second_server import OWNER_ALIAS, found_after

_TABLE = "recipes_note"


def _state() -> ProjectState:
    """One model, as the recipe says: it inherits from TenantScoped."""
    with isolate_apps("tenants"):

        class Note(TenantScoped):
            title = models.CharField(max_length=20)

            class Meta(TenantScoped.Meta):
                app_label = "recipes"
                db_table = _TABLE

        state = ProjectState()
        state.add_model(ModelState.from_model(Note))
    return state


def _statements(*operations: IsolateTenantTable) -> list[str]:
    """What the migration of the recipe runs."""
    state = _state()
    with transaction.atomic(using=OWNER_ALIAS):
        editor: BaseDatabaseSchemaEditor = connections[OWNER_ALIAS].schema_editor(collect_sql=True)
        with editor:
            editor.create_model(state.apps.get_model("recipes", "Note"))
            for operation in operations:
                operation.database_forwards("recipes", editor, ProjectState(), state)
        transaction.set_rollback(True, using=OWNER_ALIAS)
    return [line for line in editor.collected_sql if not line.startswith("--")]


@pytest.mark.usefixtures("migrated_elsewhere")
def test_a_table_by_the_recipe_is_no_hole() -> None:
    assert found_after(*_statements(IsolateTenantTable("Note", content=("title",)))) == set()


@pytest.mark.usefixtures("migrated_elsewhere")
def test_a_table_without_the_operation_is_a_hole_with_its_name() -> None:
    found = found_after(*_statements())

    assert {("row-security-off", _TABLE), ("policy-not-exact", _TABLE)} <= found
    assert ("key-without-tenant", f"{_TABLE}_pkey") in found
