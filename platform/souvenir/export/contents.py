"""What goes into an archive, in which order. One consistent reading of the database."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Collate

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
from souvenir.portability.souvenir_archive import ArchiveWriter, Line
from tenants import objects

_ROWS = 200  # held in memory at once
_CHUNK_BYTES = 1024 * 1024
# Text in the order of its bytes: two databases may sort their languages differently.
_BY_STORE = Collate("store__slug", "C")


def begin_snapshot() -> None:
    """See one moment of the database until the scope ends. First thing in a tenant scope."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


class Contents:
    """Everything of one person, or of the organization, at one moment.

    Needs a tenant scope that began with `begin_snapshot`.
    """

    def __init__(self, person: Person | None) -> None:
        leaving = Person.State.LEAVING  # their keys may be gone already
        stores = Store.objects.select_related("person").exclude(person__state=leaving)
        stores = stores.order_by(Collate("slug", "C"))
        if person is not None:
            stores = stores.filter(person_id=person.id)
        self._stores = stores
        self._slugs = {store.id: store.slug for store in stores}
        self._here = Q(store_id__in=self._slugs)
        people = Person.objects.exclude(state=leaving).order_by(Collate("external_id", "C"))
        self._people = people if person is None else people.filter(id=person.id)

    def size(self) -> int:
        """How many objects `write` will tell of. A few counts."""
        memories = Memory.objects.filter(self._here, state=Memory.State.ACTIVE).count()
        counted = (Conversation, Message, RawObject, Asset)
        return memories + sum(
            model._default_manager.filter(self._here).count() for model in counted
        )

    def write(self, archive: ArchiveWriter, *, told: Callable[[int], None]) -> dict[str, int]:
        """Write all of it, and tell how many objects are written. Gives counts by kind."""
        slugs, here = self._slugs, self._here
        sources = {source.id: source for source in Source.objects.filter(store_id__in=slugs)}
        raws = RawObject.objects.filter(here).order_by(_BY_STORE, "id")
        assets = Asset.objects.filter(here).order_by(_BY_STORE, "id")
        number = count(1)

        def counted(lines: Iterable[Line]) -> Iterator[Line]:
            for line in lines:
                told(next(number))
                yield line

        counts = {
            "people": archive.lines(rows.PEOPLE, map(_person, self._people)),
            "stores": archive.lines(rows.STORES, map(_store, self._stores)),
            "sources": archive.lines(rows.SOURCES, _sources(list(sources.values()), slugs)),
            "imports": archive.lines(rows.IMPORTS, _imports(here, slugs, sources)),
            "conversations": archive.lines(
                rows.CONVERSATIONS, counted(_conversations(here, slugs, sources))
            ),
            "messages": archive.lines(rows.MESSAGES, counted(_messages(here, slugs))),
            "memories": archive.lines(rows.MEMORIES, counted(_memories(here, slugs))),
            "raw_objects": archive.lines(rows.RAW, counted(_plain(raws.defer("body"), slugs))),
            "assets": archive.lines(rows.ASSETS, counted(_plain(assets, slugs))),
        }
        _write_bodies(archive, here)
        return counts


def _person(person: Person) -> Line:
    return {
        "external_id": person.external_id,
        "display_name": person.display_name,
        "recorded_at": rows.text_of(person.recorded_at),
    }


def _store(store: Store) -> Line:
    return {
        "slug": store.slug,
        "person": store.person.external_id if store.person else None,
        "recorded_at": rows.text_of(store.recorded_at),
    }


def _sources(sources: list[Source], slugs: dict[Any, str]) -> Iterator[Line]:
    for source in sorted(sources, key=lambda s: (slugs[s.store_id], s.provider, s.account)):
        yield {
            "store": slugs[source.store_id],
            "provider": source.provider,
            "account": source.account,
            "recorded_at": rows.text_of(source.recorded_at),
        }


def _imports(here: Q, slugs: dict[Any, str], sources: dict[Any, Source]) -> Iterator[Line]:
    """Imports of exports. Restores are not content: they would make each copy differ."""
    found = Import.objects.filter(here, source__isnull=False).exclude(layout=ARCHIVE_LAYOUT)
    for record in found.order_by(_BY_STORE, "id").iterator(_ROWS):
        source = sources.get(record.source_id)
        yield rows.line_of(
            record,
            store=slugs[record.store_id],
            provider=source.provider if source else None,
            account=source.account if source else None,
        )


def _conversations(here: Q, slugs: dict[Any, str], sources: dict[Any, Source]) -> Iterator[Line]:
    found = Conversation.objects.filter(here).order_by(_BY_STORE, "id")
    for conversation in found.iterator(_ROWS):
        source = sources[conversation.source_id]
        yield rows.line_of(
            conversation,
            store=slugs[conversation.store_id],
            provider=source.provider,
            account=source.account,
        )


def _messages(here: Q, slugs: dict[Any, str]) -> Iterator[Line]:
    """Conversation by conversation, each parent before its children."""
    found = Message.objects.filter(here)
    ordered = found.order_by(_BY_STORE, "conversation_id", "ordinal", "id")
    for message in ordered.iterator(_ROWS):
        yield rows.line_of(message, store=slugs[message.store_id])


def _memories(here: Q, slugs: dict[Any, str]) -> Iterator[Line]:
    """Memories with all they ever said. What is being forgotten is not taken home."""
    found = Memory.objects.filter(here, state=Memory.State.ACTIVE).order_by(_BY_STORE, "id")
    for batch in _batches(found.iterator(_ROWS)):
        versions = _versions([memory.id for memory in batch])
        about = subjects_of_memories(batch)
        for memory in batch:
            yield rows.line_of(
                memory,
                store=slugs[memory.store_id],
                about=about[memory.id],
                versions=versions.get(memory.id, []),
            )


def _versions(memory_ids: list[Any]) -> dict[Any, list[Line]]:
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
        line = rows.line_of(version, evidence=evidence.get(version.id, []))
        found.setdefault(version.memory_id, []).append(line)
    return found


def _batches(memories: Iterable[Memory]) -> Iterator[list[Memory]]:
    source = iter(memories)
    while batch := list(islice(source, _ROWS)):
        yield batch


def _plain(found: QuerySet[Any], slugs: dict[Any, str]) -> Iterator[Line]:
    for row in found.iterator(_ROWS):
        yield rows.line_of(row, store=slugs[row.store_id])


def _write_bodies(archive: ArchiveWriter, here: Q) -> None:
    """Raw objects and assets under their own digests, each once."""
    written = set()
    for raw in RawObject.objects.filter(here).order_by("sha256", "id").iterator(20):
        if raw.sha256 not in written:
            written.add(raw.sha256)
            archive.file(f"raw/{raw.sha256}", [zlib.decompress(raw.body)])
    written.clear()
    for asset in Asset.objects.filter(here).order_by("sha256", "id").iterator(_ROWS):
        if asset.sha256 not in written:
            written.add(asset.sha256)
            archive.file(f"assets/{asset.sha256}", _chunks(asset))


def _chunks(asset: Asset) -> Iterator[bytes]:
    with objects.stored(ASSETS, str(asset.id)).open() as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
