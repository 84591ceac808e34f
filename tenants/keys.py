"""Machine keys as text: how one is made, which organization it names, what it may do.

A key names its organization, so that row-level security is on before the key is looked up:
`souv_<organization, 26 letters>_<secret, 43 letters>`.
"""

import base64
import binascii
import hashlib
import secrets
from uuid import UUID

from tenants.errors import UnknownScope

SCOPES = (
    "memories:read",  # search, read, list
    "memories:write",  # add, correct, forget one memory
    "imports:write",
    "exports:write",
    "erasures:write",
    "organization:read",  # people, jobs, residency
    "organization:write",  # people, keys
)
_SECRET_BYTES = 32
_PLATFORM = "platform"


def new_key(organization_id: UUID) -> str:
    """A fresh key of one organization."""
    tenant = base64.b32encode(organization_id.bytes).decode().rstrip("=").lower()
    return f"souv_{tenant}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def new_platform_key() -> str:
    """A fresh key of the operator."""
    return f"souv_{_PLATFORM}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def named_organization(key: str) -> UUID | None:
    """The organization that a key claims to open; None if it claims none. Proves nothing yet."""
    prefix, _, rest = key.partition("_")
    tenant, separator, _ = rest.partition("_")
    if prefix != "souv" or not separator:
        return None
    try:
        return UUID(bytes=base64.b32decode(tenant.upper() + "======"))
    except (binascii.Error, ValueError):
        return None


def is_platform_key(key: str) -> bool:
    return key.startswith(f"souv_{_PLATFORM}_")


def key_digest(key: str) -> str:
    """SHA-256, hex. A plain hash is enough: the secret has 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def check_scopes(scopes: list[str]) -> str:
    """The scopes as they are stored: known, without repeats, in the order of SCOPES.

    Raises:
        UnknownScope: one of them is not a scope.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownScope(scope=scope, known=", ".join(SCOPES))
    return " ".join(scope for scope in SCOPES if scope in scopes)
