"""How a job is run: once in effect, whatever rings, dies or lies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core import signing
from django.utils import timezone
from prometheus_client import REGISTRY

from souvenir.config.environment import CHECKOUT
from souvenir.core.jobs import Job as Kind
from souvenir.core.jobs import read_ticket, ring
from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.models import Conversation
from souvenir.memories.services import ensure_person
from tenants import objects
from tenants.errors import LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger import MAX_ATTEMPTS, Lease, accept_job, claim_job, place_missing_rings
from tenants.models import Job, Ring
from tenants.services import suspend_organization
from tests.builders import Tenant, chatgpt_export, empty_the_broker
from workers.relaying import relay_database, tell_of_the_outbox
from workers.running import work
from workers.sweeping import sweep


def _accept(tenant: Tenant) -> UUID:
    with tenant_scope(tenant.id):
        return accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables").id


def _claim(tenant: Tenant, job_id: UUID) -> Lease | None:
    with tenant_scope(tenant.id):
        return claim_job(job_id)


def _job(tenant: Tenant, job_id: UUID) -> Job:
    with tenant_scope(tenant.id):
        return Job.objects.get(id=job_id)


def _age(tenant: Tenant, job_id: UUID) -> None:
    """Let the lease run out, as it does when its holder was killed."""
    with tenant_scope(tenant.id):
        Job.objects.filter(id=job_id).update(ring_at=timezone.now() - timedelta(seconds=1))


def test_a_job_is_claimed_once(acme: Tenant) -> None:
    job_id = _accept(acme)

    first, second = _claim(acme, job_id), _claim(acme, job_id)

    assert first is not None
    assert second is None


def test_a_job_whose_holder_died_is_claimed_again(acme: Tenant) -> None:
    job_id = _accept(acme)
    _claim(acme, job_id)
    _age(acme, job_id)

    assert _claim(acme, job_id) is not None


def test_a_holder_that_was_thought_dead_writes_nothing(acme: Tenant) -> None:
    job_id = _accept(acme)
    old = _claim(acme, job_id)
    _age(acme, job_id)
    _claim(acme, job_id)
    assert old is not None

    def write_late() -> None:
        with old.step(done=7):
            ensure_person(external_id="ghost")

    with pytest.raises(LeaseLost):
        write_late()
    with tenant_scope(acme.id), pytest.raises(LeaseLost):
        old.finish()
    assert _job(acme, job_id).done == 0


def test_a_step_and_its_effects_commit_together(acme: Tenant) -> None:
    lease = _claim(acme, _accept(acme))
    assert lease is not None

    def fail_half_way() -> None:
        with lease.step(done=5):
            ensure_person(external_id="alice")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    assert _job(acme, lease.job_id).done == 0
    assert acme.http.get("/api/v1/people").json()["results"] == []


def test_a_job_that_never_finishes_gives_up_and_says_so(acme: Tenant) -> None:
    job_id = _accept(acme)
    for _ in range(MAX_ATTEMPTS):
        assert _claim(acme, job_id) is not None
        _age(acme, job_id)

    assert _claim(acme, job_id) is None
    answer = acme.http.get(f"/api/v1/jobs/{job_id}").json()
    assert (answer["state"], answer["error"]["code"]) == ("failed", "job-gave-up")


def test_what_passes_by_itself_gives_the_job_back(acme: Tenant) -> None:
    lease = _claim(acme, _accept(acme))
    assert lease is not None

    def unavailable(_: Lease) -> None:
        raise EmbedderUnavailable

    work(lease, unavailable)

    job = _job(acme, lease.job_id)
    assert (job.state, job.error_class) == ("queued", "transient")
    assert job.error_code == EmbedderUnavailable.code
    assert job.ring_at > timezone.now()


def test_a_suspended_organization_s_job_waits(acme: Tenant) -> None:
    job_id = _accept(acme)
    suspend_organization(organization_id=acme.id)

    assert _claim(acme, job_id) is None
    assert _job(acme, job_id).state == "queued"


def test_what_the_outbox_has_lost_is_owed_again(acme: Tenant, globex: Tenant) -> None:
    lost = [_accept(tenant) for tenant in (acme, globex)]
    Ring.objects.filter(job_id__in=lost).delete()

    with tenant_scope(acme.id):
        first, again = place_missing_rings(), place_missing_rings()

    assert (first, again) == (1, 0)
    assert sweep()["place-missing-rings"] >= 1  # the other organization's
    assert Ring.objects.filter(job_id__in=lost).count() == 2


def test_the_relay_tells_what_it_owes_and_for_how_long(acme: Tenant) -> None:
    labels = {"queue": "erasure", "state": "waiting"}
    tell_of_the_outbox(using=relay_database())
    before = REGISTRY.get_sample_value("souvenir_outbox", labels)
    assert before is not None
    _accept(acme)

    tell_of_the_outbox(using=relay_database())

    assert REGISTRY.get_sample_value("souvenir_outbox", labels) == before + 1
    oldest = REGISTRY.get_sample_value("souvenir_outbox_oldest_seconds", {"queue": "erasure"})
    assert oldest is not None
    assert oldest >= 0


def test_the_sweep_tells_how_many_jobs_have_not_ended(acme: Tenant) -> None:
    sweep()
    labels = {"kind": "erase", "state": "queued"}
    before = REGISTRY.get_sample_value("souvenir_jobs", labels)
    assert before is not None
    _accept(acme)

    sweep()

    assert REGISTRY.get_sample_value("souvenir_jobs", labels) == before + 1


@pytest.mark.parametrize("forged", ["", "x", "a:b:c", "WyJlcmFzZSJd:1:2"])
def test_a_forged_ticket_opens_nothing(forged: str) -> None:
    with pytest.raises(signing.BadSignature):
        read_ticket(forged, job=Kind.ERASE)


def test_a_ticket_for_another_kind_of_job_opens_nothing() -> None:
    ticket = signing.dumps([Kind.ERASE.value, str(uuid4()), str(uuid4())], salt="souvenir.job")

    with pytest.raises(signing.BadSignature):
        read_ticket(ticket, job=Kind.RUN_IMPORT)


def test_globex_cannot_claim_acme_s_job(acme: Tenant, globex: Tenant) -> None:
    assert _claim(globex, _accept(acme)) is None


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker on the real broker, as the run-time role and nothing more."""
    empty_the_broker()  # what other tests rang for is not what this one waits for
    environment = {k: v for k, v in os.environ.items() if k != "SOUVENIR_OWNER_DATABASE_URL"}
    environment |= {"PYTHONPATH": f"platform{os.pathsep}."}
    command = [
        *(sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-P", "prefork"),
        *("-c", "1", "-Q", "bulk,interactive,erasure", "--without-gossip", "--without-mingle"),
    ]
    process = subprocess.Popen(  # noqa: S603 — our own command
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield process
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def test_a_real_worker_brings_an_import_in_however_often_it_is_rung(
    acme: Tenant, worker: subprocess.Popen[bytes]
) -> None:
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        record = accept_import(person=person, upload=Upload("c.json", [chatgpt_export("Bonjour")]))
    assert record.job_id is not None
    for _ in range(2):
        ring(Kind.RUN_IMPORT, organization_id=acme.id, job_id=record.job_id)

    deadline = time.monotonic() + 60
    while _job(acme, record.job_id).state != "succeeded" and time.monotonic() < deadline:
        assert worker.poll() is None, "the worker has died"
        time.sleep(0.1)

    job = _job(acme, record.job_id)
    assert (job.state, job.fence) == ("succeeded", 1)
    with tenant_scope(acme.id):
        assert Conversation.objects.count() == 1


def test_the_sweep_removes_what_a_killed_process_had_begun_to_write(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        objects.store("assets", "whole", [b"x"], sealed_for=[acme.id])
        folder = objects.stored("assets", "whole").path.parent
        old, fresh = folder / ".draft-old", folder / ".draft-new"
        for draft in (old, fresh):
            draft.write_bytes(b"half")
        os.utime(old, (0, 0))

    sweep()

    assert (old.exists(), fresh.exists()) == (False, True)
    with tenant_scope(acme.id):
        assert objects.names("assets") == ["whole"]
