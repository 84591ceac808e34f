"""The catalogue audit finds nothing here, and finds what is planted."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections

from tenants.isolation.catalogue import (
    REMEDIES,
    IsolationBroken,
    audit_isolation,
    refuse_broken_isolation,
)

_TABLE = "memories_person"
# What is done as the owner, what undoes it, and how the audit must name it.
_PLANTED = {
    "no force": (
        f"ALTER TABLE {_TABLE} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {_TABLE} FORCE ROW LEVEL SECURITY",
        ("row-security-not-forced", _TABLE),
    ),
    "row security off": (
        f"ALTER TABLE {_TABLE} DISABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {_TABLE} ENABLE ROW LEVEL SECURITY",
        ("row-security-off", _TABLE),
    ),
    "a second, open policy": (
        f"CREATE POLICY everyone ON {_TABLE} USING (true)",
        f"DROP POLICY everyone ON {_TABLE}",
        ("policy-not-exact", _TABLE),
    ),
    "truncate": (
        f"GRANT TRUNCATE ON {_TABLE} TO souvenir_app",
        f"REVOKE TRUNCATE ON {_TABLE} FROM souvenir_app",
        ("privilege-past-row-security", _TABLE),
    ),
    "a view with its owner's rights": (
        f"CREATE VIEW everyone AS SELECT * FROM {_TABLE}; GRANT SELECT ON everyone TO souvenir_app",
        "DROP VIEW everyone",
        ("view-with-owner-s-rights", "everyone"),
    ),
    "a materialized view": (
        f"CREATE MATERIALIZED VIEW everyone AS SELECT * FROM {_TABLE};"
        " GRANT SELECT ON everyone TO souvenir_app",
        "DROP MATERIALIZED VIEW everyone",
        ("materialized-view-reachable", "everyone"),
    ),
    "a table without a tenant": (
        "CREATE TABLE loose (id int primary key); GRANT SELECT ON loose TO souvenir_app",
        "DROP TABLE loose",
        ("table-without-tenant", "loose"),
    ),
    "a unique index without the tenant": (
        "CREATE UNIQUE INDEX oracle ON tenants_apikey (digest)",
        "DROP INDEX oracle",
        ("unique-index-without-tenant", "oracle"),
    ),
    "a function with its owner's rights": (
        "CREATE FUNCTION peek() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "DROP FUNCTION peek()",
        ("function-with-owner-s-rights", "peek()"),
    ),
    "default privileges": (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO souvenir_app",
        "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM souvenir_app",
        ("default-privileges", "souvenir_owner"),
    ),
}


@contextmanager
def _planted(do: str, undo: str) -> Iterator[None]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(do)
    try:
        yield
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute(undo)


def test_nothing_is_found_in_the_schema_as_migrated() -> None:
    assert audit_isolation() == []


@pytest.mark.parametrize("name", _PLANTED)
def test_a_planted_hole_is_found_by_name(name: str) -> None:
    do, undo, expected = _PLANTED[name]

    with _planted(do, undo):
        found = {(finding.code, finding.object) for finding in audit_isolation()}

    assert expected in found
    assert audit_isolation() == []


def test_nothing_is_served_over_a_hole() -> None:
    do, undo, _ = _PLANTED["no force"]

    with _planted(do, undo), pytest.raises(IsolationBroken, match="row-security-not-forced"):
        refuse_broken_isolation()


def test_every_finding_says_how_to_close_it() -> None:
    for do, undo, _ in _PLANTED.values():
        with _planted(do, undo):
            assert all(finding.code in REMEDIES for finding in audit_isolation())
