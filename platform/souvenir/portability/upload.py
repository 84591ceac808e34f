"""Opens what was uploaded, one bare file or a zip, zips within included, and gives its files."""

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import PurePosixPath
from typing import BinaryIO

from souvenir.core.scratch import Scratch
from souvenir.portability.archive import (
    DAMAGE,
    Meter,
    checked_files,
    open_file,
    opened_archive,
)
from souvenir.portability.detection import is_part_of_export, sniff
from souvenir.portability.errors import DamagedArchive, TooManyFiles
from souvenir.portability.limits import Limits
from souvenir.portability.stored_file import StoredFile

HEAD_BYTES = 64 * 1024  # what is looked at to tell what a file is
_PEEKED_FILES = 64  # how many files of an inner zip are looked at
_COPY_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an upload. May be opened until the next one is asked for."""

    path: str  # inside the upload; what is in an inner zip comes after "!"
    bytes_size: int  # as declared; true once the file was read to its end without an error
    open: Callable[[], BinaryIO]
    level: int  # how many zips are around it: 0 for a bare file

    @property
    def name(self) -> str:
        return PurePosixPath(self.path.rpartition("!")[2]).name

    def head(self) -> bytes:
        """Its first bytes, at most HEAD_BYTES."""
        with self.open() as stream:
            return stream.read(HEAD_BYTES)


def members(upload: StoredFile, limits: Limits, name: str = "") -> Iterator[Member]:
    """Every file of an upload, in its own order, the files of inner zips in place.

    An inner zip is opened if it holds a part of an export, or nothing but zips; any other (a
    document, somebody's project) is one file like the rest.

    Raises:
        Invalid: one of the `archive-…` errors, as soon as it shows.
    """
    size = upload.stat().st_size
    with upload.open("rb") as file:
        if sniff(file.read(HEAD_BYTES)) != "zip":
            yield Member(name or upload.name, size, lambda: upload.open("rb"), level=0)
            return
        opener = _Opener(limits, Meter(limits, size))
        yield from opener.files(file, prefix="", level=1)


def members_at(upload: StoredFile, paths: Sequence[str], limits: Limits) -> Iterator[Member]:
    """The files at some paths of a zip, as `members` gave them and in that order; no other is read.

    Raises:
        Invalid: one of the `archive-…` errors; DamagedArchive if there is no such file.
    """
    with upload.open("rb") as file:
        opener = _Opener(limits, Meter(limits, upload.stat().st_size))
        yield from opener.at(file, paths, prefix="", level=1)


class _Opener:
    """One pass over one upload's zips."""

    def __init__(self, limits: Limits, meter: Meter) -> None:
        self._limits = limits
        self._meter = meter

    def files(self, file: BinaryIO, prefix: str, level: int) -> Iterator[Member]:
        with opened_archive(file, self._limits) as archive:
            self._meter.add_entries(len(archive.infolist()))
            for entry in checked_files(archive):
                yield from self._one(self._member(archive, entry, prefix, level))

    def at(self, file: BinaryIO, paths: Sequence[str], prefix: str, level: int) -> Iterator[Member]:
        """Files by their paths. An inner zip is unpacked once for those that follow one another."""
        with opened_archive(file, self._limits) as archive:
            self._meter.add_entries(len(archive.infolist()))
            entries = {entry.filename: entry for entry in checked_files(archive)}
            ways = [(_outermost(path[len(prefix) :], entries), path) for path in paths]
            for name, group in groupby(ways, itemgetter(0)):
                member = self._member(archive, entries[name], prefix, level)
                inside = [path for _, path in group if path != member.path]
                if not inside:
                    yield member
                    continue
                with _spooled(member) as inner:
                    yield from self.at(inner, inside, prefix=f"{member.path}!", level=level + 1)

    def _member(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, prefix: str, level: int
    ) -> Member:
        path = prefix + entry.filename
        return Member(
            path=path,
            bytes_size=entry.file_size,
            open=lambda: open_file(archive, entry, path, self._meter),
            level=level,
        )

    def _one(self, member: Member) -> Iterator[Member]:
        if member.level >= self._limits.nesting or sniff(member.head()) != "zip":
            yield member
            return
        with _spooled(member) as inner:
            if self._is_part(inner):
                yield from self.files(inner, prefix=f"{member.path}!", level=member.level + 1)
            else:
                yield member

    def _is_part(self, file: BinaryIO) -> bool:
        """Whether the zip in `file` is to be opened. One that cannot be looked into is not."""
        try:
            with opened_archive(file, self._limits) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
                # The files named .json first: only to find in few looks what is there to be found.
                entries.sort(key=lambda entry: not entry.filename.lower().endswith(".json"))
                return is_part_of_export(self._heads(archive, entries[:_PEEKED_FILES]))
        except (DamagedArchive, TooManyFiles):
            return False

    def _heads(self, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[bytes]:
        for entry in entries:
            try:
                with archive.open(entry) as stream:
                    yield stream.read(HEAD_BYTES)
            except DAMAGE as error:
                raise DamagedArchive from error


def _outermost(path: str, entries: Mapping[str, object]) -> str:
    """The entry that a path leads to, or through."""
    parts = path.split("!")
    for number in range(len(parts), 0, -1):
        if (name := "!".join(parts[:number])) in entries:
            return name
    raise DamagedArchive


@contextmanager
def _spooled(member: Member) -> Iterator[BinaryIO]:
    """A copy of `member` in which one can go back and forth; gone at the end, and never readable
    on the disk.
    """
    with closing(Scratch()) as copy:
        with member.open() as stream:
            while chunk := stream.read(_COPY_BYTES):
                copy.write(chunk)
        with copy.reader() as reader:
            yield reader
