"""Migration operations for tenant tables in partitions.

`CreatePartitionedModel` stands where CreateModel does, and `IsolateTenantTable` follows it as ever.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState
from django.db.models import Field

from tenants.isolation.operations import IsolateTenantTable
from tenants.isolation.statements import Place, StatementsOperation


class CreatePartitionedModel(CreateModel):
    """Create a model's table in partitions, and its first partitions.

    Args:
        by: as after PARTITION BY: `HASH (tenant_id)`. Its columns are part of the primary key.
        partitions: name's ending → as after PARTITION OF, with `{}` for the table's own name:
            `{} FOR VALUES IN (3)`. Those that have partitions come before those.
        plain: columns that never leave the row for TOAST: those that an index carries.
    """

    serialization_expand_args = [*CreateModel.serialization_expand_args, "partitions"]

    def __init__(
        self,
        name: str,
        fields: "list[tuple[str, Field[Any, Any]]]",
        options: dict[str, Any] | None = None,
        *,
        by: str,
        partitions: Mapping[str, str],
        plain: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, fields, options)
        self.by = by
        self.partitions = partitions
        self.plain = plain

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        name, arguments, options = super().deconstruct()
        own = {"by": self.by, "partitions": self.partitions, "plain": self.plain}
        return name, arguments, options | own

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table = model._meta.db_table
        create, _ = schema_editor.table_sql(model)
        schema_editor.execute(f"{create} PARTITION BY {self.by}")
        for column in self.plain:
            # Before the first partition, which takes it from here; and so before the first row.
            schema_editor.execute(f'ALTER TABLE "{table}" ALTER "{column}" SET STORAGE PLAIN')
        for ending, values in self.partitions.items():
            schema_editor.execute(
                f'CREATE TABLE "{table}_{ending}" PARTITION OF {values.format(table)}'
            )

    def describe(self) -> str:
        return f"Create model {self.name} in partitions by {self.by}"


class UndoIsolation(StatementsOperation):
    """Undo an earlier `IsolateTenantTable`, for a table that another takes the place of."""

    def __init__(self, isolation: IsolateTenantTable) -> None:
        self.isolation = isolation

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.isolation], {})

    def forwards(self, place: Place) -> Iterable[str]:
        return self.isolation.backwards(place)

    def backwards(self, place: Place) -> Iterable[str]:
        return self.isolation.forwards(place)

    def describe(self) -> str:
        return f"Undo the isolation of {self.isolation.model_name}"
