"""Bring a Souvenir archive back: every row under its own id, with its own dates, in small steps.

The archive is verified whole before the first row is written; once, for it stands sealed. Its rows
are then written in turns. A turn goes through the lines that are done again, to know what is here
under another id: so it is at least four times as long as that took. Safe to run again from any
point: what is here already is left alone.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Max, Model

from souvenir.ingestion import archive_rows as rows
from souvenir.ingestion.archive_checks import verify
from souvenir.ingestion.archive_identities import Identities
from souvenir.ingestion.archive_merging import enrich_message, refresh_from
from souvenir.ingestion.looking import TurnClock
from souvenir.ingestion.models import Asset, Import, RawObject
from souvenir.ingestion.passages import index_messages, index_versions
from souvenir.ingestion.services import ARCHIVE_LAYOUT, ASSETS, ask_for_vectors
from souvenir.memories.metadata_tokens import write_metadata_tokens
from souvenir.memories.models import (
    Conversation,
    Evidence,
    Memory,
    MemoryVersion,
    Message,
    Person,
    Store,
)
from souvenir.memories.services import add_subjects
from souvenir.portability.souvenir_archive import ArchiveReader, Line, reopened_archive
from souvenir.portability.stored_file import StoredFile
from tenants import objects
from tenants.ledger import Lease, job_items
from tenants.ledger.items import add_to_items
from tenants.models import Job

_STEP_ROWS = 200
_CHUNK_BYTES = 1024 * 1024
_HELD = (  # kinds of rows whose ids may already be another store's
    (rows.IMPORTS, Import),
    (rows.CONVERSATIONS, Conversation),
    (rows.MESSAGES, Message),
    (rows.MEMORIES, Memory),
    (rows.RAW, RawObject),
    (rows.ASSETS, Asset),
)
RowT = TypeVar("RowT", bound=Model)


class _TurnOver(Exception):
    """Others have the worker now; the rest is for the next turn."""


def restore_archive(
    lease: Lease, record: Import, upload: StoredFile, person: Person | None
) -> bool:
    """Bring back an archive, for a turn or to its end; with `person`, an archive of one person, as
    that person's. False: the turn was given back.

    Raises:
        AlteredArchive, NewerArchive, ArchiveOfSeveral: nothing was written.
        LeaseLost
    """
    if record.layout != ARCHIVE_LAYOUT:
        verify(lease, record, upload, for_one_person=person is not None)
    with lease.step():
        was = Job.objects.values_list("done", flat=True).get(id=lease.job_id)
    with reopened_archive(upload) as archive:
        restoring = _Restoring(lease, archive, person, was=was)
        try:
            restoring.all()
        except _TurnOver:
            with lease.step():
                lease.give_turn_back()
            return False
    with lease.step():
        record.report = restoring.report(_added(lease))
        record.save(update_fields=["report"])
        for store in restoring.stores:
            ask_for_vectors(store_id=store.id, person_id=store.person_id)
        lease.finish()
    return True


def _added(lease: Lease) -> dict[str, int]:
    """What all turns have added, by kind: an item of the job for each."""
    found = job_items(job_id=lease.job_id).order_by("name")
    return dict(found.values_list("name", "size"))


class _Restoring:
    """One restore: what was read and added so far, and whose ids stand for which."""

    def __init__(
        self, lease: Lease, archive: ArchiveReader, person: Person | None, *, was: int
    ) -> None:
        self._clock = TurnClock(lease)
        self._was = was  # how many lines earlier turns have done
        self._lease = lease
        self._archive = archive
        self._done = 0
        self._read: Counter[str] = Counter()
        self._added: Counter[str] = Counter()  # in this step
        self._who = Identities(person)
        self._merged: set[UUID] = set()  # conversations that were here under another id …
        self._last: dict[UUID, int] = {}  # … and the ordinal of their last message

    def all(self) -> None:
        """Every line, in an order in which it can be kept.

        Raises:
            _TurnOver
        """
        self.names()
        self.imports()
        self.conversations()
        self.messages()
        self.branches()
        self.raw_objects()
        self.assets()
        self.memories()

    @property
    def stores(self) -> list[Store]:
        """All that the archive has something of."""
        return list(self._who.stores.values())

    def report(self, added: dict[str, int]) -> Line:
        """The same shape as a fidelity report, as far as it goes."""
        return {
            "provider": "souvenir",
            "layout": ARCHIVE_LAYOUT,
            "complete": True,
            "read": dict(sorted(self._read.items())),
            "added": added,
            "notices": {},
        }

    def names(self) -> None:
        """People, stores and sources: the earlier date of the two wins."""
        with self._lease.step():
            self._who.learn(self._archive)
        for path, model in _HELD:
            for batch in _batches(self._archive.lines(path)):
                with self._lease.step():
                    self._who.find_strangers(model, batch)

    def imports(self) -> None:
        for batch in self._steps(rows.IMPORTS):
            for line in self._fresh(Import, batch):
                store = self._who.stores[line["store"]]
                self._create(
                    Import,
                    line,
                    store_id=store.id,
                    person_id=store.person_id,
                    source_id=self._who.source(line).id,
                )

    def conversations(self) -> None:
        for batch in self._steps(rows.CONVERSATIONS):
            for line in self._fresh(Conversation, batch):
                source = self._who.source(line)
                here = Conversation.objects.filter(
                    source_id=source.id, provider_id=line["provider_id"]
                ).first()
                if here is not None:
                    self._who.is_here(line, here.id)
                    self._merged.add(here.id)
                    continue
                store = self._who.stores[line["store"]]
                self._create(
                    Conversation,
                    line,
                    store_id=store.id,
                    person_id=store.person_id,
                    source_id=source.id,
                    provider=line["provider"],
                )

    def messages(self) -> None:
        for batch in self._steps(rows.MESSAGES):
            fresh = self._fresh(Message, batch)
            ids = {self._who.id_of(line, "conversation_id") for line in fresh}
            found = Message.objects.filter(conversation_id__in=ids)
            here = {
                (conversation_id, provider_id): id_
                for id_, conversation_id, provider_id in found.values_list(
                    "id", "conversation_id", "provider_id"
                )
            }
            added: dict[UUID, list[Message]] = {}
            for line in fresh:
                conversation_id = self._who.id_of(line, "conversation_id")
                known = here.get((conversation_id, line["provider_id"]))
                if known is not None:
                    self._who.is_here(line, known)
                    enrich_message(known, line)
                    continue
                if conversation_id in self._merged:
                    line["ordinal"] = self._next_ordinal(conversation_id)
                store = self._who.stores[line["store"]]
                message = self._made(Message, line, store_id=store.id)
                added.setdefault(conversation_id, []).append(message)
            self._save(Message, [message for group in added.values() for message in group])
            for conversation in Conversation.objects.filter(id__in=added):
                index_messages(conversation, added[conversation.id])

    def _next_ordinal(self, conversation_id: UUID) -> int:
        """After all that is here: the archive's numbers are those of another copy of the tree."""
        if conversation_id not in self._last:
            found = Message.objects.filter(conversation_id=conversation_id)
            self._last[conversation_id] = found.aggregate(last=Max("ordinal", default=-1))["last"]
        self._last[conversation_id] += 1
        return self._last[conversation_id]

    def branches(self) -> None:
        """A copy as late as what is here brings its title and its shown branch."""
        for batch in _batches(self._archive.lines(rows.CONVERSATIONS)):
            with self._lease.step():
                for line in batch:
                    here_id = self._who.id_of(line, "id")
                    if here_id in self._merged:
                        refresh_from(
                            here_id, line, leaf_id=self._who.id_of(line, "current_leaf_id")
                        )

    def raw_objects(self) -> None:
        for batch in self._steps(rows.RAW):
            made = []
            for line in self._new_here(RawObject, batch):
                with self._archive.open(f"raw/{line['sha256']}") as stream:
                    body = zlib.compress(stream.read())
                store = self._who.stores[line["store"]]
                made.append(self._made(RawObject, line, store_id=store.id, body=body))
            self._save(RawObject, made)

    def assets(self) -> None:
        for batch in self._steps(rows.ASSETS):
            for line in self._new_here(Asset, batch):
                asset = self._made(Asset, line, store_id=self._who.stores[line["store"]].id)
                with self._archive.open(f"assets/{line['sha256']}") as stream:
                    chunks = iter(partial(stream.read, _CHUNK_BYTES), b"")
                    objects.store(ASSETS, str(asset.id), chunks, sealed_for=asset.sealed_for())
                self._save(Asset, [asset])

    def memories(self) -> None:
        for batch in self._steps(rows.MEMORIES):
            for line in self._fresh(Memory, batch):
                store = self._who.stores[line["store"]]
                memory = self._create(Memory, line, store_id=store.id, person_id=store.person_id)
                add_subjects(memory, about=line["about"])
                versions = [
                    self._version(memory, {**version, "store": line["store"]})
                    for version in line["versions"]
                ]
                index_versions(memory, versions)

    def _version(self, memory: Memory, line: Line) -> MemoryVersion:
        version = self._create(MemoryVersion, line, memory_id=memory.id, store_id=memory.store_id)
        for evidence in line["evidence"]:
            self._create(Evidence, {**evidence, "store": line["store"]}, version_id=version.id)
        past = 0 if version.number == memory.version else version.number
        write_metadata_tokens(memory, version.metadata, past_version=past)
        return version

    def _create(self, model: type[RowT], line: Line, **references: Any) -> RowT:
        row = self._made(model, line, **references)
        self._save(model, [row])
        return row

    def _made(self, model: type[RowT], line: Line, **references: Any) -> RowT:
        """A row of a line, not yet saved."""
        values = rows.values_of(model, line)
        for name in values:
            if name in {"id", "current_leaf_id"} or name in _ID_COLUMNS:
                values[name] = self._who.id_of(line, name)
        return model(**values, **references)

    def _save(self, model: type[RowT], made: list[RowT]) -> None:
        if made:
            self._added[model.__name__.lower()] += len(made)
            model._default_manager.bulk_create(made)

    def _new_here(self, model: type[RawObject] | type[Asset], batch: list[Line]) -> list[Line]:
        """The lines of a group whose content their store does not have yet."""
        here = model.objects.filter(sha256__in=[line["sha256"] for line in batch])
        known = set(here.values_list("store_id", "sha256"))
        return [
            line
            for line in self._fresh(model, batch)
            if (self._who.stores[line["store"]].id, line["sha256"]) not in known
        ]

    def _steps(self, path: str) -> Iterator[list[Line]]:
        """The rows of a file in groups, each inside a step of its own."""
        for batch in _batches(self._archive.lines(path)):
            self._done += len(batch)
            self._read[path.removesuffix(".jsonl")] += len(batch)
            with self._lease.step(done=max(self._done, self._was)):
                yield batch
                add_to_items(self._lease, self._added)
            self._added.clear()
            if self._done > self._was and self._clock.is_over():
                raise _TurnOver

    def _fresh(self, model: type[Model], batch: list[Line]) -> list[Line]:
        """The rows of a group that are not here yet."""
        ids = {self._who.id_of(line, "id"): line for line in batch}
        here = set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
        return [line for id_, line in ids.items() if id_ not in here]


_ID_COLUMNS = {"conversation_id", "parent_id", "batch_id", "message_id", "import_id"}


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    source = iter(lines)
    while batch := list(islice(source, _STEP_ROWS)):
        yield batch
