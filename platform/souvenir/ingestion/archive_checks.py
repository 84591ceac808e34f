"""Read every line of an archive before the first row is written: its hashes prove that nothing was
changed by accident, not that whoever made it meant well.

A line may refer to lines of the same archive and the same store, and to nothing else: so no archive
can hang anything on a row that is here already.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args
from uuid import UUID

from django.db.models import Model

from souvenir.ingestion import archive_rows as rows
from souvenir.ingestion.errors import ArchiveOfSeveral
from souvenir.ingestion.models import Asset, Import, RawObject
from souvenir.ingestion.services import ARCHIVE_LAYOUT
from souvenir.memories.metadata import is_metadata
from souvenir.memories.models import Conversation, Evidence, Memory, MemoryVersion, Message
from souvenir.memories.services import MAX_SUBJECTS, is_external_id
from souvenir.portability.documents import BlockType, Role
from souvenir.portability.errors import AlteredArchive
from souvenir.portability.souvenir_archive import ArchiveReader, Line, reading_archive
from souvenir.portability.stored_file import StoredFile
from tenants.ledger import Lease

_PROVIDER_LENGTH, _ACCOUNT_LENGTH = 63, 200  # the columns of a source
_KINDS: dict[str, type[Model]] = {
    rows.IMPORTS: Import,
    rows.CONVERSATIONS: Conversation,
    rows.MESSAGES: Message,
    rows.RAW: RawObject,
    rows.ASSETS: Asset,
    rows.MEMORIES: Memory,
}
# Column → the file that its id must stand in.
_REFERENCES = {
    rows.CONVERSATIONS: {"import_id": rows.IMPORTS, "current_leaf_id": rows.MESSAGES},
    rows.MESSAGES: {
        "conversation_id": rows.CONVERSATIONS,
        "parent_id": rows.MESSAGES,
        "import_id": rows.IMPORTS,
    },
    rows.RAW: {"batch_id": rows.IMPORTS, "conversation_id": rows.CONVERSATIONS},
    rows.ASSETS: {"batch_id": rows.IMPORTS},
}


def verify(lease: Lease, record: Import, upload: StoredFile, *, for_one_person: bool) -> None:
    """Verify an archive whole, and write down that it was, and how many lines it has.

    Raises:
        AlteredArchive, NewerArchive, ArchiveOfSeveral
        LeaseLost
    """
    lease.cannot_be_cut(because="an archive is verified whole before its first row is written")
    with reading_archive(upload) as archive:
        total = check_lines(archive, for_one_person=for_one_person)
    with lease.step(total=total):  # from here on it is known how far it is
        record.layout = ARCHIVE_LAYOUT
        record.save(update_fields=["layout"])


def check_lines(archive: ArchiveReader, *, for_one_person: bool) -> int:
    """Refuse an archive of which any line is not one that Souvenir writes. Gives how many there
    are, but for the names.

    Raises:
        AlteredArchive: names the file.
        ArchiveOfSeveral: brought for one person, it holds more than that person's own store.
    """
    known = _Known(archive)
    if for_one_person and (len(known.people) != 1 or set(known.stores.values()) != known.people):
        raise ArchiveOfSeveral(count=len(known.people))
    count = 0
    for path, model in _KINDS.items():
        with _blaming(path):
            for line in archive.lines(path):
                count += 1
                rows.values_of(model, line)
                known.check(path, line)
                if path in {rows.RAW, rows.ASSETS}:
                    folder = path.removesuffix(".jsonl")
                    _require(archive.digests[f"{folder}/{line['sha256']}"] == line["sha256"])
    return count


class _Known:
    """What an archive itself defines: names, and ids by file and store."""

    def __init__(self, archive: ArchiveReader) -> None:
        with _blaming(rows.PEOPLE):
            people = list(archive.lines(rows.PEOPLE))
            self.people: set[str | None] = {_dated(line)["external_id"] for line in people}
            told = [text for p in people for text in (p["display_name"], p.get("time_zone", ""))]
            _require(all(isinstance(text, str) for text in told))
        with _blaming(rows.STORES):
            stores = list(archive.lines(rows.STORES))
            self.stores: dict[str, str | None] = {
                _dated(line)["slug"]: line["person"] for line in stores
            }
            _require(set(self.stores.values()) - {None} <= self.people)
        with _blaming(rows.SOURCES):
            self._sources = {_source(_dated(line)) for line in archive.lines(rows.SOURCES)}
            _require(all(map(_is_short, self._sources)))
            _require({store for store, _, _ in self._sources} <= set(self.stores))
        self._conversation = ""  # the one whose messages are being read …
        self._before: set[str] = set()  # … and those of them that were
        self._ids: defaultdict[tuple[str, str], set[UUID]] = defaultdict(set)
        for path in _KINDS:
            with _blaming(path):
                for line in archive.lines(path):
                    self._ids[path, line["store"]].add(UUID(line["id"]))

    def check(self, path: str, line: Line) -> None:
        """One line against the rest. Raises ValueError or KeyError."""
        _require(line["store"] in self.stores)
        if path in {rows.IMPORTS, rows.CONVERSATIONS}:
            _require(_source(line) in self._sources)
        if path == rows.MESSAGES:
            _check_message(line)
            self._check_parent(line)
        if path == rows.MEMORIES:
            self._check_versions(line)
        for column, target in _REFERENCES.get(path, {}).items():
            if line[column] is not None:
                _require(UUID(line[column]) in self._ids[target, line["store"]])

    def _check_parent(self, line: Line) -> None:
        """Conversation by conversation, each parent before its children: so no circle can be."""
        if line["conversation_id"] != self._conversation:
            self._conversation = line["conversation_id"]
            self._before.clear()
        _require(line["parent_id"] is None or line["parent_id"] in self._before)
        self._before.add(line["id"])

    def _check_versions(self, line: Line) -> None:
        about = line["about"]
        _require(isinstance(about, list) and len(about) <= MAX_SUBJECTS)
        _require(all(isinstance(name, str) and is_external_id(name) for name in about))
        _require(about == sorted(set(about)))
        numbers = [version["number"] for version in line["versions"]]
        _require(line["version"] in numbers and len(set(numbers)) == len(numbers))
        for version in line["versions"]:
            _require(is_metadata(rows.values_of(MemoryVersion, version)["metadata"]))
            for evidence in version["evidence"]:
                message_id = rows.values_of(Evidence, evidence)["message_id"]
                _require(message_id in self._ids[rows.MESSAGES, line["store"]])


@contextmanager
def _blaming(path: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise AlteredArchive(path=path) from error


def _require(holds: object) -> None:
    """Refuse the line unless this holds."""
    if not holds:
        raise ValueError


def _dated(line: Line) -> Line:
    rows.instant(line["recorded_at"])
    return line


def _source(line: Line) -> tuple[str, str, str]:
    return (line["store"], line["provider"], line["account"])


def _is_short(source: tuple[str, str, str]) -> bool:
    _, provider, account = source
    lengths = ((provider, _PROVIDER_LENGTH), (account, _ACCOUNT_LENGTH))
    return all(len(text) <= longest and "\x00" not in text for text, longest in lengths)


def _check_message(line: Line) -> None:
    _require(line["role"] in get_args(Role))
    for block in line["blocks"]:
        _require(block["type"] in get_args(BlockType) and isinstance(block["text"], str))
