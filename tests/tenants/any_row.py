"""A row of any tenant table, whatever it is about: for tests of walls, which do not ask."""

from datetime import UTC, datetime
from uuid import uuid4

from django.db import connections, models

from tenants.isolation.scope import current_tenant
from tenants.isolation.tables import TenantForeignKey

_VALUES: dict[str, object] = {
    "bool": True, "int2": 1, "int4": 1, "int8": 1, "float4": 1.0, "float8": 1.0,
    "text": "x", "varchar": "x", "bytea": b"0" * 32, "jsonb": "{}",
    "timestamptz": datetime(2026, 1, 1, tzinfo=UTC), "date": datetime(2026, 1, 1, tzinfo=UTC),
}  # fmt: skip


def make_any_row(model: type[models.Model], *, using: str) -> None:
    """Fill what may not be empty, by its type; references lead to a row that is there.

    Raises:
        DatabaseError, KeyError: the table asks for more; make its row by hand.
    """
    table = model._meta.db_table
    targets = {
        field.column: field.related_model._meta.db_table
        for field in model._meta.local_fields
        if isinstance(field, TenantForeignKey)
    }
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT attname, typname FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull"
            " AND NOT atthasdef",
            [table],
        )
        row: dict[str, object] = {}
        for column, kind in cursor.fetchall():
            if column == "tenant_id":
                row[column] = current_tenant()
            elif column in targets:
                cursor.execute(f'SELECT id FROM "{targets[column]}" LIMIT 1')
                row[column] = cursor.fetchone()[0]
            else:
                row[column] = uuid4() if kind == "uuid" else _VALUES[kind]
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join(["%s"] * len(row))
        cursor.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', list(row.values()))  # type: ignore[arg-type]  # by the types of the table
