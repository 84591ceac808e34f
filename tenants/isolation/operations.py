"""What a tenant table is in the database, as migration operations.

Recipe for a new tenant table: inherit from TenantScoped, use TenantForeignKey for references, begin
every unique constraint with tenant_id, and put `IsolateTenantTable("<Model>")` after CreateModel.
With more than one index that begins with tenant_id, `CountTenantsAlike("<Model>")` follows it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model

from tenants.isolation.grants import (
    CONTENT_MARK,
    GrantControlTable,
    ensure_roles,
    hide_from_sweeper,
    show_to_sweeper,
)
from tenants.isolation.roles import APP, SWEEPER
from tenants.isolation.scope import SETTING
from tenants.isolation.statements import Place, StatementsOperation
from tenants.isolation.tables import TenantForeignKey

__all__ = ["GrantControlTable", "IsolateTenantTable"]  # migrations that landed name both here

APP_ROLE = APP.name
POLICY = "tenant_isolation"
# No sub-select, no function of ours, no admin switch: Citus takes it, and an index can be used.
PREDICATE = f"tenant_id = nullif(current_setting('{SETTING}', true), '')::uuid"


class IsolateTenantTable(StatementsOperation):
    """Give a table its composite keys, row-level security (forced), its policy and its grants.

    The partitions that it has by then get walls of their own, and no grants.

    Args:
        model_name: the model, created by an earlier operation.
        content: columns with people's content. They keep no statistics: pg_statistic would hold
            copies of values past their deletion. Each is marked, for the catalogue audit.
        key: the columns of the primary key, tenant_id first.
        include: columns carried in the primary key's index, for index-only scans.
        follows: columns whose row takes this row with it when it goes: what is derived from a
            passage ends with the passage. Everywhere else a forgotten row stops the deletion.
    """

    def __init__(
        self,
        model_name: str,
        *,
        content: tuple[str, ...] = (),
        key: tuple[str, ...] = ("tenant_id", "id"),
        include: tuple[str, ...] = (),
        follows: tuple[str, ...] = (),
    ) -> None:
        self.model_name = model_name
        self.content = content
        self.key = key
        self.include = include
        self.follows = follows

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        options = {"content": self.content, "key": self.key, "include": self.include}
        return (self.__class__.__qualname__, [self.model_name], options | {"follows": self.follows})

    def forwards(self, place: Place) -> Iterator[str]:
        model = place.model(self.model_name)
        table = model._meta.db_table
        ensure_roles(place.editor, APP, SWEEPER)
        yield from _primary_key(table, self.key, self.include)
        yield from _foreign_keys(model, self.follows)
        yield from _walls(table)
        yield from _no_statistics(table, self.content)
        yield show_to_sweeper(table)
        for partition in _partitions(place.editor, table):
            yield from isolate_partition(partition, content=self.content)

    def backwards(self, place: Place) -> Iterator[str]:
        model = place.model(self.model_name)
        table = model._meta.db_table
        for partition in _partitions(place.editor, table):
            yield from _no_statistics_undone(partition, self.content)
            yield from _row_security_undone(partition)
        yield hide_from_sweeper(table)
        yield from _no_statistics_undone(table, self.content)
        yield from _walls_undone(table)
        yield from _foreign_keys_undone(model)
        yield from _primary_key(table, [str(field.column) for field in model._meta.pk_fields])

    def describe(self) -> str:
        return f"Isolate the tenants of {self.model_name}"


class ReorderKey(StatementsOperation):
    """Build a tenant table's primary key anew, with its columns in another order.

    Who reads or writes the table waits until it is built, in all partitions.

    Args:
        model_name: the model, whose own key an operation before this one has changed.
        key: the columns in their new order, tenant_id first.
        was: the same columns as they were.
        include: as for `IsolateTenantTable`, before and after.
    """

    def __init__(
        self,
        model_name: str,
        *,
        key: tuple[str, ...],
        was: tuple[str, ...],
        include: tuple[str, ...] = (),
    ) -> None:
        self.model_name = model_name
        self.key = key
        self.was = was
        self.include = include

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        options = {"key": self.key, "was": self.was, "include": self.include}
        return (self.__class__.__qualname__, [self.model_name], options)

    def forwards(self, place: Place) -> Iterator[str]:
        yield from _primary_key(place.table(self.model_name), self.key, self.include)

    def backwards(self, place: Place) -> Iterator[str]:
        yield from _primary_key(place.table(self.model_name), self.was, self.include)

    def describe(self) -> str:
        return f"Reorder the key of {self.model_name}"


class MarkContent(StatementsOperation):
    """Mark a column that was added to a tenant table as content: it keeps no statistics."""

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name = model_name
        self.column = column

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.model_name, self.column], {})

    def forwards(self, place: Place) -> Iterator[str]:
        table = place.table(self.model_name)
        yield from _no_statistics(table, [self.column])
        yield show_to_sweeper(table)

    def backwards(self, place: Place) -> Iterator[str]:
        table = place.table(self.model_name)
        yield from _no_statistics_undone(table, [self.column])
        yield show_to_sweeper(table)

    def describe(self) -> str:
        return f"Keep no statistics of {self.column} of {self.model_name}"


class CountTenantsAlike(StatementsOperation):
    """Let the planner take every tenant for a two-hundredth of a table, whoever it is.

    With statistics of tenant_id it knows the tenants of the last ANALYZE. One that has come since
    seems to have a single row, and any index that finds "all its rows" seems as good as the primary
    key: each look-up of a row read everything that the tenant has (decision 27).
    """

    def __init__(self, *model_names: str) -> None:
        self.model_names = model_names

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, list(self.model_names), {})

    def forwards(self, place: Place) -> Iterator[str]:
        for table in map(place.table, self.model_names):
            yield f'ALTER TABLE "{table}" ALTER COLUMN tenant_id SET STATISTICS 0'
            # What is there already would stay, and be believed.
            yield (
                f"SELECT pg_clear_attribute_stats(current_schema(), '{table}', 'tenant_id', false)"
            )

    def backwards(self, place: Place) -> Iterator[str]:
        for table in map(place.table, self.model_names):
            yield f'ALTER TABLE "{table}" ALTER COLUMN tenant_id SET STATISTICS DEFAULT'

    def describe(self) -> str:
        return f"Count tenants alike in {', '.join(self.model_names)}"


class ForgoReferenceIndex(StatementsOperation):
    """Take away the index of a reference, where another begins with the tenant and the reference.

    The planner would take the shorter one, and read all that it leads to.
    """

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name = model_name
        self.column = column

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.model_name, self.column], {})

    def forwards(self, place: Place) -> Iterator[str]:
        yield f'DROP INDEX "{place.table(self.model_name)}_{self.column}_idx"'

    def backwards(self, place: Place) -> Iterator[str]:
        yield _reference_index(place.table(self.model_name), self.column)

    def describe(self) -> str:
        return f"Forgo the index of {self.column} alone of {self.model_name}"


def _partitions(schema_editor: BaseDatabaseSchemaEditor, table: str) -> list[str]:
    """The names of a table's partitions, and of theirs; none for an ordinary table."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_partition_tree(to_regclass(%s)) t"
            " JOIN pg_class c ON c.oid = t.relid WHERE t.level > 0 ORDER BY 1",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


def _references(model: type[Model]) -> dict[str, str]:
    """Column → table referred to, of every TenantForeignKey."""
    return {
        field.column: field.related_model._meta.db_table
        for field in model._meta.local_fields
        if isinstance(field, TenantForeignKey)
    }


def _columns(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _primary_key(table: str, key: Iterable[str], include: Iterable[str] = ()) -> list[str]:
    carried = f" INCLUDE ({_columns(include)})" if include else ""
    return [
        f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey"',
        f'ALTER TABLE "{table}" ADD PRIMARY KEY ({_columns(key)}){carried}',
    ]


def _foreign_keys(model: type[Model], follows: tuple[str, ...]) -> list[str]:
    table = model._meta.db_table
    statements = []
    for column, target in _references(model).items():
        statements += [
            _reference_index(table, column),
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_fk" '
            f'FOREIGN KEY (tenant_id, "{column}") REFERENCES "{target}" (tenant_id, id)'
            + (" ON DELETE CASCADE" if column in follows else ""),
        ]
    return statements


def _reference_index(table: str, column: str) -> str:
    return f'CREATE INDEX "{table}_{column}_idx" ON "{table}" ("{column}", tenant_id)'


def _foreign_keys_undone(model: type[Model]) -> list[str]:
    table = model._meta.db_table
    statements = []
    for column in _references(model):
        statements += [
            f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_{column}_fk"',
            f'DROP INDEX "{table}_{column}_idx"',
        ]
    return statements


def isolate_partition(partition: str, *, content: Iterable[str] = ()) -> list[str]:
    """The statements that give a partition of a tenant table the walls of its parent.

    PostgreSQL hands on to a partition neither policies nor statistics targets, and no role is
    granted anything on it: rows are reached through the parent alone. The owner runs them in the
    transaction that makes the partition, before anybody can see it.

    Args:
        content: as for the parent's `IsolateTenantTable`.
    """
    return [*_row_security(partition), *_no_statistics(partition, content)]


def _row_security(table: str) -> list[str]:
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY {POLICY} ON "{table}" USING ({PREDICATE}) WITH CHECK ({PREDICATE})',
    ]


def _walls(table: str) -> list[str]:
    return [
        *_row_security(table),
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {APP_ROLE}',
    ]


def _walls_undone(table: str) -> list[str]:
    # The grant first: there is no moment in which the run-time role could read past the policy.
    return [
        f'REVOKE ALL ON "{table}" FROM {APP_ROLE}',
        *_row_security_undone(table),
    ]


def _row_security_undone(table: str) -> list[str]:
    return [
        f'DROP POLICY {POLICY} ON "{table}"',
        f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
    ]


def _no_statistics(table: str, content: Iterable[str]) -> list[str]:
    statements = []
    for column in content:
        statements += [
            f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STATISTICS 0',
            f'COMMENT ON COLUMN "{table}"."{column}" IS \'{CONTENT_MARK}\'',
        ]
    return statements


def _no_statistics_undone(table: str, content: Iterable[str]) -> list[str]:
    statements = []
    for column in content:
        statements += [
            f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STATISTICS DEFAULT',
            f'COMMENT ON COLUMN "{table}"."{column}" IS NULL',
        ]
    return statements
