"""The console's inhabitants, and its French."""

import pytest
from django.core.management import call_command
from django.test.signals import setting_changed

from tests.souvenir.console.visitors import (
    Inhabited,
    Visitor,
    make_inhabited,
    make_member,
    make_visitor,
)


@pytest.fixture(scope="session", autouse=True)
def french(database: None) -> None:
    """The catalogue as it stands; what was read before it was compiled is read again."""
    call_command("compile_translations", verbosity=0)
    setting_changed.send(sender=None, setting="LOCALE_PATHS", value=None, enter=True)


@pytest.fixture(scope="session")
def home_of_acme(french: None) -> Inhabited:
    """An organization to look at; tests that change something make their own."""
    return make_inhabited()


@pytest.fixture(scope="session")
def home_of_globex(french: None) -> Inhabited:
    """A stranger's."""
    return make_inhabited()


@pytest.fixture(scope="session")
def colleague(home_of_acme: Inhabited) -> Visitor:
    """Another member of the same organization."""
    return make_member(home_of_acme.tenant, external_id="bob")


@pytest.fixture(scope="session")
def platform_admin(french: None) -> Visitor:
    return make_visitor(is_platform_admin=True)
