"""The one way out: asked, checked, and used by nothing today."""

import ast
import ipaddress
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from souvenir.config.environment import CHECKOUT
from tenants.egress import Call, checked_address, is_public, send
from tenants.errors import AddressRefused, FlowRefused
from tenants.isolation.scope import tenant_scope
from tenants.placements import placements
from tenants.residency import Flow
from tests.builders import Tenant

_NETWORK_MODULES = {
    "socket",
    "http.client",
    "urllib.request",
    "httpx",
    "httpx2",
    "requests",
    "hvac",
    "smtplib",
}
# The one client; the one to the cell's own keystore; the embedded profile, which looks for a free
# port on loopback; and what ends the connections of slow clients, which they opened.
_MAY_CONNECT = {
    "tenants/egress.py",
    "tenants/keyring/providers/transit_client.py",
    "platform/souvenir/config/embedded",
    "platform/souvenir/config/pacing.py",
}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "fe80::1%eth0",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_open_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2607:f8b0::1", "64:ff9b::808:808"])
def test_an_address_of_the_open_internet_is_taken(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1"])
def test_a_name_that_leads_home_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        checked_address(host)


def test_the_suite_itself_cannot_call_out() -> None:
    with socket.socket() as outward, pytest.raises(PermissionError, match="calls out"):
        outward.connect(("192.0.2.1", 443))
    with pytest.raises(PermissionError, match="calls out"):
        socket.getaddrinfo("example.org", 443)


def test_a_call_that_the_policy_refuses_resolves_nothing(acme: Tenant) -> None:
    elsewhere = replace(placements()["aws-ca-central-1"], country="US")
    call = Call("embeddings.invalid", "/", elsewhere, Flow("embed", declared=True), b"{}")

    with tenant_scope(acme.id), pytest.raises(FlowRefused, match="country-not-allowed"):
        send(call)


def test_a_call_needs_a_declared_flow(acme: Tenant) -> None:
    call = Call("embeddings.invalid", "/", placements()["local"], Flow("embed"), b"{}")

    with tenant_scope(acme.id), pytest.raises(FlowRefused, match="flow-not-declared"):
        send(call)


def test_an_allowed_call_still_cannot_reach_this_machine(acme: Tenant) -> None:
    call = Call("localhost", "/", placements()["local"], Flow("embed", declared=True), b"{}")

    with tenant_scope(acme.id), pytest.raises(AddressRefused):
        send(call)


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


def test_nothing_else_in_the_code_can_open_a_connection() -> None:
    offenders = [
        str(path.relative_to(CHECKOUT))
        for root in ("platform", "tenants", "workers")
        for path in (CHECKOUT / root).rglob("*.py")
        if not any(str(path.relative_to(CHECKOUT)).startswith(allowed) for allowed in _MAY_CONNECT)
        and _imports(path) & _NETWORK_MODULES
    ]

    assert offenders == []


def test_the_nat64_prefix_is_the_well_known_one() -> None:
    assert ipaddress.ip_address("64:ff9b::1") in ipaddress.ip_network("64:ff9b::/96")
