"""Give passages the vectors of a new model beside those of the old, and take an old model's away.

Jobs, one for each store (souvenir/embedding/changing.py). Neither is noticed by who searches.
"""

from uuid import UUID

from django.db import connection

from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.promotion import index_bucket
from souvenir.embedding.registry import embedder_of
from souvenir.embedding.selectors import models_in_use
from souvenir.embedding.services import SET_ASIDE, passage_texts
from souvenir.embedding.vectors import keep_vectors
from souvenir.ingestion import buckets
from souvenir.ingestion.models import LargeStore, Passage, PassageVector
from souvenir.ingestion.past import homes, past_home
from souvenir.ingestion.placing import placed
from tenants.isolation.scope import current_tenant
from tenants.ledger import Lease
from tenants.maintainer import maintain

_STEP_PASSAGES = 32
_LOOKED_UP = 5_000  # passages without a vector, at once
_STEP_VECTORS = 5_000
_FIRST = UUID(int=0)
# Looked up one by one, by the whole key: decision 12.
_MISSING = """
    SELECT p.id FROM ingestion_passage p
    WHERE p.tenant_id = %(tenant)s AND p.store_id = %(store)s AND p.id > %(after)s
      AND p.embedded_with <> ALL (%(without)s) AND NOT EXISTS (
        SELECT FROM ingestion_passagevector v
        WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store)s AND v.model = %(model)s
          AND v.passage_id = p.id AND v.bucket = %(bucket)s OFFSET 0)
      AND NOT EXISTS (
        SELECT FROM ingestion_passagevector v
        WHERE v.tenant_id = %(tenant)s AND v.store_id = %(past)s AND v.model = %(model)s
          AND v.passage_id = p.id AND v.bucket = %(common)s OFFSET 0)
    ORDER BY p.id LIMIT %(most)s
"""


def fill_store(lease: Lease) -> None:
    """Give the passages of a store the vectors of every model in use. Safe to run again.

    Passages that were never embedded are left to EMBED_PASSAGES; those set aside are left alone.

    Raises:
        EmbedderUnavailable, MaintainerMissing, TablesBusy, LeaseLost
    """
    lease.cannot_be_cut(because="an index is built, or dropped, by one statement")
    with lease.step(done=0):
        models = models_in_use()
        large = _large_store(lease.subject_id)
    done = 0
    for model in models:
        if large is not None:
            # Before the first vector: a graph over nothing is there at once, and then grows.
            index_bucket(lease.organization_id, large.bucket, model)
        done = _fill(lease, model, done=done)
    with lease.step():
        lease.finish()


def clear_store(lease: Lease) -> None:
    """Remove a store's vectors of models that are retired. Safe to run again.

    Which those are is looked at in every step: one that is started again keeps what it has left.

    Raises:
        MaintainerMissing, TablesBusy, LeaseLost
    """
    lease.cannot_be_cut(because="an index is built, or dropped, by one statement")
    with lease.step(done=0):
        large = _large_store(lease.subject_id)
    done = 0
    while True:
        with lease.step(done=done):
            vectors = PassageVector.objects.filter(
                store_id__in=homes([lease.subject_id]), model__in=_retired()
            )
            some = vectors.values_list("passage_id", flat=True)[:_STEP_VECTORS]
            removed, _ = vectors.filter(passage_id__in=list(some)).delete()
        if not removed:
            break
        done += removed
    if large is not None:
        for number in _retired():
            maintain(
                "SELECT unindex_bucket(%s, %s, %s::smallint)",
                *(lease.organization_id, large.bucket, number),
            )
    with lease.step():
        lease.finish()


def _retired() -> list[int]:
    found = EmbeddingModel.objects.filter(state=EmbeddingModel.State.RETIRED)
    return list(found.values_list("number", flat=True))


def _fill(lease: Lease, model: EmbeddingModel, *, done: int) -> int:
    """Give what is missing, for as long as the model is in use. Gives how many are done."""
    last = _FIRST
    while True:
        with lease.step(done=done):
            ids = _missing(lease.subject_id, model, after=last) if model in models_in_use() else []
        if not ids:
            return done
        for at in range(0, len(ids), _STEP_PASSAGES):
            done += _fill_some(lease, model, ids[at : at + _STEP_PASSAGES], done=done)
        last = ids[-1]


def _fill_some(lease: Lease, model: EmbeddingModel, ids: list[UUID], *, done: int) -> int:
    with lease.step(done=done):
        found = Passage.objects.filter(id__in=ids) if model in models_in_use() else []
        passages = list(found)
        texts = passage_texts(passages)
    wanted = [passage for passage in passages if passage.id in texts]
    if wanted:
        said = [texts[passage.id] for passage in wanted]
        vectors = embedder_of(model.name).embed(said, kind="passage")
        with lease.step(done=done + len(wanted)):
            keep_vectors(wanted, vectors, model=model)
    return len(wanted)


def _missing(store_id: UUID, model: EmbeddingModel, *, after: UUID) -> list[UUID]:
    """The next passages without a vector of the model. Looks at all that come after, to sort."""
    with connection.cursor() as cursor:
        cursor.execute(
            _MISSING,
            {
                "tenant": current_tenant(),
                "store": store_id,
                "past": past_home(store_id),
                "common": buckets.COMMON,
                "after": after,
                "model": model.number,
                "without": ["", SET_ASIDE],
                "bucket": placed([store_id])[store_id],
                "most": _LOOKED_UP,
            },
        )
        return [id_ for (id_,) in cursor.fetchall()]


def _large_store(store_id: UUID) -> LargeStore | None:
    found = LargeStore.objects.filter(store_id=store_id, state__in=LargeStore.IN_EFFECT)
    return found.first()
