"""The one way out. Every call that leaves the cell goes through here; today nothing calls it.

A call is made only where the policy allows the place it goes to, for a flow that was declared. The
name is resolved once, every address it has is checked, and the connection goes to a checked
address: a name that changes its mind in between changes nothing. No redirect, no proxy.
"""

import http.client
import ipaddress
import logging
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils import timezone

from souvenir.core.metrics import egress_calls, outcomes
from tenants import placements
from tenants.errors import AddressRefused, FlowRefused
from tenants.isolation.scope import current_tenant
from tenants.residency import Flow, Placement, decide

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_PORT = 443
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent, and where that is. `placement` is the place that answers at `host`."""

    host: str
    path: str
    placement: Placement
    flow: Flow
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer, at most MAX_ANSWER_BYTES of it."""

    status: int
    body: bytes


def send(call: Call) -> Reply:
    """Send one POST over TLS. Needs a tenant scope: the call is on someone's behalf.

    Raises:
        FlowRefused: the policy does not allow it; nothing was resolved or sent.
        AddressRefused: the name leads to an address that is private, local or reserved.
        OSError: the other side does not answer.
    """
    decision = decide(placements.policy(), call.placement, call.flow, today=timezone.localdate())
    # Ids and codes only: what is sent is never logged.
    logger.info(
        "egress %s to %s for %s: %s",
        call.flow.kind,
        call.placement.code,
        current_tenant(),
        "allowed" if decision.allowed else ",".join(decision.reasons),
    )
    with outcomes(egress_calls, call.flow.kind):
        if not decision.allowed:
            raise FlowRefused(reasons=decision.reasons)
        return _sent(call, checked_address(call.host))


def _sent(call: Call, address: str) -> Reply:
    connection = _Connection(call.host, address)
    try:
        connection.request("POST", call.path, body=call.body, headers=dict(call.headers))
        answer = connection.getresponse()
        return Reply(status=answer.status, body=answer.read(MAX_ANSWER_BYTES))
    finally:
        connection.close()


def checked_address(host: str) -> str:
    """The first address of a name, once all of them are known to be public.

    Raises:
        AddressRefused
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(host, _PORT, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise AddressRefused(host=host)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is one of the open Internet: also not a private one in IPv6 clothes."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None, None))[1]
        if inner is not None:
            return is_public(str(inner))
        if parsed in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
    return parsed.is_global and not parsed.is_multicast


class _Connection(http.client.HTTPSConnection):
    """Connects to an address that was checked, and asks for the certificate of the name."""

    def __init__(self, host: str, address: str) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, _PORT, timeout=TIMEOUT_SECONDS, context=self._tls)
        self._address = address

    def connect(self) -> None:
        raw = socket.create_connection((self._address, _PORT), timeout=TIMEOUT_SECONDS)
        self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)
