"""The one way out. Every call that leaves the cell goes through here: webhooks, and a
reranker where there is one.

A call is made only where the policy allows the place it goes to, for a flow that was declared. The
name is resolved once, every address it has is checked, and the connection goes to a checked
address: a name that changes its mind in between changes nothing. No redirect, no proxy.

An operator may name hosts inside the cell (`SOUVENIR_EGRESS_INSIDE`), whose addresses are private.
"""

import contextlib
import http.client
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone

from souvenir.core.metrics import egress_calls, outcomes
from tenants import placements
from tenants.errors import AddressRefused, FlowRefused
from tenants.isolation.scope import current_tenant
from tenants.residency import Flow, Placement, decide

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
HTTPS = 443
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
    port: int = HTTPS
    most_answer_bytes: int = MAX_ANSWER_BYTES  # the rest is not read
    deadline_seconds: float = 60.0  # for all of it, however slowly the other side speaks


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer, as much of it as was wanted. Names of headers in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


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
        return _sent(call, checked_address(call.host, call.port))


def _sent(call: Call, address: str) -> Reply:
    connection = _Connection(call, address)
    watch = threading.Timer(call.deadline_seconds, connection.cut)
    watch.start()
    try:
        connection.request("POST", call.path, body=call.body, headers=dict(call.headers))
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, answer.read(call.most_answer_bytes), headers)
    except http.client.HTTPException as error:
        raise ConnectionError from error
    finally:
        watch.cancel()
        connection.close()


def checked_address(host: str, port: int = HTTPS) -> str:
    """The first address of a name, once all of them are known to be such as may be called.

    Raises:
        AddressRefused: one of them is private, local or reserved, or the port is not 443; unless
            the operator has named this host and port.
        OSError: the name is not known.
    """
    is_inside = f"{host}:{port}" in settings.SOUVENIR_EGRESS_INSIDE
    if port != HTTPS and not is_inside:
        raise AddressRefused(host=host)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (is_inside or all(is_public(address) for address in addresses)):
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

    def __init__(self, call: Call, address: str) -> None:
        self._tls = ssl.create_default_context()
        if settings.SOUVENIR_EGRESS_CA_FILE is not None:
            self._tls.load_verify_locations(settings.SOUVENIR_EGRESS_CA_FILE)
        # Until it is connected there is nothing to cut.
        timeout = min(TIMEOUT_SECONDS, call.deadline_seconds)
        super().__init__(call.host, call.port, timeout=timeout, context=self._tls)
        self._address = address
        self._raw: socket.socket | None = None

    def connect(self) -> None:
        self._raw = socket.create_connection((self._address, self.port), timeout=self.timeout)
        self.sock = self._tls.wrap_socket(
            self._raw, server_hostname=self.host, do_handshake_on_connect=False
        )
        self._raw = self.sock
        self.sock.do_handshake()

    def cut(self) -> None:
        """End it from another thread: whoever waits for the other side waits no more."""
        if self._raw is not None:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                socket.socket.shutdown(self._raw, socket.SHUT_RDWR)
