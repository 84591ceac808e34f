"""Which stores are large enough for a bucket of their own. Need a tenant scope."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.embedding.errors import PersonalStoreStays
from souvenir.embedding.selectors import serving_model
from souvenir.ingestion.models import LargeStore, Passage
from souvenir.memories.errors import StoreNotFound
from souvenir.memories.models import Store
from tenants.errors import JobEnded
from tenants.ledger import accept_job, cancel_job
from tenants.models import Job

_MOVES = (Kind.PROMOTE_STORE, Kind.DEMOTE_STORE)
_MEASURED_FOR = timedelta(days=7)  # a graph that grows finds less of what is far
_UNFINISHED = (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True, slots=True)
class SharedStore:
    """A shared store and where its vectors are. `state` is LargeStore's; "": the common bucket.

    `trusted`: whether it was measured lately how far its graph is to be believed.
    """

    id: UUID
    slug: str
    passages: int
    bucket: int
    state: str
    trusted: bool = False


def shared_stores() -> list[SharedStore]:
    """Every shared store, the largest first. Few queries, one of which counts passages."""
    large = {row.store_id: row for row in LargeStore.objects.all()}
    serving = serving_model().number
    # Not through the store's passages: Django would join, and the planner scan, all of them.
    found = (
        Passage.objects.filter(past_version=0)
        .values("store_id")
        .annotate(passages=Count("id"))
        .order_by()
    )
    passages = dict(found.values_list("store_id", "passages"))
    stores = [
        SharedStore(
            id=store.id,
            slug=store.slug,
            passages=passages.get(store.id, 0),
            bucket=large[store.id].bucket if store.id in large else 0,
            state=large[store.id].state if store.id in large else "",
            trusted=store.id in large and _is_trusted(large[store.id], serving),
        )
        for store in Store.objects.filter(person=None)
    ]
    return sorted(stores, key=lambda store: (-store.passages, store.slug))


def count_large_store(store_id: UUID) -> None:
    """Count a large store for BM25, which a question does not."""
    size = Passage.objects.filter(store_id=store_id, past_version=0).aggregate(
        n=Count("id"), terms=Sum("terms")
    )
    large = LargeStore.objects.filter(store_id=store_id)
    large.update(passages=size["n"], terms=size["terms"] or 0)


def ask_to_place() -> int:
    """Ask for stores to move that have grown large, or are large no more. Gives how many.

    Those that have moved are counted anew; of a graph that nobody has measured lately, or under
    the model that serves now, it is asked how far it is to be believed.

    A store that a job is already moving, or is to, is left alone.
    """
    limit = settings.SOUVENIR_LARGE_STORE_PASSAGES
    asked = 0
    for store in shared_stores():
        if store.state:
            count_large_store(store.id)
        if not store.state and store.passages >= limit:
            asked += _ask(Kind.PROMOTE_STORE, store.id)
        elif store.state == LargeStore.State.SERVING and store.passages < limit // 2:
            asked += _ask(Kind.DEMOTE_STORE, store.id)
        elif store.state == LargeStore.State.SERVING and not store.trusted:
            asked += _ask(Kind.PROMOTE_STORE, store.id)
    return asked


def ask_to_move(*, slug: str, kind: Kind) -> None:
    """Ask for one store to move, whatever its size. Asking twice asks once; asking for the way back
    ends a move that is under way.

    Raises:
        StoreNotFound
        PersonalStoreStays: it is a person's own.
    """
    store = Store.objects.filter(slug=slug).first()
    if store is None:
        raise StoreNotFound(store=slug)
    if store.person_id is not None:
        raise PersonalStoreStays(store_id=store.id)
    for job_id in _moving(store.id).exclude(kind=kind).values_list("id", flat=True):
        with suppress(JobEnded):
            cancel_job(job_id=job_id)
    _ask(kind, store.id)


def _is_trusted(large: LargeStore, model: int) -> bool:
    """Whether the measurement holds still: of this model, and not of long ago."""
    measured = large.trusted_at
    return (
        measured is not None
        and large.trusted_model == model
        and timezone.now() - measured < _MEASURED_FOR
    )


def _moving(store_id: UUID) -> QuerySet[Job]:
    return Job.objects.filter(subject_id=store_id, kind__in=_MOVES, state__in=_UNFINISHED)


def _ask(kind: Kind, store_id: UUID) -> int:
    if _moving(store_id).exists():
        return 0
    accept_job(kind, subject_id=store_id, person_id=None, unit="passages")
    return 1
