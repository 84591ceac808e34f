"""Opens a zip that a stranger made: nothing in its directory is believed before it is checked."""

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from souvenir.portability.errors import (
    DamagedArchive,
    DuplicateName,
    EncryptedArchive,
    SpecialFile,
    TooDense,
    TooLarge,
    TooManyFiles,
    UnsafePath,
)
from souvenir.portability.limits import GIB, Limits

# Everything that zipfile and its decompressors raise on bytes that are not as they should be.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # a compression that Python does not know
    RuntimeError,  # a password is needed
    ValueError,  # among others, a name that is not UTF-8
    OverflowError,
    OSError,  # bz2, and seeking before the beginning
)
_ENTRY_SIGNATURE = b"PK\x01\x02"  # begins each entry of the directory
_BYTES_OF_ENTRY = 512  # on average, generously: 46 and its name
_BYTES_OF_END = 128 * 1024  # what zipfile reads to find the directory's end, generously
_BUFFER_BYTES = 256 * 1024
_ENCRYPTED = 0x1
_LONGEST_NAME = 4096
_PLAIN_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)


class Meter:
    """Counts what an upload really unpacks to, in one pass, and stops it at the limits."""

    def __init__(self, limits: Limits, upload_bytes: int) -> None:
        self._limits = limits
        self._upload_bytes = upload_bytes
        self._entries = 0
        self._total_bytes = 0
        self._unpacked: dict[str, int] = {}  # by path: reading a file twice counts once

    def add_entries(self, count: int) -> None:
        self._entries += count
        if self._entries > self._limits.entries:
            raise TooManyFiles(limit=self._limits.entries)

    def reached(self, path: str, position: int, packed_bytes: int) -> None:
        """The file at `path`, of `packed_bytes`, was read up to `position`."""
        known = self._unpacked.get(path, 0)
        if position <= known:
            return
        self._unpacked[path] = position
        self._total_bytes += position - known
        if self._total_bytes > self._limits.total_bytes:
            raise TooLarge(limit_gib=self._limits.total_bytes / GIB)
        self._check_ratio(position, packed_bytes)
        self._check_ratio(self._total_bytes, self._upload_bytes)

    def _check_ratio(self, unpacked_bytes: int, packed_bytes: int) -> None:
        limits = self._limits
        if unpacked_bytes > max(limits.ratio_from_bytes, limits.ratio * packed_bytes):
            raise TooDense(limit=limits.ratio)


class _MeteredFile(io.RawIOBase):
    """A file of a zip, counted as it is read; its faults come out as errors of ours."""

    def __init__(self, source: BinaryIO, path: str, packed_bytes: int, meter: Meter) -> None:
        self._source = source
        self._path = path
        self._packed_bytes = packed_bytes
        self._meter = meter
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io's Buffer is 3.12's
        try:
            piece = self._source.read(len(buffer))
        except DAMAGE as error:
            raise DamagedArchive from error
        buffer[: len(piece)] = piece
        self._position += len(piece)
        self._meter.reached(self._path, self._position, self._packed_bytes)
        return len(piece)

    def close(self) -> None:
        self._source.close()
        super().close()


class _DirectoryGuard:
    """A zip's file, which refuses to hand over a directory of more entries than allowed.

    zipfile reads the directory in one go and makes an object of each entry, and the number of
    entries that a zip declares may lie: so they are counted in the bytes.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file = file
        self._entries = limits.entries
        self.guarding = True

    def read(self, size: int = -1, /) -> bytes:
        if not self.guarding:
            return self._file.read(size)
        if size > self._entries * _BYTES_OF_ENTRY + _BYTES_OF_END:
            raise TooManyFiles(limit=self._entries)
        data = self._file.read(size)
        if data.count(_ENTRY_SIGNATURE) > self._entries:
            raise TooManyFiles(limit=self._entries)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


@contextmanager
def opened_archive(file: BinaryIO, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """The zip in `file`, its directory read once it is known to be of a bearable size.

    Raises:
        DamagedArchive: it is no zip, or not a whole one.
        TooManyFiles: it names more than `limits.entries`.
    """
    guard = _DirectoryGuard(file, limits)
    try:
        archive = zipfile.ZipFile(guard)
    except DAMAGE as error:
        raise DamagedArchive from error
    guard.guarding = False
    with archive:
        yield archive


def checked_files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The plain files of `archive`, in its own order, without its folders.

    Raises:
        EncryptedArchive, UnsafePath, SpecialFile, DuplicateName: see there.
    """
    entries = archive.infolist()
    for entry in entries:
        _check_entry(entry)
    if len({entry.filename for entry in entries}) != len(entries):
        raise DuplicateName
    return [entry for entry in entries if not entry.is_dir()]


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise EncryptedArchive
    # zipfile cuts a name at a NUL: what it was before tells what was meant.
    if not is_safe_path(entry.orig_filename):
        raise UnsafePath
    # An entry made elsewhere than on Unix has no kind: 0.
    if stat.S_IFMT(entry.external_attr >> 16) not in _PLAIN_KINDS:
        raise SpecialFile


def is_safe_path(path: str) -> bool:
    """Whether `path` stays below the folder it would be unpacked in, on every system."""
    parts = path.split("/")
    return (
        0 < len(path) <= _LONGEST_NAME
        and not path.startswith("/")
        and ".." not in parts
        and "\\" not in path
        and ":" not in parts[0][:2]
        and "\x00" not in path
    )


def open_file(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str, meter: Meter
) -> BinaryIO:
    """The unpacked bytes of one file, counted by `meter` under `path` as they are read."""
    try:
        source = archive.open(entry)
    except DAMAGE as error:
        raise DamagedArchive from error
    raw = _MeteredFile(source, path, entry.compress_size, meter)  # type: ignore[arg-type]  # IO[bytes]
    return io.BufferedReader(raw, _BUFFER_BYTES)
