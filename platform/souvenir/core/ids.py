"""Ids: UUIDv7 (RFC 9562, §5.7), made by whoever creates the row, so that inserts stay in order."""

import secrets
import time
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random_a = secrets.randbits(12) << 64
    random_b = secrets.randbits(62)
    return UUID(int=milliseconds << 80 | _VERSION | random_a | _VARIANT | random_b)
