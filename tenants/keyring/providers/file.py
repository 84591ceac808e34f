"""Keys of organizations in files of a folder, for one computer. Refused in production.

One file per organization: {"versions": {"1": base64}}, readable to the account that runs Souvenir.
An empty file is a key that was destroyed: it is never made again.
"""

import base64
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from souvenir.core.sealing import KEY_BYTES, NONCE_BYTES, SealBroken
from tenants.keyring.errors import KeyRefused, KeystoreUnavailable

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_VERSION_BYTES = 4
_LOCK = ".lock"


class FileKeys:
    """A `KeyProvider`. See the module."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first key."""
        self._folder = folder

    def create(self, name: str) -> None:
        with self._alone():
            if not self._path(name).exists():
                self._write(name, {1: secrets.token_bytes(KEY_BYTES)})

    def wrap(self, name: str, secret: bytes, *, context: bytes) -> bytes:
        versions = self._read(name)
        version = max(versions)
        nonce = secrets.token_bytes(NONCE_BYTES)
        head = version.to_bytes(_VERSION_BYTES, "big") + nonce
        return head + AESGCM(versions[version]).encrypt(nonce, secret, context)

    def unwrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        versions = self._read(name)
        version = int.from_bytes(wrapped[:_VERSION_BYTES], "big")
        if version not in versions:
            raise KeyRefused
        end = _VERSION_BYTES + NONCE_BYTES
        try:
            return AESGCM(versions[version]).decrypt(
                wrapped[_VERSION_BYTES:end], wrapped[end:], context
            )
        except (InvalidTag, ValueError) as error:  # altered, or cut short
            raise SealBroken from error

    def unwrap_many(self, name: str, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        return [self.unwrap(name, wrapped, context=context) for wrapped, context in items]

    def rotate(self, name: str) -> int:
        with self._alone():
            versions = self._read(name)
            newest = max(versions) + 1
            self._write(name, versions | {newest: secrets.token_bytes(KEY_BYTES)})
            return newest

    def rewrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        return self.wrap(name, self.unwrap(name, wrapped, context=context), context=context)

    def retire(self, name: str, *, below: int) -> None:
        with self._alone():
            versions = self._read(name)
            self._write(name, {n: key for n, key in versions.items() if n >= below})

    def destroy(self, name: str) -> None:
        with self._alone():
            self._write(name, {})

    def check(self) -> None:
        if self._folder.exists() and not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise KeystoreUnavailable

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            msg = "A key's name is small letters, digits and dashes."
            raise ValueError(msg)
        return self._folder / name

    def _read(self, name: str) -> dict[int, bytes]:
        try:
            text = self._path(name).read_text(encoding="ascii")
        except FileNotFoundError as error:
            raise KeyRefused from error
        except OSError as error:
            raise KeystoreUnavailable from error
        if not text:
            raise KeyRefused
        versions = json.loads(text)["versions"]
        return {int(version): base64.b64decode(key) for version, key in versions.items()}

    def _write(self, name: str, versions: dict[int, bytes]) -> None:
        """All of it or nothing, for the owner's eyes only. Nothing at all: destroyed."""
        kept = {str(number): base64.b64encode(key).decode() for number, key in versions.items()}
        path = self._path(name)
        if not versions and path.exists():
            self._overwrite(path)
        draft = path.with_name(f"{name}.draft")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps({"versions": kept}) if kept else "")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def _overwrite(self, path: Path) -> None:
        """Best effort: what a disk keeps of a file's old blocks is the disk's own business."""
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time, across processes."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (self._folder / _LOCK).open("w", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise KeystoreUnavailable from error
