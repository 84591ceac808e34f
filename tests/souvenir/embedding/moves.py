"""Stores that move, and ways to be in the middle of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.embedding import promotion
from souvenir.embedding.counts import search_counts
from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.selectors import serving_model
from souvenir.ingestion.models import LargeStore, PassageVector
from souvenir.ingestion.services import remember
from souvenir.memories.models import Store
from souvenir.memories.services import Statement, ensure_shared_store
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, claim_job
from tenants.models import Job
from tests.builders import Tenant, run_jobs
from tests.killed import Killed
from tests.tenants.second_server import leading
from tests.vectors import fill_store_with, some_vectors

_ELSEWHERE = "maintainer-elsewhere"
KETTLE = "The kettle is in the blue cupboard"


def filled_store(tenant: Tenant, count: int = 60) -> UUID:
    """A shared store of numbers, and of one thing that is said."""
    with tenant_scope(tenant.id):
        store = ensure_shared_store(slug="team")
        fill_store_with(store.id, some_vectors(count))
        remember(store=store, statement=Statement(text=KETTLE))
    run_jobs(tenant, Kind.EMBED_PASSAGES)
    return store.id


def say(tenant: Tenant, store_id: UUID, text: str) -> UUID:
    """Have a store remember something. Gives the memory."""
    with tenant_scope(tenant.id):
        store = Store.objects.get(id=store_id)
        return remember(store=store, statement=Statement(text=text)).id


def texts(tenant: Tenant, store_id: UUID, text: str = "Where is the kettle?") -> list[str]:
    """What a store answers."""
    with tenant_scope(tenant.id):
        return [found.text for found in search(Question(text, [store_id])).results]


def run(tenant: Tenant, kind: Kind, store_id: UUID) -> Job:
    """Accept a job about a store, and do it."""
    with tenant_scope(tenant.id):
        accept_job(kind, subject_id=store_id, person_id=None, unit="passages")
    return run_jobs(tenant, kind)[-1]


def assert_whole(tenant: Tenant, store_id: UUID) -> None:
    """Each passage has its vector where search reads, and nothing is anywhere else."""
    with tenant_scope(tenant.id):
        large = LargeStore.objects.filter(store_id=store_id, state__in=LargeStore.IN_EFFECT)
        bucket = large.values_list("bucket", flat=True).first() or 0
        elsewhere = PassageVector.objects.filter(store_id=store_id).exclude(bucket=bucket)
        counts = search_counts()
        missing = counts.missing_vectors(serving_model().name)
        assert (missing, counts.strays, elsewhere.count()) == (0, 0, 0)


@contextmanager
def graph_being_built(tenant: Tenant, store_id: UUID, model: EmbeddingModel) -> Iterator[None]:
    """A move is at the statement that builds the graph, for as long as the body runs."""
    with tenant_scope(tenant.id):
        bucket = LargeStore.objects.get(store_id=store_id).bucket
    with (
        leading(_ELSEWHERE, {**connections.databases["maintainer"]}),
        connections[_ELSEWHERE].cursor() as cursor,
    ):
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT index_bucket(%s, %s, %s::smallint, %s, 32)",
            [tenant.id, bucket, model.number, model.dimensions],
        )
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def kill_at(place: str, monkeypatch: pytest.MonkeyPatch, tenant: Tenant, store_id: UUID) -> None:
    """Begin to promote a store, and die where the move would call `place`."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with tenant_scope(tenant.id):
        job = accept_job(Kind.PROMOTE_STORE, subject_id=store_id, person_id=None, unit="passages")
        lease = claim_job(job.id)
    assert lease is not None
    with monkeypatch.context() as dying:
        dying.setattr(promotion, place, die)
        with pytest.raises(Killed):
            promotion.promote_store(lease)
    with tenant_scope(tenant.id):
        Job.objects.filter(id=job.id).update(ring_at=timezone.now() - timedelta(seconds=1))


def go_on(tenant: Tenant) -> None:
    """Let whoever died be found out at once."""
    with tenant_scope(tenant.id):
        Job.objects.filter(state=Job.State.RUNNING).update(holder="")
