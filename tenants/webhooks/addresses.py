"""Addresses of webhooks, as people give them."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenants.egress import HTTPS, is_public
from tenants.webhooks.errors import EndpointAddressInvalid

LONGEST = 2000  # characters


@dataclass(frozen=True, slots=True)
class Address:
    """Where a webhook is, taken apart."""

    host: str  # in ASCII, lower case
    port: int
    path: str  # with its query


def address_of(url: str) -> Address:
    """Take an address apart. Says nothing of where its host leads: that is asked at each call.

    Raises:
        EndpointAddressInvalid
    """
    if len(url) > LONGEST or not url.isprintable() or not url.isascii() or " " in url:
        raise EndpointAddressInvalid
    try:
        parts = urlsplit(url)
        port = HTTPS if parts.port is None else parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # UnicodeError is one too
        raise EndpointAddressInvalid from error
    if parts.scheme != "https" or not host or "@" in parts.netloc or parts.fragment:
        raise EndpointAddressInvalid
    if _is_private_number(host):
        raise EndpointAddressInvalid
    path = parts.path or "/"
    return Address(host, port, f"{path}?{parts.query}" if parts.query else path)


def _is_private_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False  # a name
    return not is_public(host)
