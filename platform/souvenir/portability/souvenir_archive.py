"""The Souvenir archive: a zip of JSON Lines, raw objects and assets, with the SHA-256 of each file.

Reads one; `archive_parts` writes one. Pure: it knows files and lines, not what stands in them
(docs/archive-format.md does). The same content gives the same bytes: fixed times, fixed order,
canonical JSON.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeAlias

from souvenir.portability.archive import Meter, checked_files, open_file, opened_archive
from souvenir.portability.errors import (
    AlteredArchive,
    DamagedArchive,
    NewerArchive,
    ObjectTooLarge,
    TooManyFiles,
)
from souvenir.portability.limits import MIB, Limits
from souvenir.portability.stored_file import StoredFile

# A row of an archive. Its values are what docs/archive-format.md says; a reader checks them.
Line: TypeAlias = dict[str, Any]

FORMAT, VERSION = "souvenir-archive", 2
MANIFEST = "manifest.json"
_CHUNK_BYTES = 1024 * 1024
_LONGEST_MANIFEST = 512 * 1024 * 1024  # bytes; 2 million files
_LIMITS = Limits(entries=2_000_000)


class ArchiveReader:
    """Reads an archive whose every byte was checked against its manifest. Use `reading_archive`."""

    def __init__(self, archive: zipfile.ZipFile, meter: Meter) -> None:
        self._archive = archive
        self._meter = meter
        self._entries = {entry.filename: entry for entry in checked_files(archive)}
        self.digests = _digests(self._read(MANIFEST))  # SHA-256, hex, by path

    def lines(self, path: str) -> Iterator[Line]:
        """The rows of a JSON Lines file, in its order.

        Raises:
            AlteredArchive: a line is not a JSON object.
            ObjectTooLarge: a line exceeds `Limits.object_bytes`.
        """
        with self.open(path) as stream:
            while line := stream.readline(_LIMITS.object_bytes + 1):
                _check_size(path, line, _LIMITS.object_bytes)
                yield _parsed(path, line)

    def open(self, path: str) -> BinaryIO:
        """The bytes of one file.

        Raises:
            AlteredArchive: there is no such file.
        """
        entry = self._entries.get(path)
        if entry is None:
            raise AlteredArchive(path=path)
        return open_file(self._archive, entry, path, self._meter)

    def verify(self) -> None:
        """Hold every file against the manifest, before anything is taken from it.

        Raises:
            AlteredArchive: a file is missing, was changed, or is not in the manifest.
        """
        for path in sorted(set(self._entries) ^ (set(self.digests) | {MANIFEST})):
            raise AlteredArchive(path=path)
        for path, expected in self.digests.items():
            digest = hashlib.sha256()
            with self.open(path) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    digest.update(chunk)
            if digest.hexdigest() != expected:
                raise AlteredArchive(path=path)

    def _read(self, path: str) -> bytes:
        with self.open(path) as stream:
            body = stream.read(_LONGEST_MANIFEST + 1)
        _check_size(path, body, _LONGEST_MANIFEST)
        return body


@contextmanager
def reading_archive(upload: StoredFile) -> Iterator[ArchiveReader]:
    """Open an archive and verify all of it.

    Raises:
        AlteredArchive, NewerArchive, and the errors of any zip (`archive-…`).
    """
    with reopened_archive(upload) as reader:
        reader.verify()
        yield reader


@contextmanager
def reopened_archive(upload: StoredFile) -> Iterator[ArchiveReader]:
    """Open an archive that was verified, and stands where it cannot have changed since.

    Raises:
        As `reading_archive`, where it shows.
    """
    with upload.open("rb") as file, opened_archive(file, _LIMITS) as archive:
        yield ArchiveReader(archive, Meter(_LIMITS, upload.stat().st_size))


def is_souvenir_archive(upload: StoredFile) -> bool:
    """Whether an upload is an archive of ours: told by its manifest, never by its name.

    Raises:
        Invalid: one of the `archive-…` errors, if what tells it exceeds what may be unpacked.
    """
    try:
        with upload.open("rb") as file, opened_archive(file, _LIMITS) as archive:
            entry = archive.NameToInfo.get(MANIFEST)
            if entry is None:
                return False
            meter = Meter(_LIMITS, upload.stat().st_size)
            with open_file(archive, entry, MANIFEST, meter) as stream:
                return _says_so(stream)
    except (DamagedArchive, TooManyFiles):
        return False  # whoever reads it as something else says what is wrong with it


def _says_so(manifest: BinaryIO) -> bool:
    """Whether a manifest names our format, wherever in it: its list of files is long."""
    mark = f'"format":"{FORMAT}"'.encode()
    before = b""
    for _ in range(_LONGEST_MANIFEST // _CHUNK_BYTES):
        chunk = manifest.read(_CHUNK_BYTES)
        if mark in before + chunk:
            return True
        if not chunk:
            break
        before = chunk[-len(mark) :]
    return False


def _check_size(path: str, body: bytes, limit_bytes: int) -> None:
    if len(body) > limit_bytes:
        raise ObjectTooLarge(path=path, limit_mib=limit_bytes // MIB)


def _parsed(path: str, body: bytes) -> Line:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AlteredArchive(path=path) from error
    if not isinstance(value, dict):
        raise AlteredArchive(path=path)
    return value


def _digests(manifest: bytes) -> dict[str, str]:
    """What a manifest says of each file.

    Raises:
        AlteredArchive, NewerArchive
    """
    document = _parsed(MANIFEST, manifest)
    version = document.get("version")
    if document.get("format") != FORMAT or type(version) is not int or version < 1:
        raise AlteredArchive(path=MANIFEST)
    if version > VERSION:
        raise NewerArchive(version=version, known=VERSION)
    try:
        return {str(file["path"]): str(file["sha256"]) for file in document["files"]}
    except (KeyError, TypeError) as error:
        raise AlteredArchive(path=MANIFEST) from error
