"""What is kept of a request, keyed with the secret of whoever sent it.

The database holds a digest of that secret only, so whoever has the database alone, or its backup,
can neither read an answer nor try out guesses of what was asked.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class CallerKeys:
    """Two keys derived from one caller's secret for one organization."""

    marking: bytes
    sealing: bytes

    def mark(self, *parts: bytes) -> bytes:
        """32 bytes that say nothing without the key (HMAC-SHA256 over the parts' lengths too)."""
        told = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self.marking, told, hashlib.sha256)

    def seal(self, plain: bytes, *, bound_to: bytes) -> bytes:
        """Nonce, then AES-256-GCM; opens only with the same `bound_to`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.sealing).encrypt(nonce, plain, bound_to)

    def open(self, sealed: bytes, *, bound_to: bytes) -> bytes:
        """What was sealed.

        Raises:
            cryptography.exceptions.InvalidTag: the row was changed, or moved.
        """
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(self.sealing).decrypt(nonce, rest, bound_to)


def caller_keys(secret: str, *, tenant_id: UUID) -> CallerKeys:
    """Derive a caller's keys (HKDF-SHA256, RFC 5869) from the text of its API key."""
    info = b"souvenir|v1|replay|" + tenant_id.bytes
    derived = HKDF(algorithm=hashes.SHA256(), length=2 * _KEY_BYTES, salt=None, info=info).derive(
        secret.encode()
    )
    return CallerKeys(marking=derived[:_KEY_BYTES], sealing=derived[_KEY_BYTES:])
