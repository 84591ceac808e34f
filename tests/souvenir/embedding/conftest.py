"""A cell of its own, for tests that change what holds for a whole cell."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command

from souvenir.config.embedded.roles import APP, OWNER, create_database, drop_database
from souvenir.config.embedded.throwaway import Throwaway, start_throwaway
from tenants.isolation.roles import MAINTAINER
from tests.tenants.second_server import OWNER_ALIAS, leading

_DATABASE = "souvenir_cell"


@pytest.fixture(scope="session")
def other_server(database: None) -> Throwaway:
    return start_throwaway(database="souvenir_unused")


@pytest.fixture
def other_cell(other_server: Throwaway) -> Iterator[None]:
    """For as long as the test runs, the connections lead into an empty cell."""
    address, passwords = other_server.server.address, other_server.passwords
    create_database(address, passwords, _DATABASE)
    place = {"NAME": _DATABASE, "HOST": str(address.sockets)}
    app = place | {"USER": APP, "PASSWORD": passwords.app}
    with (
        leading(OWNER_ALIAS, place | {"USER": OWNER, "PASSWORD": passwords.owner}),
        leading("default", app),
        leading("keyring", app),
        leading("maintainer", place | {"USER": MAINTAINER.name, "PASSWORD": passwords.maintainer}),
    ):
        call_command("migrate", database=OWNER_ALIAS, verbosity=0, interactive=False)
        yield
    drop_database(address, passwords, _DATABASE)
