"""Temporary files that only this process can read: their key is never written anywhere."""

import io
import secrets
import tempfile
from typing import BinaryIO
from uuid import UUID

from souvenir.core.ids import new_id
from souvenir.core.sealed_streams import SealedReader, SealingWriter
from souvenir.core.sealing import KEY_BYTES, SALT_BYTES, Place, SubjectSecret

_NOBODY = UUID(int=0)


class Scratch:
    """Write it through once, then read it from any place. Gone when its reader is closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with its reader)
        self._secret = SubjectSecret(_NOBODY, 1, secrets.token_bytes(KEY_BYTES))
        self._place = Place(_NOBODY, "scratch", "", str(new_id()))
        self._writer = SealingWriter(
            self._file,
            place=self._place,
            secrets=[self._secret],
            salt=secrets.token_bytes(SALT_BYTES),
        )

    def write(self, data: bytes) -> int:
        return self._writer.write(data)

    def reader(self) -> BinaryIO:
        """What was written, from the beginning. Call once; nothing is written after that."""
        self._writer.finish()
        self._file.seek(0)
        sealed = SealedReader(self._file, place=self._place, find_secrets=lambda _: [self._secret])
        return io.BufferedReader(sealed)

    def close(self) -> None:
        """Give it up, read or not. Twice changes nothing."""
        self._file.close()
