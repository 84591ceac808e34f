"""Migration operations that say which role may do what with a table.

`GrantTable` is for tables without a tenant; `IsolateTenantTable` (operations.py) does the rest for
those with one. What is granted to a role stands in CONTROL_TABLES (catalogue.py) as well: the
catalogue audit takes everything else for a hole.
"""

from collections.abc import Iterator
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tenants.isolation.roles import APP, SERVICES, SWEEPER, Role, make_role
from tenants.isolation.statements import Place, StatementsOperation

CONTENT_MARK = "content"  # the comment by which catalogue.sql knows such a column
# What an erasure is proved with. Content is bytes, vectors or JSON, or is marked.
SHOWN_TYPES = ("uuid", "bool", "int2", "int4", "int8", "date", "timestamptz", "text", "varchar")


class RolesMissing(RuntimeError):
    """A role of the database is not there, and whoever migrates may not make it."""


def ensure_roles(schema_editor: BaseDatabaseSchemaEditor, *needed: Role) -> None:
    """Make those roles that are not there yet, without login, as far as this one's rights go.

    Only a superuser can make the one that sees past row-level security.

    Raises:
        RolesMissing: with the statements for a superuser to run.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles")
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        everything, most = cursor.fetchone()
    missing = [role for role in needed if role.name not in there]
    refused = [r for r in missing if not (everything or (most and not r.past_row_security))]
    if refused:
        statements = "; ".join(map(make_role, refused))
        msg = f"Roles of the database are missing. Run this as a superuser: {statements};"
        raise RolesMissing(msg)
    for role in missing:
        schema_editor.execute(make_role(role))


class EnsureRoles(StatementsOperation):
    """Make sure that every role is there. Undone, they stay: other databases may need them."""

    def forwards(self, place: Place) -> Iterator[str]:
        ensure_roles(place.editor, APP, *SERVICES)
        yield from ()

    def backwards(self, place: Place) -> Iterator[str]:
        """None: roles belong to the server, not to this database."""
        yield from ()

    def describe(self) -> str:
        return "Make sure that the roles of the database are there"


class GrantTable(StatementsOperation):
    """Give one role some privileges on a table without a tenant, or on columns of it.

    Args:
        table: its name in the database.
        privileges: as after GRANT: `SELECT, DELETE`, or `SELECT (id, state)`.
        to: the name of a role of roles.py.
    """

    def __init__(self, table: str, privileges: str, *, to: str) -> None:
        self.table = table
        self.privileges = privileges
        self.to = to

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.table, self.privileges], {"to": self.to})

    def forwards(self, place: Place) -> Iterator[str]:
        ensure_roles(place.editor, _named(self.to))
        yield f'GRANT {self.privileges} ON "{self.table}" TO {self.to}'

    def backwards(self, place: Place) -> Iterator[str]:
        yield f'REVOKE {self.privileges} ON "{self.table}" FROM {self.to}'

    def describe(self) -> str:
        return f"Grant {self.privileges} on {self.table} to {self.to}"


class GrantControlTable(GrantTable):
    """Give the run-time role what it needs of a control table, which has no tenant of its own."""

    def __init__(self, table: str, privileges: str) -> None:
        super().__init__(table, privileges, to=APP.name)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.table, self.privileges], {})


class ShowToSweeper(StatementsOperation):
    """Bring what the sweeper may read of a tenant table up to its columns of today.

    After AddField of an id, a time or a state; and after a column came to hold content.
    `IsolateTenantTable` does it for the columns that are there when it runs.

    Args:
        model_name: None: of every tenant table that is there.
    """

    def __init__(self, model_name: str | None = None) -> None:
        self.model_name = model_name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.model_name] if self.model_name else [], {})

    def forwards(self, place: Place) -> Iterator[str]:
        ensure_roles(place.editor, SWEEPER)
        yield from self.backwards(place)

    def backwards(self, place: Place) -> Iterator[str]:
        """The columns that are there stay shown; what is dropped takes its grant with it."""
        yield show_to_sweeper(place.table(self.model_name) if self.model_name else None)

    def describe(self) -> str:
        return f"Show {self.model_name or 'every tenant table'} to the sweeper, but no content"


def _named(name: str) -> Role:
    return next(role for role in (APP, *SERVICES) if role.name == name)


_HAS_TENANT = """EXISTS (SELECT 1 FROM pg_attribute own
                WHERE own.attrelid = c.oid AND own.attname = 'tenant_id')"""


def show_to_sweeper(table: str | None) -> str:
    """The statement that lets the sweeper read a tenant table's columns without content.

    The columns are looked up when it runs: it is right for whatever the table has by then.
    """
    # Row-level security alone does not make a tenant table: the audit log has policies of its own.
    chosen = f"c.relname = '{table}'" if table else f"c.relrowsecurity AND {_HAS_TENANT}"
    types = ", ".join(f"'{name}'" for name in SHOWN_TYPES)
    return f"""
        DO $$ DECLARE shown record; BEGIN
        FOR shown IN
            SELECT c.oid::regclass::text AS name,
                   string_agg(quote_ident(a.attname), ', ') AS columns
              FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              JOIN pg_type t ON t.oid = a.atttypid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
               AND NOT c.relispartition AND {chosen}
               AND a.attnum > 0 AND NOT a.attisdropped AND t.typname IN ({types})
               AND col_description(c.oid, a.attnum) IS DISTINCT FROM '{CONTENT_MARK}'
             GROUP BY c.oid
        LOOP
            EXECUTE 'REVOKE ALL ON ' || shown.name || ' FROM {SWEEPER.name}';
            EXECUTE 'GRANT SELECT (' || shown.columns || ') ON ' || shown.name
                 || ' TO {SWEEPER.name}';
        END LOOP;
        END $$"""  # noqa: S608 — names of ours, and columns as PostgreSQL quotes them


def hide_from_sweeper(table: str) -> str:
    """The statement that takes all of that back."""
    return f'REVOKE ALL ON "{table}" FROM {SWEEPER.name}'
