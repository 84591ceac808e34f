"""The key that signs checkpoints: a file, readable to the account that runs Souvenir alone.

On one computer it is made when it is first needed. In production it is mounted, where the sweep
runs and nowhere else; nobody makes one there by accident, for a log with a new key is another log.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings

from souvenir.audit.errors import AuditKeyMissing


def origin() -> str:
    """What the log is called, everywhere: the address of Souvenir, and the cell."""
    address = urlsplit(settings.SOUVENIR_PUBLIC_URL)
    return f"{address.netloc}/audit/{settings.SOUVENIR_CELL}"


def signing_key() -> Ed25519PrivateKey:
    """The key, read anew: whoever changes the file changes the key.

    Raises:
        AuditKeyMissing
    """
    path: Path = settings.SOUVENIR_AUDIT_KEY_FILE
    try:
        if not path.exists() and settings.SOUVENIR_PROFILE != "production":
            _make(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise AuditKeyMissing from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditKeyMissing
    return key


def _make(path: Path) -> None:
    """All of it or nothing. Of two that make one at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(
                Ed25519PrivateKey.generate().private_bytes(
                    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
                )
            )
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
