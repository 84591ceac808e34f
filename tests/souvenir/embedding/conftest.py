"""A cell of its own, for tests that change what holds for a whole cell."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from django.core.management import call_command

from souvenir.config.embedded.postgres import SUPERUSER
from souvenir.config.embedded.roles import APP, OWNER, create_database, drop_database
from souvenir.config.embedded.throwaway import Throwaway, start_throwaway
from tenants.isolation.roles import MAINTAINER
from tests.tenants.second_server import OWNER_ALIAS, leading

_DATABASE = "souvenir_cell"
_MIGRATED = "souvenir_migrated"


@pytest.fixture(scope="session")
def other_server(database: None) -> Throwaway:
    """A server of its own, and in it a database with our schema, of which copies are made."""
    server = start_throwaway(database=_MIGRATED)
    with _ways_in(server, _MIGRATED):
        call_command("migrate", database=OWNER_ALIAS, verbosity=0, interactive=False)
    return server


@pytest.fixture
def other_cell(other_server: Throwaway) -> Iterator[None]:
    """For as long as the test runs, the connections lead into an empty cell."""
    address, passwords = other_server.server.address, other_server.passwords
    dsn = address.dsn(user=SUPERUSER, password=passwords.superuser, database="postgres")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_DATABASE} OWNER {OWNER} TEMPLATE {_MIGRATED}")
    create_database(address, passwords, _DATABASE)  # who may enter is not copied
    with _ways_in(other_server, _DATABASE):
        yield
    drop_database(address, passwords, _DATABASE)


@contextmanager
def _ways_in(server: Throwaway, database: str) -> Iterator[None]:
    """For as long as the body runs, the connections lead into a database of that server."""
    passwords = server.passwords
    place = {"NAME": database, "HOST": str(server.server.address.sockets)}
    app = {"USER": APP, "PASSWORD": passwords.app}
    with ExitStack() as leaving:
        for alias, who in {
            OWNER_ALIAS: {"USER": OWNER, "PASSWORD": passwords.owner},
            "default": app,
            "keyring": app,
            "maintainer": {"USER": MAINTAINER.name, "PASSWORD": passwords.maintainer},
        }.items():
            leaving.enter_context(leading(alias, place | who))
        yield
