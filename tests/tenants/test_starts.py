"""Nothing starts on a database that would let tenants meet; and commands keep to one tenant."""

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from souvenir.config.environment import CHECKOUT
from souvenir.memories.services import ensure_person
from tenants.commands import ServingCommand
from tenants.isolation.catalogue import IsolationBroken, refuse_wrong_role
from tenants.isolation.roles import CONTROL, RELAY, SWEEPER, Role
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant

_STARTS = {
    "web": ["-c", "import souvenir.config.wsgi"],
    "worker": ["-m", "celery", "-A", "workers.app", "worker", "-P", "solo", "-Q", "bulk"],
    "sweep": ["manage.py", "sweep", "--once"],
}


@pytest.fixture
def holes() -> Iterator[set[str]]:
    """Holes that are really there, for every process; as the audit names them."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("GRANT TRUNCATE ON memories_person TO souvenir_app")
        cursor.execute("ALTER TABLE memories_person DISABLE ROW LEVEL SECURITY")
        try:
            yield {"role-may-truncate: memories_person", "row-security-off: memories_person"}
        finally:
            cursor.execute("REVOKE TRUNCATE ON memories_person FROM souvenir_app")
            cursor.execute("ALTER TABLE memories_person ENABLE ROW LEVEL SECURITY")


def _start(what: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if "_OWNER_" not in k}
    return subprocess.run(  # noqa: S603 — our own command
        [sys.executable, *_STARTS[what]],
        cwd=CHECKOUT,
        env=environment | {"PYTHONPATH": f"platform{os.pathsep}."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("what", _STARTS)
def test_nothing_starts_over_a_hole(what: str, holes: set[str]) -> None:
    started = _start(what)

    assert started.returncode != 0
    assert "Tenants are not kept apart" in started.stderr
    assert {hole for hole in holes if hole in started.stderr} == holes


@pytest.mark.parametrize("role", [RELAY, CONTROL, SWEEPER], ids=lambda role: role.name)
def test_a_role_works_over_its_own_connection_alone(role: Role) -> None:
    alias = role.name.removeprefix("souvenir_")

    refuse_wrong_role(role, using=alias)

    for other in {"default", "relay", "control", "sweeper"} - {alias}:
        with pytest.raises(IsolationBroken, match="was given the connection of"):
            refuse_wrong_role(role, using=other)


def test_a_role_that_holds_more_than_is_declared_does_not_work() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("GRANT SELECT (email) ON tenants_user TO souvenir_control")
        try:
            with pytest.raises(IsolationBroken, match=r"tenants_user\.email: SELECT to"):
                refuse_wrong_role(RELAY, using="relay")
        finally:
            cursor.execute("REVOKE SELECT (email) ON tenants_user FROM souvenir_control")


def test_a_sweeper_that_would_see_nothing_does_not_prove_an_erasure() -> None:
    as_if = Role(RELAY.name, "", past_row_security=True)

    with pytest.raises(IsolationBroken, match="sees no rows: ALTER ROLE souvenir_relay BYPASSRLS"):
        refuse_wrong_role(as_if, using="relay")


def test_a_command_of_another_role_asks_for_that_role() -> None:
    class OfTheRelay(ServingCommand):
        role = RELAY
        connection = "default"

    with pytest.raises(CommandError, match="works as souvenir_relay and was given"):
        call_command(OfTheRelay())


def test_a_command_for_one_organization_sees_no_other(acme: Tenant, globex: Tenant) -> None:
    for tenant, people in ((acme, ["alice"]), (globex, ["bob", "carol"])):
        with tenant_scope(tenant.id):
            for person in people:
                ensure_person(external_id=person)

    by_id, by_slug = StringIO(), StringIO()
    call_command("count_rows", organization=str(acme.id), stdout=by_id)
    call_command("count_rows", organization=acme.organization.slug, stdout=by_slug)

    counts = dict(line.split() for line in by_id.getvalue().splitlines())
    assert counts["memories_person"] == "1"
    assert counts["keyring_subjectkey"] == "0"
    assert by_slug.getvalue() == by_id.getvalue()


@pytest.mark.parametrize(
    "named", [pytest.param(str(uuid4()), id="an id"), "nobody", "", "' OR true --"]
)
def test_a_command_for_nobody_does_nothing(named: str) -> None:
    with pytest.raises(CommandError, match="There is no organization"):
        call_command("count_rows", organization=named)
