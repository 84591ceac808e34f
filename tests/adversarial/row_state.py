"""What the database and the folder of objects hold of one organization, asked of the catalogue.

The catalogue says which tables there are, so that a table made tomorrow is looked at too.
"""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection

from tenants.isolation.scope import tenant_scope

_TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
           FILTER (WHERE a.atttypid = 'uuid'::regtype AND a.attname <> 'tenant_id')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND EXISTS (SELECT FROM pg_attribute t
                  WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
GROUP BY c.relname ORDER BY c.relname
"""
# Of tables that belong to no tenant, the rows that are about one.
_DIRECTORY = {
    "tenants_organization": "id = %s",
    "tenants_membership": "organization_id = %s",
}
State = dict[str, object]


def state_of(organization_id: UUID) -> State:
    """By table, the count and a digest of this organization's rows; and its files by size."""
    with tenant_scope(organization_id):
        found: State = {table: _digest(table) for table in _tables()}
    for table, condition in _DIRECTORY.items():
        found[table] = _digest(table, condition, [organization_id])
    folder = Path(settings.SOUVENIR_OBJECTS_DIR) / organization_id.hex
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return found | {"files": [(str(f.relative_to(folder)), f.stat().st_size) for f in files]}


def ids_of(organization_id: UUID) -> frozenset[str]:
    """Every id that stands in a row of this organization, and its own."""
    ids = {str(organization_id)}
    with tenant_scope(organization_id), connection.cursor() as cursor:
        for table, columns in _tables().items():
            for column in columns:
                cursor.execute(f'SELECT DISTINCT "{column}"::text FROM "{table}"')
                ids |= {row[0] for row in cursor.fetchall() if row[0]}
    return frozenset(ids)


def differences(before: State, after: State) -> list[str]:
    """The tables whose rows are not what they were."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def _tables() -> dict[str, list[str]]:
    """Tables of tenants, each with its uuid columns."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return {table: columns or [] for table, columns in cursor.fetchall()}


def _digest(
    table: str, condition: str = "true", values: list[UUID] | None = None
) -> tuple[int, str]:
    row = "md5(t::text)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), coalesce(md5(string_agg({row}, '' ORDER BY {row})), '')"
            f' FROM "{table}" t WHERE {condition}',
            values or [],
        )
        count, digest = cursor.fetchone()
    return int(count), str(digest)
