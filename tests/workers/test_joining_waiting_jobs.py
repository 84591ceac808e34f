"""Many additions at once are one job: who adds while one waits leaves it to that one."""

import threading
from uuid import UUID

from django.db import connection

from souvenir.core.jobs import Job as Kind
from souvenir.embedding.services import embed_store
from souvenir.ingestion.models import Passage
from souvenir.ingestion.services import remember
from souvenir.memories.models import Memory
from souvenir.memories.services import Statement, store_meant
from tenants.isolation.scope import tenant_scope
from tenants.ledger import cancel_job, claim_job
from tenants.models import Job
from tests.builders import Tenant


def _remember(text: str, *, person: str = "alice") -> Memory:
    store = store_meant(bound_to=None, external_id=person, slug=None)
    return remember(store=store, statement=Statement(text=text))


def _waiting() -> list[UUID]:
    found = Job.objects.filter(kind=Kind.EMBED_PASSAGES.value, state=Job.State.QUEUED)
    return list(found.order_by("id").values_list("id", flat=True))


def _embed(tenant: Tenant, job_id: UUID) -> None:
    with tenant_scope(tenant.id):
        lease = claim_job(job_id, kind=Kind.EMBED_PASSAGES)
    assert lease is not None
    embed_store(lease)


def _without_vector() -> int:
    return Passage.objects.filter(embedded_with="").count()


def test_many_additions_to_a_store_are_one_job_that_embeds_them_all(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        for number in range(5):
            _remember(f"La maison numéro {number} est bleue.")
        (job_id,) = _waiting()
    _embed(acme, job_id)

    with tenant_scope(acme.id):
        assert (_without_vector(), _waiting()) == (0, [])
        assert Job.objects.get(id=job_id).done == 5


def test_another_store_or_organization_has_a_job_of_its_own(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        with tenant_scope(tenant.id):
            _remember("Un.", person="alice")
            _remember("Deux.", person="bob")

    for tenant in (acme, globex):
        with tenant_scope(tenant.id):
            assert len(_waiting()) == 2


def test_a_job_that_was_begun_or_stopped_is_not_joined(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        _remember("Un.")
        (begun,) = _waiting()
        claim_job(begun)
    with tenant_scope(acme.id):
        _remember("Deux.")
        (second,) = _waiting()
        cancel_job(job_id=second)
    with tenant_scope(acme.id):
        _remember("Trois.")

        assert len(_waiting()) == 1


def test_whoever_begins_a_job_waits_for_who_just_adds_to_it(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        _remember("Un.")
        (job_id,) = _waiting()
    added, turned = threading.Event(), threading.Event()

    def add() -> None:
        with tenant_scope(acme.id):
            _remember("Deux.")
            added.set()
            turned.wait(0.5)  # the turn is taken meanwhile, and cannot end before this commits
        connection.close()

    adding = threading.Thread(target=add)
    adding.start()
    added.wait(10)
    _embed(acme, job_id)
    turned.set()
    adding.join()

    with tenant_scope(acme.id):
        assert (_without_vector(), _waiting()) == (0, [])
