"""The ledger: what a person can do to a job, and what following one tells."""

from uuid import UUID, uuid4

import pytest

from souvenir.core.jobs import Job as Kind
from tenants.errors import (
    JobEnded,
    JobNotCancellable,
    JobNotFound,
    LeaseLost,
    NothingToRetry,
)
from tenants.isolation.scope import tenant_scope
from tenants.ledger import (
    Lease,
    accept_job,
    cancel_job,
    claim_job,
    get_job,
    job_items,
    retry_failed_items,
)
from tenants.models import Job, JobItem
from tests.builders import Tenant


def _accept(tenant: Tenant, kind: Kind = Kind.EMBED_PASSAGES, parent: UUID | None = None) -> UUID:
    with tenant_scope(tenant.id):
        return accept_job(
            kind, subject_id=uuid4(), person_id=None, unit="passages", parent_id=parent
        ).id


def _claim(tenant: Tenant, job_id: UUID) -> Lease:
    with tenant_scope(tenant.id):
        lease = claim_job(job_id)
    assert lease is not None
    return lease


def _job(tenant: Tenant, job_id: UUID) -> Job:
    with tenant_scope(tenant.id):
        return get_job(job_id=job_id)


def test_a_cancelled_job_writes_nothing_more(acme: Tenant) -> None:
    lease = _claim(acme, _accept(acme))

    with tenant_scope(acme.id):
        job = cancel_job(job_id=lease.job_id)

    assert job.state == "cancelled"
    assert job.cancel_requested_at is not None
    with pytest.raises(LeaseLost), lease.step(done=1):
        pass


def test_cancelling_twice_changes_nothing(acme: Tenant) -> None:
    job_id = _accept(acme)
    with tenant_scope(acme.id):
        first = cancel_job(job_id=job_id)

        again = cancel_job(job_id=job_id)

    assert (again.version, again.finished_at) == (first.version, first.finished_at)


def test_cancelling_a_job_cancels_what_it_asked_for(acme: Tenant) -> None:
    parent = _accept(acme)
    child = _accept(acme, parent=parent)
    stranger = _accept(acme)

    with tenant_scope(acme.id):
        cancel_job(job_id=parent)

    assert _job(acme, child).state == "cancelled"
    assert _job(acme, stranger).state == "queued"


def test_what_has_ended_cannot_be_cancelled(acme: Tenant) -> None:
    lease = _claim(acme, _accept(acme))
    with lease.step():
        lease.finish()

    with tenant_scope(acme.id), pytest.raises(JobEnded):
        cancel_job(job_id=lease.job_id)


def test_an_erasure_cannot_be_cancelled(acme: Tenant) -> None:
    job_id = _accept(acme, Kind.ERASE)

    with tenant_scope(acme.id), pytest.raises(JobNotCancellable):
        cancel_job(job_id=job_id)


def test_globex_can_neither_cancel_nor_retry_acme_s_job(acme: Tenant, globex: Tenant) -> None:
    job_id = _accept(acme)

    for verb in (cancel_job, retry_failed_items):
        with tenant_scope(globex.id), pytest.raises(JobNotFound):
            verb(job_id=job_id)
    assert _job(acme, job_id).state == "queued"


def test_only_what_failed_is_tried_again(acme: Tenant) -> None:
    lease = _claim(acme, _accept(acme))
    with lease.step(done=1):
        for ordinal, state in enumerate(("succeeded", "failed", "quarantined")):
            JobItem.objects.create(job_id=lease.job_id, ordinal=ordinal, name="u", state=state)
        lease.finish()

    with tenant_scope(acme.id):
        job = retry_failed_items(job_id=lease.job_id)

        states = [item.state for item in job_items(job_id=lease.job_id)]
    assert (job.state, job.finished_at) == ("queued", None)
    assert states == ["succeeded", "queued", "queued"]


def test_a_job_of_which_nothing_failed_is_not_tried_again(acme: Tenant) -> None:
    lease = _claim(acme, _accept(acme))
    with tenant_scope(acme.id), pytest.raises(NothingToRetry):
        retry_failed_items(job_id=lease.job_id)
    with lease.step():
        lease.finish()

    with tenant_scope(acme.id), pytest.raises(NothingToRetry):
        retry_failed_items(job_id=lease.job_id)


def test_globex_s_items_are_not_there(acme: Tenant, globex: Tenant) -> None:
    lease = _claim(acme, _accept(acme))
    with lease.step():
        JobItem.objects.create(job_id=lease.job_id, ordinal=0, name="u")

    with tenant_scope(globex.id):
        assert not job_items(job_id=lease.job_id).exists()


def test_every_change_that_a_person_can_see_grows_the_version(acme: Tenant) -> None:
    job_id = _accept(acme)
    versions = [_job(acme, job_id).version]
    lease = _claim(acme, job_id)
    versions.append(_job(acme, job_id).version)
    with lease.step(done=3, total=9):
        pass
    versions.append(_job(acme, job_id).version)
    lease.renew()
    assert _job(acme, job_id).version == versions[-1], "holding on is not news"
    with lease.step():
        lease.finish()
    versions.append(_job(acme, job_id).version)

    assert versions == sorted(set(versions))
