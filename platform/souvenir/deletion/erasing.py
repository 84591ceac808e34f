"""Carry an erasure out: rows, passages, vectors, tokens, raw objects, assets, finished exports.

The items of the job remove and count in short transactions, as many as it takes; counts by table
are the report. Nothing of it is ever set aside: an erasure is done when all of it is.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from souvenir.audit.actions import Action
from souvenir.audit.selectors import entries
from souvenir.deletion.models import Erasure
from souvenir.deletion.registry import (
    ERASABLES,
    Reach,
    Rows,
    owners_of_memories_about,
    passages_elsewhere,
)
from souvenir.deletion.removing import STEP_ROWS, remove_some
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
from tenants.isolation.scope import current_tenant
from tenants.keyring.services import destroy_subject_keys, destroy_tenant_keys
from tenants.ledger import Lease, cancel_jobs, job_items
from tenants.ledger.items import Part, plan_items
from tenants.ledger.together import Portion, work_together
from tenants.models import ApiKey, JobItem
from tenants.services import mark_organization_erased
from tenants.webhooks.services import remove_all_webhooks

EXPORTS = "exports"  # the kind of object that a finished export is
Target = Erasure.Target
_UUID_CHARACTERS = 36
STEP_FILES = 500


def erase(lease: Lease) -> None:
    """Carry an erasure out, for a turn or to its end. Safe to run again from any point: what has
    gone stays gone.

    Raises:
        LeaseLost
    """
    with lease.step():
        erasure = Erasure.objects.get(id=lease.subject_id)
        if not job_items(job_id=lease.job_id).exists():
            _begin(lease, erasure)
        reach = _reach_of(erasure)
    tell = partial(_count, erasure.id)
    if not work_together(lease, partial(_do, erasure, reach), tell=tell):
        return
    with lease.step():
        _count(erasure.id, {"passage_vectors": remove_strays()})
        erasure = Erasure.objects.select_for_update().get(id=lease.subject_id)
        erasure.finished_at = timezone.now()
        erasure.save(update_fields=["finished_at"])
        if erasure.target == Target.ORGANIZATION:
            mark_organization_erased(organization_id=lease.organization_id)
        audit(Action.ERASURE_DONE, f"erasure:{erasure.id}", person_id=erasure.person_id)
        lease.finish()


def _begin(lease: Lease, erasure: Erasure) -> None:
    """Stop what goes on with it, end its keys, and plan the rest; in one step, once."""
    _remove_exports(lease, erasure)
    _forget_answers(erasure)
    if erasure.target == Target.IMPORT:
        cancel_jobs(keep=lease.job_id, subject_ids=[erasure.target_id])  # it may be under way
    names = _NAMES[Target(erasure.target)]
    lease.expect(plan_items(lease, [Part(name, size=1) for name in names]))
    # At once: what is left of the erasure may take its time, or fail.
    if erasure.target == Target.PERSON:
        _stop_work(lease, _reach_of(erasure))
        destroy_subject_keys(erasure.target_id)
        _tell_of_keys(f"person:{erasure.target_id}", person_id=erasure.target_id)
    elif erasure.target == Target.ORGANIZATION:
        cancel_jobs(keep=lease.job_id)
        destroy_tenant_keys()
        _tell_of_keys(f"organization:{lease.organization_id}")


def _tell_of_keys(on: str, *, person_id: UUID | None = None) -> None:
    """Keys end once, however often an erasure is begun, or asked for."""
    told = entries(organization_id=current_tenant(), action=Action.KEYS_DESTROYED, object=on)
    if not told.exists():
        audit(Action.KEYS_DESTROYED, on, person_id=person_id)


def _reach_of(erasure: Erasure) -> Reach:
    """Whose rows go, as far as they are still here."""
    if erasure.target == Target.PERSON:
        stores = Store.objects.filter(person_id=erasure.target_id)
        return Reach(list(stores.values_list("id", flat=True)), [erasure.target_id])
    if erasure.target == Target.ORGANIZATION:
        return Reach(
            list(Store.objects.values_list("id", flat=True)),
            list(Person.objects.values_list("id", flat=True)),
        )
    return Reach([], [])


def _do(erasure: Erasure, reach: Reach, item: JobItem) -> Portion:
    """Remove some of what an item stands for. Call in a step."""
    if item.name in _TABLES:
        return remove_some(_TABLES[item.name], reach)
    return _REMOVERS[item.name](erasure, reach)


def _count(erasure_id: UUID, counts: Mapping[str, int]) -> None:
    """Add to the report, in the step that removed the rows."""
    if not any(counts.values()):
        return
    erasure = Erasure.objects.select_for_update().get(id=erasure_id)
    erasure.counts = dict(Counter(erasure.counts) + Counter(counts))
    erasure.save(update_fields=["counts"])


def _remove_exports(lease: Lease, erasure: Erasure) -> None:
    """Copies that may hold what is being erased, finished or not: the person's, those of whoever
    remembers the person, and the whole organization's.
    """
    about = Q(person_id=erasure.person_id) | Q(person_id=None)
    if erasure.target == Target.PERSON:
        about |= Q(person_id__in=owners_of_memories_about(erasure.target_id))
    found = Export.objects.filter(Q() if erasure.target == Target.ORGANIZATION else about)
    ids = list(found.values_list("id", flat=True))
    cancel_jobs(keep=lease.job_id, subject_ids=ids)
    names = {str(id_) for id_ in ids}
    files = [
        objects.remove(EXPORTS, name)  # parts too: their names begin with the copy's
        for name in objects.names(EXPORTS)
        if name[:_UUID_CHARACTERS] in names
    ]
    removed, _ = Export.objects.filter(id__in=ids).delete()
    _count(erasure.id, {"exports": removed, "export_files": sum(files)})


def _forget_answers(erasure: Erasure) -> None:
    """What requests were answered may tell of it. That they were carried out is still known."""
    everyone = erasure.target == Target.ORGANIZATION
    dropped = forget_answers(person_id=None if everyone else erasure.person_id)
    _count(erasure.id, {"answers": dropped})


def _stop_work(lease: Lease, reach: Reach) -> None:
    """Imports and embeddings under way lose their lease: they can write nothing after this."""
    imports = Import.objects.filter(
        Q(store_id__in=reach.store_ids) | Q(person_id__in=reach.person_ids)
    )
    subjects = [*imports.values_list("id", flat=True), *reach.store_ids]
    cancel_jobs(keep=lease.job_id, subject_ids=subjects)


def _removed(passages: QuerySet[Passage], rows: dict[str, Rows]) -> Portion:
    """Remove passages and rows, table by table, children first."""
    counts = remove_passages(passages)
    return Portion(counts | {name: found.delete()[0] for name, found in rows.items()})


def _remove_memory(erasure: Erasure, _: Reach) -> Portion:
    memory_id = erasure.target_id
    rows = {
        "evidence": Evidence.objects.filter(version__memory_id=memory_id),
        "memory_versions": MemoryVersion.objects.filter(memory_id=memory_id),
        "metadata_tokens": MetadataToken.objects.filter(memory_id=memory_id),
        "memories": Memory.objects.filter(id=memory_id),
    }
    return _removed(Passage.objects.filter(memory_id=memory_id), rows)


def _remove_target_conversation(erasure: Erasure, _: Reach) -> Portion:
    return _remove_conversation(erasure.target_id)


def _remove_conversation(conversation_id: UUID) -> Portion:
    rows = {
        "evidence": Evidence.objects.filter(message__conversation_id=conversation_id),
        "messages": Message.objects.filter(conversation_id=conversation_id),
        "raw_objects": RawObject.objects.filter(conversation_id=conversation_id),
        "conversations": Conversation.objects.filter(id=conversation_id),
    }
    return _removed(Passage.objects.filter(conversation_id=conversation_id), rows)


def _remove_next_conversation(erasure: Erasure, _: Reach) -> Portion:
    """What only this import brought goes; what another one said too is derived from that."""
    brought = RawObject.objects.filter(batch_id=erasure.target_id)
    touched = brought.filter(conversation_id__isnull=False).values("conversation_id")
    about = Q(import_id=erasure.target_id) | Q(id__in=touched)
    conversation_id = Conversation.objects.filter(about).values_list("id", flat=True).first()
    if conversation_id is None:
        return Portion({})
    here = RawObject.objects.filter(conversation_id=conversation_id)
    if not here.exclude(batch_id=erasure.target_id).exists():
        return Portion(_remove_conversation(conversation_id).counts, more=True)
    raws = here.filter(batch_id=erasure.target_id).delete()[0]
    derived = derive_again(conversation_id=conversation_id)
    return Portion({**derived, "raw_objects": raws}, more=True)


def _remove_import(erasure: Erasure, _: Reach) -> Portion:
    """The rest of an import: its files, what is no conversation, the row itself."""
    import_id = erasure.target_id
    assets = list(
        Asset.objects.filter(batch_id=import_id).values_list("id", flat=True)[:STEP_FILES]
    )
    raws = RawObject.objects.filter(batch_id=import_id).values_list("id", flat=True)[:STEP_ROWS]
    counts = {
        "asset_files": sum(objects.remove(ASSETS, str(id_)) for id_ in assets),
        "assets": Asset.objects.filter(id__in=assets).delete()[0],
        "raw_objects": RawObject.objects.filter(id__in=list(raws)).delete()[0],
    }
    if any(counts.values()):
        return Portion(counts, more=True)
    remove_upload(import_id)
    return Portion({"imports": Import.objects.filter(id=import_id).delete()[0]})


def _remove_files(_: Erasure, reach: Reach) -> Portion:
    """Files first, while the rows still name them."""
    assets = Asset.objects.filter(store_id__in=reach.store_ids).values_list("id", flat=True)
    files = 0
    for asset_id in assets.iterator():
        files += objects.remove(ASSETS, str(asset_id))
        if files == STEP_FILES:
            return Portion({"asset_files": files}, more=True)
    imports = Import.objects.filter(store_id__in=reach.store_ids)
    uploads = sum(remove_upload(id_) for id_ in imports.values_list("id", flat=True))
    return Portion({"asset_files": files, "upload_files": uploads})


def _remove_passages_elsewhere(_: Erasure, reach: Reach) -> Portion:
    """Passages of other stores with their tokens and vectors."""
    counts = remove_passages(passages_elsewhere(reach)[:STEP_ROWS])
    return Portion(counts, more=counts["passages"] == STEP_ROWS)


def _remove_organization(_erasure: Erasure, _reach: Reach) -> Portion:
    return Portion(
        {
            "keys": ApiKey.objects.all().delete()[0],
            "imports": Import.objects.all().delete()[0],
            "answers": Replay.objects.all().delete()[0],
            "webhooks": remove_all_webhooks(),
            "object_files": objects.remove_all(),
        }
    )


_TABLES = {erasable.name: erasable for erasable in ERASABLES}
_REMOVERS: dict[str, Callable[[Erasure, Reach], Portion]] = {
    "memory": _remove_memory,
    "conversation": _remove_target_conversation,
    "next-conversation": _remove_next_conversation,
    "import": _remove_import,
    "files": _remove_files,
    "passages-elsewhere": _remove_passages_elsewhere,
    "organization": _remove_organization,
}
_OF_A_REACH = ("files", "passages-elsewhere", *_TABLES)
_NAMES: dict[Target, tuple[str, ...]] = {
    Target.MEMORY: ("memory",),
    Target.CONVERSATION: ("conversation",),
    Target.IMPORT: ("next-conversation", "import"),
    Target.PERSON: _OF_A_REACH,
    Target.ORGANIZATION: (*_OF_A_REACH, "organization"),
}
