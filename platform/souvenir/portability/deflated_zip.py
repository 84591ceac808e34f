"""Writes a zip whose files are deflated already, in one pass, in constant memory but for the names.

What is packed beforehand, in pieces and by whoever, need not be packed again. The bytes are those
that Python's `zipfile` writes to a stream in which it cannot go back.

Source:
    PKWARE, APPNOTE.TXT 6.3.10: 4.3.7 local header, 4.3.9 data descriptor, 4.3.12 central
    directory, 4.3.14 to 4.3.16 its end, 4.5.3 sizes of 64 bits.
"""

import struct
from typing import BinaryIO

_VERSION = 45  # the first with sizes of 64 bits
_UNIX = 3
_SIZES_FOLLOW, _DEFLATED = 0x08, 8
_TIME, _DATE = 0, 33  # midnight, 1 January 1980: the earliest time that a zip can hold
_PLAIN_FILE = 0o644 << 16
_UNKNOWN = 0xFFFFFFFF  # stands where the 64 bits are told elsewhere
_LARGEST, _MOST = 0x7FFFFFFF, 0xFFFF


class DeflatedZip:
    """One zip: `begin` a file, `write` it deflated, `end` it; `close` after the last one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = 0
        self._path = b""
        self._begins = self._data = 0
        self._directory = bytearray()
        self._count = 0

    def begin(self, path: str) -> None:
        """What is written next is the file at `path`, in ASCII."""
        self._path, self._begins = path.encode("ascii"), self._at
        sizes = struct.pack("<HHQQ", 1, 16, 0, 0)
        self.write(
            struct.pack(
                "<4sHHHHHLLLHH",
                b"PK\x03\x04", _VERSION, _SIZES_FOLLOW, _DEFLATED, _TIME, _DATE,
                0, _UNKNOWN, _UNKNOWN, len(self._path), len(sizes),
            )
            + self._path
            + sizes
        )  # fmt: skip
        self._data = self._at

    def write(self, packed: bytes) -> None:
        """Bytes of the file, as raw deflate has them."""
        self._stream.write(packed)
        self._at += len(packed)

    def end(self, *, crc: int, size_bytes: int) -> None:
        """The file was this, before it was deflated."""
        packed_bytes = self._at - self._data
        self.write(struct.pack("<4sLQQ", b"PK\x07\x08", crc, packed_bytes, size_bytes))
        self._list(crc, packed_bytes, size_bytes)

    def close(self) -> None:
        """Write the directory, and its end."""
        begins, size = self._at, len(self._directory)
        self.write(bytes(self._directory))
        if self._count > _MOST or begins > _LARGEST or size > _LARGEST:
            at = self._at
            self.write(
                struct.pack(
                    "<4sQHHLLQQQQ",
                    b"PK\x06\x06", 44, _VERSION, _VERSION, 0, 0,
                    self._count, self._count, size, begins,
                )
                + struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
            )  # fmt: skip
        count = min(self._count, _MOST)
        tail = (min(size, _UNKNOWN), min(begins, _UNKNOWN))
        self.write(struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, count, count, *tail, 0))

    def _list(self, crc: int, packed_bytes: int, size_bytes: int) -> None:
        large: list[int] = []
        sizes, begins = (packed_bytes, size_bytes), self._begins
        if max(sizes) > _LARGEST:
            large += [size_bytes, packed_bytes]
            sizes = (_UNKNOWN, _UNKNOWN)
        if begins > _LARGEST:
            large.append(begins)
            begins = _UNKNOWN
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        self._directory += struct.pack(
            "<4sBBHHHHHLLLHHHHHLL",
            b"PK\x01\x02", _VERSION, _UNIX, _VERSION, _SIZES_FOLLOW, _DEFLATED, _TIME, _DATE,
            crc, *sizes, len(self._path), len(extra), 0, 0, 0, _PLAIN_FILE, begins,
        )  # fmt: skip
        self._directory += self._path + extra
        self._count += 1
