"""A step of which nothing is heard is ended by whoever claims its job; one that lives is not."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.memories.models import Person
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, accept_job, cancel_job, claim_job, frozen
from tenants.models import Job, Ring
from tests.builders import Tenant

_PATIENCE_SECONDS = 60.0


class _InAStep:
    """A holder in a thread, and so on a connection, of its own; it has begun a step, and waits."""

    def __init__(self, lease: Lease, workers: ThreadPoolExecutor) -> None:
        self._has_begun, self._goes_on = threading.Event(), threading.Event()
        self._ended: Future[None] = workers.submit(self._work, lease)
        assert self._has_begun.wait(_PATIENCE_SECONDS)

    def _work(self, lease: Lease) -> None:
        try:
            with lease.step(done=1):
                ensure_person(external_id="of the step")
                self._has_begun.set()
                assert self._goes_on.wait(_PATIENCE_SECONDS)
                ensure_person(external_id="of its end")
        finally:
            connection.close()

    def wake(self) -> None:
        """Let it go on, to its end."""
        self._goes_on.set()
        self._ended.result(_PATIENCE_SECONDS)


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as found:
        yield found


@pytest.fixture
def lease(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """Of a job that was claimed once, long ago; what was asked a moment ago is long ago as well."""
    monkeypatch.setattr(frozen, "LEASE", timedelta(0))
    with tenant_scope(acme.id):
        job = accept_job(Kind.EMBED_PASSAGES, subject_id=uuid4(), person_id=None, unit="passages")
        found = claim_job(job.id)
        Job.objects.filter(id=job.id).update(ring_at=timezone.now() - timedelta(seconds=1))
    assert found is not None
    return found


def _ring_again(lease: Lease) -> None:
    """As the relay does for a job of which no beat is heard."""
    Ring.objects.filter(job_id=lease.job_id).update(state=Ring.State.RUNG)


def _claimed(lease: Lease) -> Lease | None:
    with tenant_scope(lease.organization_id):
        return claim_job(lease.job_id)


def _people(lease: Lease) -> set[str]:
    with tenant_scope(lease.organization_id):
        return set(Person.objects.values_list("external_id", flat=True))


def test_a_frozen_step_is_ended_and_its_job_is_claimed(
    lease: Lease, workers: ThreadPoolExecutor
) -> None:
    step = _InAStep(lease, workers)
    _ring_again(lease)

    found = _claimed(lease)

    assert found is not None
    assert found.fence == lease.fence + 1
    with pytest.raises(DatabaseError):
        step.wake()
    assert _people(lease) == set()


def test_the_step_of_a_holder_that_beats_is_left_alone(
    lease: Lease, workers: ThreadPoolExecutor
) -> None:
    step = _InAStep(lease, workers)
    _ring_again(lease)
    lease.renew()  # it does not wait for the step

    assert _claimed(lease) is None
    step.wake()
    assert _people(lease) == {"of the step", "of its end"}


def test_a_transaction_that_has_spoken_since_is_left_alone(
    lease: Lease, workers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "LEASE", timedelta(minutes=5))
    step = _InAStep(lease, workers)
    _ring_again(lease)

    assert _claimed(lease) is None
    step.wake()
    assert _people(lease) == {"of the step", "of its end"}


def test_who_cancels_the_job_is_left_alone(lease: Lease, workers: ThreadPoolExecutor) -> None:
    _ring_again(lease)
    with tenant_scope(lease.organization_id):
        cancel_job(job_id=lease.job_id)

        def claim() -> Lease | None:
            try:
                return _claimed(lease)
            finally:
                connection.close()

        assert workers.submit(claim).result(_PATIENCE_SECONDS) is None
    with tenant_scope(lease.organization_id):
        assert Job.objects.get(id=lease.job_id).state == "cancelled"


def test_globex_ends_no_step_of_acme_s(
    globex: Tenant, lease: Lease, workers: ThreadPoolExecutor
) -> None:
    step = _InAStep(lease, workers)
    _ring_again(lease)

    with tenant_scope(globex.id):
        assert claim_job(lease.job_id) is None
    step.wake()
    assert _people(lease) == {"of the step", "of its end"}
