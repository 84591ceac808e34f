"""Sealing primitives: keys derived from a root, and blind tokens made with them.

The root is one secret of the installation for now; the keyring will give each tenant a root of its
own, behind the same two functions.
"""

import hashlib
import hmac
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_TOKEN_BYTES = 8


def index_key(tenant_id: UUID) -> bytes:
    """The 32-byte key of a tenant's blind tokens (HKDF-SHA256, RFC 5869)."""
    root = settings.SOUVENIR_SEALING_KEY.encode()
    info = b"souvenir|v1|index|" + tenant_id.bytes
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(root)


def blind_token(term: str, *, key: bytes) -> int:
    """A term as a signed 64-bit number that says nothing without the key (HMAC-SHA256, cut)."""
    digest = hmac.digest(key, term.encode(), hashlib.sha256)
    return int.from_bytes(digest[:_TOKEN_BYTES], "big", signed=True)
