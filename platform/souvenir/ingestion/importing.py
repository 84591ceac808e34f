"""Run an import: look at the upload, take it apart, keep it unit by unit, tell what became of it.

What is looked at is refused whole or taken whole. From then on each unit is an item of the job: it
is kept once, and what breaks us is set aside alone.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from souvenir.core.errors import Invalid
from souvenir.ingestion.errors import PersonNeeded, UploadGone
from souvenir.ingestion.merging import keep_conversation
from souvenir.ingestion.models import Asset, Import, Passage, RawObject
from souvenir.ingestion.passages import index_messages, remove_passages
from souvenir.ingestion.planning import read_on_and_plan
from souvenir.ingestion.restore import restore_archive
from souvenir.ingestion.services import (
    ASSETS,
    REPORTS,
    UNITS,
    UPLOADS,
    ask_for_vectors,
    remove_upload,
)
from souvenir.ingestion.units import ASSETS_OF, TakenApart, assets_of, objects_of, place_of
from souvenir.memories.models import Conversation, Message, Source
from souvenir.portability.documents import AssetRead
from souvenir.portability.reading import assets_at
from souvenir.portability.souvenir_archive import is_souvenir_archive
from souvenir.portability.stored_file import StoredFile
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Cost, Lease
from tenants.ledger.items import items_set_aside, work_items
from tenants.models import JobItem

_CHUNK_BYTES = 1024 * 1024
_LARGE_BYTES = 5 * 1024 * 1024
_PLACES = 5  # of what was set aside, in the report


def run_import(lease: Lease) -> None:
    """Bring an upload in, for a turn or to its end. Safe to run again from any point.

    Raises:
        Invalid: the upload cannot be used; nothing of it is stored, and it is not kept.
        LeaseLost
    """
    with lease.step():
        record = Import.objects.select_related("store", "person").get(id=lease.subject_id)
        upload = objects.stored(UPLOADS, str(record.id))
    if not upload.exists():
        raise UploadGone
    try:
        if is_souvenir_archive(upload):
            is_done = restore_archive(lease, record, upload, record.person)
        else:
            is_done = _import_export(lease, record, upload)
    except Invalid:
        _clean_up(lease, record)
        raise
    if is_done:
        _clean_up(lease, record)


def _import_export(lease: Lease, record: Import, upload: StoredFile) -> bool:
    """Bring a provider's export in. True: nothing of the upload is needed any more."""
    if record.store is None:
        raise PersonNeeded
    if record.source_id is None and not read_on_and_plan(lease, record, record.store, upload):
        return False
    with lease.step():
        of_this = Import.objects.filter(id=record.id).values("source_id")
        source = Source.objects.select_related("store").get(id__in=of_this)
    keeping = _Keeping(lease, record, source, upload)
    if not work_items(lease, keeping.keep, set_aside=keeping.keep_raw):
        return False
    with lease.step():
        left = items_set_aside(lease)
        record.report = _report(record, left, keeping.places_of(left[:_PLACES]))
        record.save(update_fields=["report"])
        ask_for_vectors(
            store_id=source.store_id, person_id=record.person_id, parent_id=lease.job_id
        )
        lease.finish()
    return not left


def _report(record: Import, left: list[JobItem], places: list[str]) -> dict[str, Any]:
    with objects.stored(REPORTS, str(record.id)).open() as stream:
        report: dict[str, Any] = json.load(stream)
    if left:
        report["complete"] = False
        count = sum(item.size for item in left)
        report["notices"]["set-aside"] = {"count": count, "where": places}
    return {**report, "added": _added(record)}


class _Keeping:
    """What an import keeps, one item of its job at a time."""

    def __init__(self, lease: Lease, record: Import, source: Source, upload: StoredFile) -> None:
        self._lease = lease
        self._record = record
        self._source = source
        self._upload = upload

    def keep(self, item: JobItem) -> Cost:
        """Keep what an item stands for; what is here already is left alone. Call in a step."""
        if _is_of_assets(item):
            return Cost(bytes=sum(map(self._keep_asset, self._assets_of(item))))
        return Cost(bytes=sum(map(self._keep_object, self._objects_of(item))))

    def keep_raw(self, item: JobItem) -> None:
        """Keep the bytes of an object that we cannot understand; it can be tried again."""
        if not _is_of_assets(item):
            for taken in self._objects_of(item):
                (self._here(taken) or self._new(taken)).save()

    def places_of(self, items: list[JobItem]) -> list[str]:
        """Where in the upload some items stand: paths and ordinals, no content."""
        places = []
        for item in items:
            if _is_of_assets(item):
                places += self._paths_of(item)
            else:
                taken = self._objects_of(item)
                places += [f"{one.raw.path}#{one.raw.ordinal}" for one in taken]
        return places

    def _objects_of(self, item: JobItem) -> Iterator[TakenApart]:
        stretch, begins = place_of(item.name)
        with objects.stored(UNITS, f"{self._record.id}-{stretch}").open() as stream:
            yield from objects_of(stream, begins=begins, first=item.first, size=item.size)

    def _paths_of(self, item: JobItem) -> list[str]:
        stretch, begins = place_of(item.name)
        with objects.stored(UNITS, f"{self._record.id}-{stretch}").open() as stream:
            return assets_of(stream, begins=begins, first=item.first, size=item.size)

    def _assets_of(self, item: JobItem) -> Iterator[AssetRead]:
        return assets_at(self._upload, self._paths_of(item))

    def _keep_object(self, taken: TakenApart) -> int:
        """Keep one raw object and the conversation it is understood as; nothing if both are here.

        Gives its size in bytes.
        """
        raw = self._here(taken)
        if raw is not None and (raw.conversation_id or not taken.codec):
            return raw.size_bytes
        raw = raw or self._new(taken)
        if len(taken.raw.body) > _LARGE_BYTES:
            self._lease.cannot_be_cut(because="a conversation is kept in one transaction")
        if (document := taken.conversation()) is not None:
            kept = keep_conversation(
                source=self._source, document=document, import_id=self._record.id
            )
            _index_again(kept.conversation, kept.enriched)
            index_messages(kept.conversation, kept.added)
            raw.conversation_id = kept.conversation.id
        raw.save()
        return raw.size_bytes

    def _here(self, taken: TakenApart) -> RawObject | None:
        sha256 = hashlib.sha256(taken.raw.body).hexdigest()
        return RawObject.objects.filter(store_id=self._source.store_id, sha256=sha256).first()

    def _new(self, taken: TakenApart) -> RawObject:
        return RawObject(
            batch_id=self._record.id,
            store_id=self._source.store_id,
            kind=taken.raw.kind,
            path=taken.raw.path,
            ordinal=taken.raw.ordinal,
            sha256=hashlib.sha256(taken.raw.body).hexdigest(),
            size_bytes=len(taken.raw.body),
            body=taken.packed,
        )

    def _keep_asset(self, item: AssetRead) -> int:
        """Keep a file that came along. Its bytes can be read only once; the row's id names them."""
        asset = Asset(batch_id=self._record.id, store_id=self._source.store_id, path=item.path)
        name, digest = str(asset.id), hashlib.sha256()
        with item.open() as stream:
            chunks = _hashed(stream, digest.update)
            asset.size_bytes = objects.store(ASSETS, name, chunks, sealed_for=asset.sealed_for())
        asset.sha256 = digest.hexdigest()
        found = Asset.objects.filter(store_id=self._source.store_id, sha256=asset.sha256)
        if found.exists():
            objects.remove(ASSETS, name)
        else:
            asset.save(force_insert=True)
        return item.bytes_size


def _is_of_assets(item: JobItem) -> bool:
    return item.name.startswith(ASSETS_OF)


def _index_again(conversation: Conversation, messages: list[Message]) -> None:
    stale = Passage.objects.filter(message_id__in=[message.id for message in messages])
    remove_passages(stale)
    index_messages(conversation, messages)


def _hashed(stream: BinaryIO, update: Callable[[bytes], None]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        update(chunk)
        yield chunk


def _added(record: Import) -> dict[str, int]:
    """What this import brought that was not here before."""
    return {
        "conversations": Conversation.objects.filter(import_id=record.id).count(),
        "messages": Message.objects.filter(import_id=record.id).count(),
        "raw_objects": RawObject.objects.filter(batch_id=record.id).count(),
        "assets": Asset.objects.filter(batch_id=record.id).count(),
    }


def _clean_up(lease: Lease, record: Import) -> None:
    with tenant_scope(lease.organization_id):
        remove_upload(record.id)
