"""What a role may read of a table, by the catalogue."""

from django.db import connections


def readable(alias: str, table: str) -> set[tuple[str, str, str | None]]:
    """Name, type and comment of each column that the role of a connection may read."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT attname, atttypid::regtype::text, col_description(attrelid, attnum)"
            " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT')",
            [table],
        )
        return set(cursor.fetchall())
