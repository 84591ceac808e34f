"""Run an import: read the upload through once, then keep it object by object, in small steps."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from souvenir.core.errors import Invalid
from souvenir.ingestion.errors import PersonNeeded, UploadGone
from souvenir.ingestion.merging import keep_conversation, short_id
from souvenir.ingestion.models import Asset, Import, Passage, RawObject
from souvenir.ingestion.passages import index_messages, remove_passages
from souvenir.ingestion.restore import restore_archive
from souvenir.ingestion.services import ASSETS, UPLOADS, ask_for_vectors
from souvenir.memories.models import Conversation, Message, Source
from souvenir.memories.services import ensure_source
from souvenir.portability.documents import AssetRead, ItemRead, ObjectRead
from souvenir.portability.fidelity import Fidelity
from souvenir.portability.reading import inspect, read
from souvenir.portability.souvenir_archive import is_souvenir_archive
from souvenir.portability.stored_file import StoredFile
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease

_STEP_ITEMS = 25
_STEP_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


def run_import(lease: Lease) -> None:
    """Bring an upload in. Safe to run again from any point: what is here already is left alone.

    The first pass over the file changes nothing: what cannot be read whole is refused whole.

    Raises:
        Invalid: the upload cannot be used; nothing of it is stored, and it is not kept.
        LeaseLost
    """
    with lease.step(done=0):
        record = Import.objects.select_related("store", "person").get(id=lease.subject_id)
        upload = objects.stored(UPLOADS, str(record.id))
    if not upload.exists():
        raise UploadGone
    try:
        if is_souvenir_archive(upload):
            restore_archive(lease, record, upload, record.person)
        else:
            _import_export(lease, record, upload)
    except Invalid:
        _remove_upload(lease, record)
        raise
    _remove_upload(lease, record)


def _import_export(lease: Lease, record: Import, upload: StoredFile) -> None:
    """Bring a provider's export in."""
    if record.store is None:
        raise PersonNeeded
    inspection = inspect(upload, name=record.file_name)
    with lease.step(total=inspection.objects + inspection.assets):
        source = ensure_source(
            store=record.store,
            provider=inspection.provider,
            account=short_id(inspection.account, longest=200),
        )
        record.source_id, record.layout = source.id, inspection.layout
        record.save(update_fields=["source", "layout"])
    fidelity = Fidelity(inspection)
    done = 0
    for items in _batches(read(upload, name=record.file_name)):
        done += len(items)
        with lease.step(done=done):
            for item in items:
                fidelity.add(item)
                _keep(item, record, source)
    with lease.step():
        record.report = {**fidelity.as_json(), "added": _added(record)}
        record.save(update_fields=["report"])
        ask_for_vectors(store_id=source.store_id, person_id=record.person_id)
        lease.finish()


def _keep(item: ItemRead, record: Import, source: Source) -> None:
    if isinstance(item, AssetRead):
        _keep_asset(item, record, source)
    else:
        _keep_object(item, record, source)


def _keep_object(item: ObjectRead, record: Import, source: Source) -> None:
    """Keep one raw object and the conversation it was understood as; nothing if it is here."""
    sha256 = hashlib.sha256(item.raw.body).hexdigest()
    if RawObject.objects.filter(store_id=source.store_id, sha256=sha256).exists():
        return
    conversation = None
    if item.conversation is not None:
        kept = keep_conversation(source=source, document=item.conversation, import_id=record.id)
        conversation = kept.conversation
        _index_again(conversation, kept.enriched)
        index_messages(conversation, kept.added)
    RawObject.objects.create(
        batch_id=record.id,
        store_id=source.store_id,
        conversation_id=conversation.id if conversation else None,
        kind=item.raw.kind,
        path=item.raw.path,
        ordinal=item.raw.ordinal,
        sha256=sha256,
        size_bytes=len(item.raw.body),
        body=zlib.compress(item.raw.body),
    )


def _index_again(conversation: Conversation, messages: list[Message]) -> None:
    stale = Passage.objects.filter(message_id__in=[message.id for message in messages])
    remove_passages(stale)
    index_messages(conversation, messages)


def _keep_asset(item: AssetRead, record: Import, source: Source) -> None:
    """Keep a file that came along. The row's id names its bytes, which can be read only once."""
    asset = Asset(batch_id=record.id, store_id=source.store_id, path=item.path)
    name, digest = str(asset.id), hashlib.sha256()
    with item.open() as stream:
        chunks = _hashed(stream, digest.update)
        asset.size_bytes = objects.store(ASSETS, name, chunks, sealed_for=asset.sealed_for())
    asset.sha256 = digest.hexdigest()
    if Asset.objects.filter(store_id=source.store_id, sha256=asset.sha256).exists():
        objects.remove(ASSETS, name)
        return
    asset.save(force_insert=True)


def _hashed(stream: BinaryIO, update: Callable[[bytes], None]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        update(chunk)
        yield chunk


def _batches(items: Iterable[ItemRead]) -> Iterator[list[ItemRead]]:
    """Items in groups that one short transaction can hold.

    A file stands alone: it has to be opened before the next item is asked for.
    """
    batch: list[ItemRead] = []
    size = 0
    for item in items:
        is_file = isinstance(item, AssetRead)
        size += 0 if isinstance(item, AssetRead) else len(item.raw.body)
        if batch and (is_file or len(batch) >= _STEP_ITEMS or size >= _STEP_BYTES):
            yield batch
            batch, size = [], 0
        if is_file:
            yield [item]
        else:
            batch.append(item)
    if batch:
        yield batch


def _added(record: Import) -> dict[str, int]:
    """What this import brought that was not here before."""
    return {
        "conversations": Conversation.objects.filter(import_id=record.id).count(),
        "messages": Message.objects.filter(import_id=record.id).count(),
        "raw_objects": RawObject.objects.filter(batch_id=record.id).count(),
        "assets": Asset.objects.filter(batch_id=record.id).count(),
    }


def _remove_upload(lease: Lease, record: Import) -> None:
    with tenant_scope(lease.organization_id):
        objects.remove(UPLOADS, str(record.id))
