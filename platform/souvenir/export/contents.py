"""What goes into a part of an archive: the rows that its list names, as they are now.

Each part is read in one transaction: a conversation is in it with all of its messages, a memory
with what it had said when the list was made.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Collate

from souvenir.export.listing import BODIES, BY_STORE, FILES, here_by_id, stores_of
from souvenir.ingestion import archive_rows as rows
from souvenir.ingestion.models import Asset, Import, RawObject
from souvenir.ingestion.services import ARCHIVE_LAYOUT, ASSETS
from souvenir.memories.models import (
    Conversation,
    Evidence,
    Memory,
    MemoryVersion,
    Message,
    Person,
    Source,
    Store,
)
from souvenir.memories.selectors import subjects_of_memories
from souvenir.portability.archive_parts import PartWriter
from souvenir.portability.souvenir_archive import Line
from tenants import objects

# The files of lines, in the archive's order, and the kind of part that writes each.
LINE_FILES = {
    rows.PEOPLE: rows.PEOPLE,
    rows.STORES: rows.STORES,
    rows.SOURCES: rows.SOURCES,
    rows.IMPORTS: rows.IMPORTS,
    rows.CONVERSATIONS: rows.CONVERSATIONS,
    rows.MESSAGES: rows.CONVERSATIONS,
    rows.MEMORIES: rows.MEMORIES,
    rows.RAW: rows.RAW,
    rows.ASSETS: rows.ASSETS,
}
_ROWS = 200  # held in memory at once
_CHUNK_BYTES = 1024 * 1024
Entries = list[list[Any]]  # what the list says of each object: its id first


def write_part(part: PartWriter, kind: str, entries: Entries, *, person: Person | None) -> None:
    """Write what a part of the list stands for. What has gone meanwhile is left out.

    Needs a tenant scope. `person`: whose copy it is; None: the organization's.
    """
    if kind == rows.IMPORTS:
        part.lines(rows.IMPORTS, _imports(person))
    elif kind == rows.CONVERSATIONS:
        ids = [entry[0] for entry in entries]
        part.lines(rows.CONVERSATIONS, _conversations(ids))
        part.lines(rows.MESSAGES, _messages(ids))  # looked for later: none is missed
    elif kind == BODIES:
        _write_bodies(part, entries)
    elif kind == FILES:
        _write_files(part, entries)
    else:
        part.lines(kind, _LINES[kind](entries))


def _people(entries: Entries) -> Iterator[Line]:
    found = here_by_id(Person, (entry[0] for entry in entries))
    for person in found.order_by(Collate("external_id", "C")):
        yield {
            "external_id": person.external_id,
            "display_name": person.display_name,
            "time_zone": person.time_zone,
            "recorded_at": rows.text_of(person.recorded_at),
        }


def _stores(entries: Entries) -> Iterator[Line]:
    found = here_by_id(Store, (entry[0] for entry in entries)).select_related("person")
    for store in found.order_by(Collate("slug", "C")):
        yield {
            "slug": store.slug,
            "person": store.person.external_id if store.person else None,
            "recorded_at": rows.text_of(store.recorded_at),
        }


def _sources(entries: Entries) -> Iterator[Line]:
    found = here_by_id(Source, (entry[0] for entry in entries)).select_related("store")
    for source in found.order_by(BY_STORE, Collate("provider", "C"), Collate("account", "C")):
        yield {
            **_where(source),
            "recorded_at": rows.text_of(source.recorded_at),
        }


def _where(source: Source) -> Line:
    return {
        "store": source.store.slug,
        "provider": source.provider,
        "account": source.account,
    }


def _imports(person: Person | None) -> Iterator[Line]:
    """Imports of exports. Restores are not content: they would make each copy differ."""
    found = Import.objects.filter(store_id__in=stores_of(person).values("id"))
    found = found.filter(source__isnull=False).exclude(layout=ARCHIVE_LAYOUT)
    ordered = found.select_related("source__store").order_by(BY_STORE, "id")
    for record in ordered.iterator(_ROWS):
        if record.source is not None:
            yield rows.line_of(record, **_where(record.source))


def _conversations(ids: list[str]) -> Iterator[Line]:
    found = here_by_id(Conversation, ids).select_related("source__store")
    for conversation in found.order_by(BY_STORE, "id").iterator(_ROWS):
        yield rows.line_of(conversation, **_where(conversation.source))


def _messages(conversation_ids: list[str]) -> Iterator[Line]:
    """Conversation by conversation, each parent before its children."""
    found = Message.objects.filter(conversation_id__in=conversation_ids).select_related("store")
    ordered = found.order_by(BY_STORE, "conversation_id", "ordinal", "id")
    for message in ordered.iterator(_ROWS):
        yield rows.line_of(message, store=message.store.slug)


def _memories(entries: Entries) -> Iterator[Line]:
    """Memories with all they had said until the list was made."""
    numbers = {UUID(id_): number for id_, number in entries}
    found = here_by_id(Memory, map(str, numbers)).filter(state=Memory.State.ACTIVE)
    ordered = found.select_related("store").order_by(BY_STORE, "id")
    for batch in _batches(ordered.iterator(_ROWS)):
        versions = _versions([memory.id for memory in batch], numbers)
        about = subjects_of_memories(batch)
        for memory in batch:
            memory.version = numbers[memory.id]
            yield rows.line_of(
                memory,
                store=memory.store.slug,
                about=about[memory.id],
                versions=versions.get(memory.id, []),
            )


def _versions(memory_ids: list[Any], numbers: dict[UUID, int]) -> dict[Any, list[Line]]:
    """The versions of some memories by the memory's id, oldest first. Two queries.

    Evidence in another store than the memory's is left out: a restore refuses such a line.
    """
    evidence: dict[Any, list[Line]] = {}
    here = Evidence.objects.filter(version__memory_id__in=memory_ids).filter(
        message__store_id=F("version__store_id")
    )
    for row in here.order_by("id"):
        evidence.setdefault(row.version_id, []).append(rows.line_of(row))
    found: dict[Any, list[Line]] = {}
    for version in MemoryVersion.objects.filter(memory_id__in=memory_ids).order_by("number"):
        if version.number <= numbers[version.memory_id]:
            line = rows.line_of(version, evidence=evidence.get(version.id, []))
            found.setdefault(version.memory_id, []).append(line)
    return found


def _batches(memories: Iterable[Memory]) -> Iterator[list[Memory]]:
    source = iter(memories)
    while batch := list(islice(source, _ROWS)):
        yield batch


def _raw_objects(entries: Entries) -> Iterator[Line]:
    """With the conversation that the list knew: another one may not be in the copy."""
    known = dict(entries)
    found = here_by_id(RawObject, known).defer("body").select_related("store")
    for raw in found.order_by(BY_STORE, "id").iterator(_ROWS):
        line = rows.line_of(raw, store=raw.store.slug)
        yield {**line, "conversation_id": known[str(raw.id)]}


def _assets(entries: Entries) -> Iterator[Line]:
    found = here_by_id(Asset, (entry[0] for entry in entries)).select_related("store")
    for asset in found.order_by(BY_STORE, "id").iterator(_ROWS):
        yield rows.line_of(asset, store=asset.store.slug)


def _write_bodies(part: PartWriter, entries: Entries) -> None:
    """Raw objects under their own digests."""
    found = here_by_id(RawObject, (entry[0] for entry in entries))
    for raw in found.order_by("sha256").iterator(20):
        part.file(f"raw/{raw.sha256}", [zlib.decompress(raw.body)])


def _write_files(part: PartWriter, entries: Entries) -> None:
    for asset in here_by_id(Asset, (entry[0] for entry in entries)).order_by("sha256"):
        part.file(f"assets/{asset.sha256}", _chunks(asset))


def _chunks(asset: Asset) -> Iterator[bytes]:
    with objects.stored(ASSETS, str(asset.id)).open() as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


_LINES: dict[str, Callable[[Entries], Iterator[Line]]] = {
    rows.PEOPLE: _people,
    rows.STORES: _stores,
    rows.SOURCES: _sources,
    rows.MEMORIES: _memories,
    rows.RAW: _raw_objects,
    rows.ASSETS: _assets,
}
