"""A server of their own for tests that change roles, unmake the schema or need the superuser."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections

from souvenir.config.embedded.postgres import SUPERUSER
from souvenir.config.embedded.throwaway import Throwaway, start_throwaway
from tests.tenants.planted.hole import DATABASE

SUPERUSER_ALIAS = "superuser-elsewhere"
OWNER_ALIAS = "owner-elsewhere"


@pytest.fixture(scope="session")
def own_server() -> Throwaway:
    """A second server with our roles. Roles belong to a server, not to a database."""
    return start_throwaway(database=DATABASE)


@pytest.fixture(scope="session")
def own_database(own_server: Throwaway, database: None) -> Iterator[Throwaway]:
    """Its database, migrated; reached by the aliases above."""
    for alias, user, password in (
        (SUPERUSER_ALIAS, SUPERUSER, own_server.passwords.superuser),
        (OWNER_ALIAS, "souvenir_owner", own_server.passwords.owner),
    ):
        connections.databases[alias] = connections.databases["owner"] | {
            "NAME": DATABASE,
            "USER": user,
            "PASSWORD": password,
            "HOST": str(own_server.server.address.sockets),
        }
    call_command("migrate", database=OWNER_ALIAS, verbosity=0, interactive=False)
    yield own_server
    for alias in (SUPERUSER_ALIAS, OWNER_ALIAS):
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
