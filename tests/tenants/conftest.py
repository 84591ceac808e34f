"""A server of their own for tests that change roles, unmake the schema or need the superuser; and
a receiver for those that call one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from souvenir.config.embedded.throwaway import Throwaway, start_throwaway
from tests.receiving import Receiver, receiving
from tests.tenants.planted.hole import DATABASE
from tests.tenants.second_server import OWNER_ALIAS, way_in


@pytest.fixture(scope="session")
def second_server() -> Throwaway:
    """A server with our roles and an empty database: roles belong to a server, not a database."""
    return start_throwaway(database=DATABASE)


@pytest.fixture(scope="module")
def migrated_elsewhere(second_server: Throwaway, database: None) -> Iterator[None]:
    """The aliases of second_server.py lead into a database of it with our whole schema."""
    with way_in(second_server, database=DATABASE):
        call_command("migrate", database=OWNER_ALIAS, verbosity=0, interactive=False)
        yield


@pytest.fixture
def receiver(tmp_path: Path, settings: Any) -> Iterator[Receiver]:
    """A receiver of webhooks on loopback, which the operator has allowed to be called."""
    with receiving(tmp_path) as found:
        settings.SOUVENIR_EGRESS_INSIDE = found.inside
        settings.SOUVENIR_EGRESS_CA_FILE = found.authority
        yield found
