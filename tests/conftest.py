"""The ground that every test stands on: a real PostgreSQL, the run-time role, real commits.

No test is rolled back. Each makes organizations of its own, and isolation keeps it from the rest.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import django
import pytest
from django.conf import settings
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from souvenir.config.embedded.throwaway import settings_of, start_test_cluster

_LOOPBACK = ("127.", "::1", "localhost")


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """The suite runs with the network off, loopback aside: whatever calls out is a failure."""
    if event not in {"socket.connect", "socket.getaddrinfo"}:
        return
    address = arguments[1] if event == "socket.connect" else arguments
    host = address[0] if isinstance(address, tuple) else ""
    if isinstance(host, str) and host and not host.startswith(_LOOPBACK):
        raise PermissionError(f"the test suite calls out, to {host}")


sys.addaudithook(_refuse_the_network)
_FOLDER = tempfile.TemporaryDirectory(prefix="souvenir-objects-")
_SETTINGS = settings_of(start_test_cluster(), Path(_FOLDER.name))

os.environ |= _SETTINGS

django.setup()
settings.PASSWORD_HASHERS = ["tests.quick_hasher.QuickHasher"]

from tests.builders import Tenant, make_tenant  # noqa: E402 — models need Django to be up

pytest_plugins = ["tests.adversarial.telling"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A worker begins without these, and starts a server of its own: it would use this one's."""
    for name in _SETTINGS:
        del os.environ[name]


@pytest.fixture(scope="session", autouse=True)
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Migrate as the owner; everything after that is the run-time role's."""
    call_command("compile_translations", verbosity=0)
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        yield


@pytest.fixture
def unique() -> str:
    """A word that no other test uses: for slugs, ids and addresses."""
    return uuid4().hex


@pytest.fixture
def acme() -> Tenant:
    """The organization that a test is about."""
    return make_tenant()


@pytest.fixture
def globex() -> Tenant:
    """A stranger, who must see none of it."""
    return make_tenant()
