"""A large store gets a partition and a graph of its own, and goes back, and nobody notices."""

from uuid import UUID

import pytest
from django.db import connections

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.embedding.promotion import promote_store
from souvenir.ingestion import buckets
from souvenir.ingestion.models import LargeStore, PassageVector
from souvenir.ingestion.services import correct, remember
from souvenir.memories.models import Memory, Store
from souvenir.memories.services import Statement, ensure_shared_store
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.errors import LeaseLost
from tenants.isolation.catalogue import audit_isolation
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, claim_job
from tenants.models import Job
from tests.builders import Tenant, run_jobs

TEXTS = [
    "The kettle is in the blue cupboard",
    "Nadine repairs the snow blower",
    "La réunion est le mardi",
    "Le chalet est à vendre",
]


def _store(tenant: Tenant) -> Store:
    with tenant_scope(tenant.id):
        store = ensure_shared_store(slug="team")
        for text in TEXTS:
            remember(store=store, statement=Statement(text=text))
    run_jobs(tenant, Kind.EMBED_PASSAGES)
    return store


def _run(tenant: Tenant, kind: Kind, store_id: UUID) -> Job:
    with tenant_scope(tenant.id):
        accept_job(kind, subject_id=store_id, person_id=None, unit="passages")
    return run_jobs(tenant, kind)[-1]


def _answers(tenant: Tenant, store: Store, text: str = "Who mends machines?") -> list[str]:
    with tenant_scope(tenant.id):
        return [found.text for found in search(Question(text, [store.id])).results]


def _buckets(tenant: Tenant) -> dict[int, int]:
    """How many vectors are in each bucket."""
    with tenant_scope(tenant.id):
        found = list(PassageVector.objects.values_list("bucket", flat=True))
    return {bucket: found.count(bucket) for bucket in sorted(set(found))}


def _partitions(tenant: Tenant) -> list[str]:
    with connections["maintainer"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE obj_description(c.oid, 'pg_class') = %s",
            [str(tenant.id)],
        )
        return [name for (name,) in cursor.fetchall()]


def _graphs(tenant: Tenant) -> list[str]:
    with connections["maintainer"].cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = ANY (%s)"
            " AND indexdef LIKE '%%hnsw%%'",
            [_partitions(tenant)],
        )
        return [line for (line,) in cursor.fetchall()]


def test_a_promoted_store_answers_the_same_from_a_bucket_of_its_own(acme: Tenant) -> None:
    store = _store(acme)
    before = _answers(acme, store)

    job = _run(acme, Kind.PROMOTE_STORE, store.id)

    assert (job.state, job.done) == (Job.State.SUCCEEDED, len(TEXTS))
    assert len(before) == len(TEXTS)
    assert _answers(acme, store) == before
    (bucket,) = _buckets(acme)
    assert bucket > 0
    assert len(_partitions(acme)) == 1
    assert "(m='16', ef_construction='200') WHERE (model = 2)" in _graphs(acme)[0]
    assert audit_isolation() == []


def test_vectors_stay_in_their_rows_in_every_partition_a_new_one_too(acme: Tenant) -> None:
    """Beside them, in TOAST, they cost a search 14 times as much."""
    _run(acme, Kind.PROMOTE_STORE, _store(acme).id)

    with connections["maintainer"].cursor() as cursor:
        cursor.execute(
            "SELECT attstorage::text, count(*) FROM pg_attribute"
            " JOIN pg_partition_tree('ingestion_passagevector') ON relid = attrelid"
            " WHERE attname = 'embedding' GROUP BY 1"
        )
        ((storage, count),) = cursor.fetchall()

    assert storage == "p"
    assert count >= 1 + 16 + 16 + 1, "the table, sixteenths, a common bucket each, and this one"


def test_what_comes_later_is_in_the_new_bucket_and_what_is_corrected_leaves_it(
    acme: Tenant,
) -> None:
    store = _store(acme)
    _run(acme, Kind.PROMOTE_STORE, store.id)
    with tenant_scope(acme.id):
        memory = remember(store=store, statement=Statement(text="The ferry sails at noon"))
        run_first = memory.id
    run_jobs(acme, Kind.EMBED_PASSAGES)
    with tenant_scope(acme.id):
        correct(memory_id=run_first, statement=Statement(text="The ferry sails at one"))
    run_jobs(acme, Kind.EMBED_PASSAGES)

    assert _answers(acme, store, "When does the boat leave?")[0] == "The ferry sails at one"
    # What it said before is with the past of the store, which is always in the common bucket.
    common, bucket = _buckets(acme)
    assert bucket > common == buckets.COMMON
    assert _buckets(acme) == {common: 1, bucket: len(TEXTS) + 1}


def test_a_store_goes_back_and_leaves_no_partition(acme: Tenant) -> None:
    store = _store(acme)
    before = _answers(acme, store)
    _run(acme, Kind.PROMOTE_STORE, store.id)

    job = _run(acme, Kind.DEMOTE_STORE, store.id)

    assert job.state == Job.State.SUCCEEDED
    assert _answers(acme, store) == before
    assert _buckets(acme) == {0: len(TEXTS)}
    assert _partitions(acme) == []
    with tenant_scope(acme.id):
        assert not LargeStore.objects.exists()


def test_a_promotion_that_was_cut_off_goes_on_or_is_undone(acme: Tenant) -> None:
    store = _store(acme)
    with tenant_scope(acme.id):
        LargeStore.objects.create(store_id=store.id, bucket=77, state=LargeStore.State.FILLING)

    promoted = _run(acme, Kind.PROMOTE_STORE, store.id)
    assert promoted.state == Job.State.SUCCEEDED
    assert _buckets(acme) == {77: len(TEXTS)}

    with tenant_scope(acme.id):
        LargeStore.objects.update(state=LargeStore.State.LEAVING)
    refused = _run(acme, Kind.PROMOTE_STORE, store.id)
    assert (refused.state, refused.error_code) == (Job.State.FAILED, "store-moving")

    _run(acme, Kind.DEMOTE_STORE, store.id)
    assert _buckets(acme) == {0: len(TEXTS)}


def test_a_memory_that_is_erased_in_the_middle_of_a_move_is_in_neither_bucket(
    acme: Tenant,
) -> None:
    store = _store(acme)
    _run(acme, Kind.PROMOTE_STORE, store.id)
    with tenant_scope(acme.id):
        large = LargeStore.objects.get()
        # As if what was copied back were not yet in effect.
        LargeStore.objects.update(state=LargeStore.State.LEAVING)
        copies = list(PassageVector.objects.values("store_id", "model", "passage_id", "embedding"))
        for copy in copies:
            PassageVector.objects.create(**copy, bucket=0)
        memory = Memory.objects.order_by("id").first()
        assert memory is not None
        request_erasure(target="memory", target_id=memory.id)

    run_jobs(acme, Kind.ERASE)

    left = len(TEXTS) - 1
    assert _buckets(acme) == {0: left, large.bucket: left}


def test_two_tenants_never_share_a_bucket(acme: Tenant, globex: Tenant) -> None:
    _run(acme, Kind.PROMOTE_STORE, _store(acme).id)
    (bucket,) = _buckets(acme)
    theirs = _store(globex)
    with tenant_scope(globex.id):
        LargeStore.objects.create(store_id=theirs.id, bucket=bucket, state=LargeStore.State.FILLING)

    _run(globex, Kind.PROMOTE_STORE, theirs.id)

    assert set(_partitions(acme)).isdisjoint(_partitions(globex))
    assert len(_answers(globex, theirs)) == len(TEXTS)


def test_globex_finds_nothing_in_acme_s_bucket(acme: Tenant, globex: Tenant) -> None:
    store = _store(acme)
    _run(acme, Kind.PROMOTE_STORE, store.id)

    assert _answers(globex, store) == []
    with tenant_scope(globex.id):
        assert not PassageVector.objects.filter(store_id=store.id).exists()


def test_a_worker_that_lost_its_lease_moves_nothing(acme: Tenant) -> None:
    store = _store(acme)
    with tenant_scope(acme.id):
        job = accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
        lease = claim_job(job.id)
        assert lease is not None
        Job.objects.filter(id=job.id).update(state=Job.State.CANCELLED)

    with pytest.raises(LeaseLost):
        promote_store(lease)

    assert set(_buckets(acme)) == {0}
