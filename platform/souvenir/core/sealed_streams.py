"""Files too large for memory, sealed in chunks that can be read in any order.

A file is a sealed value's header and salt, then chunks of CHUNK_BYTES of plaintext, each under
AES-256-GCM with a nonce that holds its number and whether it is the last. So none can be left out,
moved, repeated or cut off unseen: the STREAM construction of Hoang, Reyhanitabar, Rogaway and
Vizár, CRYPTO 2015.
"""

import io
from collections.abc import Callable, Sequence
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from souvenir.core.sealing import (
    NONCE_BYTES,
    SALT_BYTES,
    TAG_BYTES,
    Place,
    SealBroken,
    SubjectSecret,
    associated_data,
    header,
    header_size,
    record_key,
)

CHUNK_BYTES = 64 * 1024
_STORED_BYTES = CHUNK_BYTES + TAG_BYTES
_COUNTER_BYTES = 4
_PREFIX_BYTES = NONCE_BYTES - _COUNTER_BYTES - 1
LONGEST_HEAD = 2 + 255 * 20 + SALT_BYTES


class _Chunks:
    """Seals and opens the chunks of one file."""

    def __init__(self, head: bytes, place: Place, secrets: Sequence[SubjectSecret]) -> None:
        self._bound = associated_data(head, place)
        key, nonce = record_key(head, bound=self._bound, secrets=secrets)
        self._cipher = AESGCM(key)
        self._prefix = nonce[:_PREFIX_BYTES]

    def seal(self, number: int, plain: bytes, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(number, is_last=is_last), plain, self._bound)

    def open(self, number: int, stored: bytes, *, is_last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(number, is_last=is_last), stored, self._bound)
        except InvalidTag as error:
            raise SealBroken from error

    def _nonce(self, number: int, *, is_last: bool) -> bytes:
        return self._prefix + number.to_bytes(_COUNTER_BYTES, "big") + bytes([is_last])


class SealingWriter(io.RawIOBase):
    """Seals what is written to it. Whole only once it was closed without an error."""

    def __init__(
        self, stream: BinaryIO, *, place: Place, secrets: Sequence[SubjectSecret], salt: bytes
    ) -> None:
        """`salt` is SALT_BYTES random bytes. `stream` stays open: it is the caller's."""
        super().__init__()
        head = header(secrets) + salt
        self._stream = stream
        self._chunks = _Chunks(head, place, secrets)
        self._buffer = bytearray()
        self._number = 0
        self._size = 0
        stream.write(head)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: object) -> int:
        view = memoryview(data).cast("B")  # type: ignore[arg-type]  # whatever has a buffer
        self._buffer += view
        self._size += len(view)
        while len(self._buffer) > CHUNK_BYTES:  # one is kept back: it may be the last
            self._put(bytes(self._buffer[:CHUNK_BYTES]), is_last=False)
            del self._buffer[:CHUNK_BYTES]
        return len(view)

    def finish(self) -> None:
        """Write the last chunk, which says that it is the last."""
        self._put(bytes(self._buffer), is_last=True)
        self._buffer.clear()

    def _put(self, plain: bytes, *, is_last: bool) -> None:
        self._stream.write(self._chunks.seal(self._number, plain, is_last=is_last))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Reads a sealed file from any place in it, one chunk in memory."""

    def __init__(
        self,
        stream: BinaryIO,
        *,
        place: Place,
        find_secrets: Callable[[bytes], Sequence[SubjectSecret]],
    ) -> None:
        """`find_secrets` gives the keys for a header. `stream` is closed with this.

        Raises:
            SealBroken: it is not a sealed file, or not all of it is here.
        """
        super().__init__()
        self._stream = stream
        beginning = stream.read(LONGEST_HEAD)
        self._start = header_size(beginning) + SALT_BYTES
        head = beginning[: self._start]
        self._chunks = _Chunks(head, place, find_secrets(head))
        stored = stream.seek(0, io.SEEK_END) - self._start
        self._count = -(-stored // _STORED_BYTES)
        self.size_bytes = stored - self._count * TAG_BYTES
        if stored < TAG_BYTES or stored - (self._count - 1) * _STORED_BYTES < TAG_BYTES:
            raise SealBroken
        self._at = 0
        self._held = (-1, b"")
        self._chunk(self._count - 1)  # a file that was cut off is refused before anything is read

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        if start + offset < 0:
            msg = "There is nothing before the beginning of a file."
            raise OSError(msg)
        self._at = start + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # whatever has a buffer
        if self._at >= self.size_bytes or not len(view):
            return 0
        number, offset = divmod(self._at, CHUNK_BYTES)
        piece = self._chunk(number)[offset : offset + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._stream.seek(self._start + number * _STORED_BYTES)
            stored = self._stream.read(_STORED_BYTES)
            is_last = number == self._count - 1
            self._held = (number, self._chunks.open(number, stored, is_last=is_last))
        return self._held[1]
