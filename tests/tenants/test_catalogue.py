"""What the catalogue audit finds stops the start, and is told to people.

That it finds every hole we know of is in test_mutations.py; that it finds nothing in our schema, in
tests/architecture/test_tenant_tables.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from tenants.isolation.catalogue import (
    IsolationBroken,
    refuse_broken_isolation,
)
from tenants.isolation.operations import PREDICATE, IsolateTenantTable, MarkContent
from tenants.isolation.remedies import REMEDIES

_TABLE = "memories_person"


@contextmanager
def _unforced() -> Iterator[None]:
    """A hole that is really there, for every connection."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {_TABLE} NO FORCE ROW LEVEL SECURITY")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {_TABLE} FORCE ROW LEVEL SECURITY")


def test_the_policies_are_those_of_the_operation() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT qual, with_check FROM pg_policies WHERE tablename <> 'audit_entry'"
        )
        printed = cursor.fetchall()

    # As PostgreSQL prints it: with its casts and its parentheses.
    plain = {text.replace("::text", "").translate({40: "", 41: ""}) for text in printed[0]}
    assert len(printed) == 1
    assert plain == {PREDICATE.translate({40: "", 41: ""}).replace("nullif", "NULLIF")}


def test_nothing_is_served_over_a_hole() -> None:
    with _unforced(), pytest.raises(IsolationBroken, match="row-security-not-forced"):
        refuse_broken_isolation()


def test_a_hole_made_while_we_serve_takes_us_out_of_service() -> None:
    with _unforced():
        answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["reasons"]) == (503, ["isolation"])
    assert Client().get("/readyz").status_code == 200


def test_the_command_says_that_nothing_was_found() -> None:
    said = StringIO()

    call_command("audit_isolation", stdout=said)

    assert "nothing was found" in said.getvalue()


def test_the_command_shows_a_table_and_fails() -> None:
    said = StringIO()

    with _unforced(), pytest.raises(CommandError, match="1 way across"):
        call_command("audit_isolation", stdout=said)

    title, rule, row = said.getvalue().splitlines()
    assert title.split()[:2] == ["What", "Where"]
    assert set(rule) == {"-"}
    assert row.split(maxsplit=2) == [
        "row-security-not-forced",
        _TABLE,
        REMEDIES["row-security-not-forced"],
    ]


def test_the_command_speaks_french() -> None:
    said = StringIO()

    with _unforced(), pytest.raises(CommandError, match="1 passage"):
        call_command("audit_isolation", language="fr-ca", stdout=said)

    title, _, row = said.getvalue().splitlines()
    assert title.split()[0] == "Quoi"
    assert "mettre IsolateTenantTable" in row


def test_content_is_marked_for_the_audit_and_keeps_no_statistics() -> None:
    loader = MigrationLoader(connection=None, ignore_no_migrations=True)
    declared = {
        (f"{app}_{operation.model_name}".lower(), column)
        for (app, _), migration in loader.disk_migrations.items()
        for operation in migration.operations
        if isinstance(operation, IsolateTenantTable | MarkContent)
        for column in _content_of(operation)
    }
    tables = {model._meta.db_table for model in apps.get_models()}
    declared = {(table, column) for table, column in declared if table in tables}

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text, attname FROM pg_attribute"
            " JOIN pg_class c ON c.oid = attrelid AND NOT relispartition"
            " WHERE attstattarget = 0 AND col_description(attrelid, attnum) = 'content'"
        )
        marked = set(cursor.fetchall())

    assert declared
    assert marked == declared


def _content_of(operation: IsolateTenantTable | MarkContent) -> tuple[str, ...]:
    return (operation.column,) if isinstance(operation, MarkContent) else operation.content
