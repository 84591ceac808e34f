"""What docs/deploying.md has operators make is what the embedded profile makes, and it is tight."""

import re
import secrets
from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from django.core.management import call_command

from souvenir.config.embedded.postgres import SUPERUSER, EmbeddedPostgres
from souvenir.config.embedded.roles import DATABASE, OWNER
from souvenir.config.embedded.throwaway import Throwaway, new_open_folder
from souvenir.config.environment import CHECKOUT
from tests.tenants.second_server import OWNER_ALIAS, SUPERUSER_ALIAS, found_after, leading

PAGE = CHECKOUT / "docs" / "deploying.md"  # the French one has the same statements (tested)
_PASSWORD = secrets.token_urlsafe()
_ROLES: LiteralString = """
    SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
           rolinherit, (SELECT array_agg(line ORDER BY line) FROM pg_db_role_setting s,
                        unnest(s.setconfig) AS line WHERE s.setrole = r.oid)
      FROM pg_roles r WHERE rolname LIKE 'souvenir%' AND rolname <> 'souvenir_broker' ORDER BY 1
"""


def _statements() -> list[list[str]]:
    """Those of each block, the first for any database, the second for that of Souvenir."""
    blocks = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    plain = [re.sub(r"^--.*$", "", block, flags=re.MULTILINE) for block in blocks]
    return [[one.strip() for one in block.split(";") if one.strip()] for block in plain]


@pytest.fixture(scope="module")
def by_the_page() -> Iterator[EmbeddedPostgres]:
    """A server on which nothing was done but what the page says."""
    folder = new_open_folder()
    server = EmbeddedPostgres(folder / "home", password=_PASSWORD, durable=False, fallback=folder)
    server.start()
    try:
        for statements, database in zip(_statements(), ("postgres", DATABASE), strict=True):
            with _superuser(server, database) as connection:
                for statement in statements:
                    connection.execute(statement)
        yield server
    finally:
        server.stop()


def _superuser(server: EmbeddedPostgres, database: str) -> psycopg.Connection:
    dsn = server.address.dsn(user=SUPERUSER, password=_PASSWORD, database=database)
    return psycopg.connect(dsn, autocommit=True)


def test_the_page_makes_the_roles_that_the_embedded_profile_makes(
    by_the_page: EmbeddedPostgres, second_server: Throwaway
) -> None:
    embedded = second_server.server.address.dsn(
        user=SUPERUSER, password=second_server.passwords.superuser, database="postgres"
    )
    with psycopg.connect(embedded) as connection:
        expected = connection.execute(_ROLES).fetchall()

    with _superuser(by_the_page, "postgres") as connection:
        made = connection.execute(_ROLES).fetchall()

    assert len(made) == 6
    assert made == expected


@pytest.mark.usefixtures("database")
def test_a_database_made_by_the_page_is_migrated_and_nothing_is_found(
    by_the_page: EmbeddedPostgres,
) -> None:
    with _superuser(by_the_page, DATABASE) as connection:
        connection.execute(f"ALTER ROLE {OWNER} PASSWORD '{_PASSWORD}'")
    place = {"NAME": DATABASE, "HOST": str(by_the_page.address.sockets), "PASSWORD": _PASSWORD}
    with (
        leading(OWNER_ALIAS, place | {"USER": OWNER}),
        leading(SUPERUSER_ALIAS, place | {"USER": SUPERUSER}),
    ):
        call_command("migrate", database=OWNER_ALIAS, verbosity=0, interactive=False)
        found = found_after()

    assert found == set()
