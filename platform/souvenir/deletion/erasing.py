"""Carry an erasure out: rows, passages, vectors, tokens, raw objects, assets, finished exports.

Each step removes and counts in one transaction; counts by table are the report.
"""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from souvenir.audit.actions import Action
from souvenir.deletion.models import Erasure
from souvenir.deletion.registry import ERASABLES, Reach, Rows, passages_elsewhere
from souvenir.export.models import Export
from souvenir.ingestion.deriving import derive_again
from souvenir.ingestion.models import Asset, Import, Passage, RawObject
from souvenir.ingestion.passages import remove_passages
from souvenir.ingestion.placing import remove_strays
from souvenir.ingestion.services import ASSETS, remove_upload
from souvenir.memories.models import (
    Conversation,
    Evidence,
    Memory,
    MemoryVersion,
    Message,
    MetadataToken,
    Person,
    Store,
)
from tenants import objects
from tenants.auditing import audit
from tenants.idempotency.models import Replay
from tenants.idempotency.services import forget_answers
from tenants.keyring.services import destroy_subject_keys, destroy_tenant_keys
from tenants.ledger import Lease, cancel_jobs
from tenants.models import ApiKey
from tenants.services import mark_organization_erased
from tenants.webhooks.services import remove_all_webhooks

EXPORTS = "exports"  # the kind of object that a finished export is
Target = Erasure.Target
_UUID_CHARACTERS = 36
_STEP_PASSAGES = 5_000  # less than a second


def erase(lease: Lease) -> None:
    """Carry an erasure out. Safe to run again from any point: what has gone stays gone.

    Raises:
        LeaseLost
    """
    lease.cannot_be_cut(because="the rows of a table go by one statement, which is much faster")
    with lease.step():
        erasure = Erasure.objects.get(id=lease.subject_id)
        _remove_exports(lease, erasure)
        _forget_answers(erasure)
        lease.expect(_steps_of(erasure))
    _STEPS[Target(erasure.target)](lease, erasure)
    with lease.step():
        _count(erasure.id, {"passage_vectors": remove_strays()})
    with lease.step(done=_steps_of(erasure)):
        erasure = Erasure.objects.select_for_update().get(id=lease.subject_id)
        erasure.finished_at = timezone.now()
        erasure.save(update_fields=["finished_at"])
        if erasure.target == Target.ORGANIZATION:
            mark_organization_erased(organization_id=lease.organization_id)
        audit(Action.ERASURE_DONE, f"erasure:{erasure.id}", person_id=erasure.person_id)
        lease.finish()


def _steps_of(erasure: Erasure) -> int:
    """How many steps a person who follows it sees: each table of a whole person, and the end."""
    is_whole = erasure.target in (Target.PERSON, Target.ORGANIZATION)
    return 1 + (len(ERASABLES) if is_whole else 0)


def _count(erasure_id: UUID, counts: dict[str, int]) -> None:
    """Add to the report, in the step that removed the rows."""
    erasure = Erasure.objects.select_for_update().get(id=erasure_id)
    erasure.counts = dict(Counter(erasure.counts) + Counter(counts))
    erasure.save(update_fields=["counts"])


def _remove_exports(lease: Lease, erasure: Erasure) -> None:
    """Finished copies may hold what is being erased: the person's, and the whole organization's."""
    everyone = erasure.target == Target.ORGANIZATION
    about = Q() if everyone else Q(person_id=erasure.person_id) | Q(person_id=None)
    found = Export.objects.filter(about)
    cancel_jobs(keep=lease.job_id, subject_ids=list(found.values_list("id", flat=True)))
    ids = {str(export.id) for export in found}
    files = [
        objects.remove(EXPORTS, name)  # a draft too: its name begins with the copy's
        for name in objects.names(EXPORTS)
        if name[:_UUID_CHARACTERS] in ids
    ]
    removed, _ = found.delete()
    _count(erasure.id, {"exports": removed, "export_files": sum(files)})


def _forget_answers(erasure: Erasure) -> None:
    """What requests were answered may tell of it. That they were carried out is still known."""
    everyone = erasure.target == Target.ORGANIZATION
    dropped = forget_answers(person_id=None if everyone else erasure.person_id)
    _count(erasure.id, {"answers": dropped})


def _remove(erasure: Erasure, passages: QuerySet[Passage], rows: dict[str, Rows]) -> None:
    """Remove passages and rows, table by table, children first. Call in a step."""
    counts = remove_passages(passages)
    counts |= {name: found.delete()[0] for name, found in rows.items()}
    _count(erasure.id, counts)


def _erase_memory(lease: Lease, erasure: Erasure) -> None:
    memory_id = erasure.target_id
    with lease.step():
        rows = {
            "evidence": Evidence.objects.filter(version__memory_id=memory_id),
            "memory_versions": MemoryVersion.objects.filter(memory_id=memory_id),
            "metadata_tokens": MetadataToken.objects.filter(memory_id=memory_id),
            "memories": Memory.objects.filter(id=memory_id),
        }
        _remove(erasure, Passage.objects.filter(memory_id=memory_id), rows)


def _erase_conversation(lease: Lease, erasure: Erasure) -> None:
    with lease.step():
        _remove_conversation(erasure, erasure.target_id)


def _remove_conversation(erasure: Erasure, conversation_id: UUID) -> None:
    rows = {
        "evidence": Evidence.objects.filter(message__conversation_id=conversation_id),
        "messages": Message.objects.filter(conversation_id=conversation_id),
        "raw_objects": RawObject.objects.filter(conversation_id=conversation_id),
        "conversations": Conversation.objects.filter(id=conversation_id),
    }
    _remove(erasure, Passage.objects.filter(conversation_id=conversation_id), rows)


def _erase_import(lease: Lease, erasure: Erasure) -> None:
    """What only this import brought goes; what a later one said again is derived from that."""
    import_id = erasure.target_id
    with lease.step():
        cancel_jobs(keep=lease.job_id, subject_ids=[import_id])  # it may be under way
        touched = RawObject.objects.filter(batch_id=import_id).values("conversation_id")
        ids = list(
            Conversation.objects.filter(Q(import_id=import_id) | Q(id__in=touched)).values_list(
                "id", flat=True
            )
        )
        others = RawObject.objects.filter(conversation_id__in=ids).exclude(batch_id=import_id)
        shared = set(others.values_list("conversation_id", flat=True))
    alone = [conversation_id for conversation_id in ids if conversation_id not in shared]
    for conversation_id in alone:
        with lease.step():
            _remove_conversation(erasure, conversation_id)
    with lease.step():
        assets = Asset.objects.filter(batch_id=import_id)
        files = [objects.remove(ASSETS, str(asset.id)) for asset in assets]
        raw = RawObject.objects.filter(batch_id=import_id)
        counts = {"asset_files": sum(files), "assets": assets.delete()[0]}
        counts |= {"raw_objects": raw.delete()[0]}
        remove_upload(import_id)
        for conversation_id in sorted(shared):
            counts = dict(Counter(counts) + Counter(derive_again(conversation_id=conversation_id)))
        counts |= {"imports": Import.objects.filter(id=import_id).delete()[0]}
        _count(erasure.id, counts)


def _erase_person(lease: Lease, erasure: Erasure) -> None:
    person_id = erasure.target_id
    with lease.step():
        stores = Store.objects.filter(person_id=person_id)
        reach = Reach(list(stores.values_list("id", flat=True)), [person_id])
        _stop_work(lease, reach)
        # First, and at once: what is left of the erasure may take its time, or fail.
        destroy_subject_keys(person_id)
        audit(Action.KEYS_DESTROYED, f"person:{person_id}", person_id=person_id)
    _remove_reach(lease, erasure, reach)


def _erase_organization(lease: Lease, erasure: Erasure) -> None:
    with lease.step():
        cancel_jobs(keep=lease.job_id)
        reach = Reach(
            list(Store.objects.values_list("id", flat=True)),
            list(Person.objects.values_list("id", flat=True)),
        )
        destroy_tenant_keys()
        audit(Action.KEYS_DESTROYED, f"organization:{lease.organization_id}")
    _remove_reach(lease, erasure, reach)
    with lease.step():
        counts = {
            "keys": ApiKey.objects.all().delete()[0],
            "imports": Import.objects.all().delete()[0],
            "answers": Replay.objects.all().delete()[0],
            "webhooks": remove_all_webhooks(),
            "object_files": objects.remove_all(),
        }
        _count(erasure.id, counts)


def _stop_work(lease: Lease, reach: Reach) -> None:
    """Imports and embeddings under way lose their lease: they can write nothing after this."""
    imports = Import.objects.filter(
        Q(store_id__in=reach.store_ids) | Q(person_id__in=reach.person_ids)
    )
    subjects = [*imports.values_list("id", flat=True), *reach.store_ids]
    cancel_jobs(keep=lease.job_id, subject_ids=subjects)


def _remove_reach(lease: Lease, erasure: Erasure, reach: Reach) -> None:
    """Everything of some stores and people: files first, while the rows still name them."""
    with lease.step():
        assets = Asset.objects.filter(store_id__in=reach.store_ids)
        imports = Import.objects.filter(store_id__in=reach.store_ids)
        files = [
            objects.remove(ASSETS, str(asset_id))
            for asset_id in assets.values_list("id", flat=True)
        ]
        uploads = sum(remove_upload(id_) for id_ in imports.values_list("id", flat=True))
        _count(erasure.id, {"asset_files": sum(files), "upload_files": uploads})
    _remove_passages(lease, erasure, reach)
    for number, erasable in enumerate(ERASABLES, start=1):
        with lease.step(done=number):
            _count(erasure.id, {erasable.name: erasable.rows(reach).delete()[0]})


def _remove_passages(lease: Lease, erasure: Erasure, reach: Reach) -> None:
    """Passages of other stores with their tokens and vectors, some thousands in a step."""
    while True:
        with lease.step():
            removed = remove_passages(passages_elsewhere(reach)[:_STEP_PASSAGES])
            _count(erasure.id, removed)
        if not removed["passages"]:
            return


_STEPS: dict[Target, Callable[[Lease, Erasure], None]] = {
    Target.MEMORY: _erase_memory,
    Target.CONVERSATION: _erase_conversation,
    Target.IMPORT: _erase_import,
    Target.PERSON: _erase_person,
    Target.ORGANIZATION: _erase_organization,
}
