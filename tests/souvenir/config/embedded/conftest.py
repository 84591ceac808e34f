"""Homes for servers that a test may kill, and one server for the tests that only ask."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from souvenir.config.embedded.postgres import EmbeddedPostgres
from souvenir.config.embedded.throwaway import Throwaway, new_open_folder, start_throwaway
from tests.souvenir.config.embedded.trial_servers import PASSWORD, ServerIn


@pytest.fixture(scope="session")
def throwaway() -> Throwaway:
    """A running server with its roles. Ask it anything; leave it as it was."""
    return start_throwaway(database="souvenir_roles")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = new_open_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def used_home() -> Iterator[Path]:
    """A home that many tests start servers in, each after the last one's has stopped."""
    made = new_open_folder()
    yield made / "home"
    shutil.rmtree(made)


@pytest.fixture
def server_in(folder: Path) -> Iterator[ServerIn]:
    """Make servers, with nothing in their homes yet; they are stopped after the test."""
    with ExitStack() as leaving:

        def make(home: Path) -> EmbeddedPostgres:
            server = EmbeddedPostgres(
                home, password=PASSWORD, durable=False, fallback=folder / "fallback"
            )
            leaving.callback(shutil.rmtree, server.places.sockets, ignore_errors=True)
            leaving.callback(server.stop)
            return server

        yield make
