"""Taking a job, so that one worker at a time has it."""

import os
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from tenants.errors import JobGaveUp
from tenants.isolation.scope import current_tenant
from tenants.ledger import rings
from tenants.ledger.lease import LEASE, Lease
from tenants.ledger.selectors import UNFINISHED
from tenants.models import Job, Organization

MAX_ATTEMPTS = 5  # claims of one job without its moving on


def claim_job(job_id: UUID, *, kind: Kind | None = None) -> Lease | None:
    """Take a job that waits, or whose holder's lease ran out. None: there is nothing to do.

    With `kind`, a job of another kind is not taken: its code would not know what to do with it.
    Nor is one whose row is locked: whoever locks it is alive.

    Needs a tenant scope. After MAX_ATTEMPTS claims the job fails instead of being taken again.
    """
    if not Organization.objects.filter(id=current_tenant(), state="active").exists():
        return None
    now = timezone.now()
    gone = Q(ring_at__lt=now) | Q(holder="")
    free = Q(state=Job.State.QUEUED) | Q(gone, state=Job.State.RUNNING)
    found = Job.objects.select_for_update(skip_locked=True).filter(free, id=job_id)
    job = (found.filter(kind=kind.value) if kind else found).first()
    if job is None:
        _forget_if_ended(job_id)
        return None
    job.version, job.changed_at = job.version + 1, now
    if job.attempts >= MAX_ATTEMPTS:
        job.state, job.finished_at, job.holder = Job.State.FAILED, now, ""
        job.error_class = Job.ErrorClass.POISON
        job.error_code, job.error_params = JobGaveUp.code, {"attempts": str(job.attempts)}
        job.save()
        rings.bury(job_id, reason=JobGaveUp.code)
        return None
    job.state, job.ring_at, job.holder = Job.State.RUNNING, now + LEASE, _this_process()
    job.started_at = job.started_at or now
    job.attempts, job.fence = job.attempts + 1, job.fence + 1
    job.save()
    rings.answered(job_id, until=job.ring_at)
    return Lease(job.tenant_id, job.id, job.subject_id, Kind(job.kind), job.fence, job.attempts)


def _forget_if_ended(job_id: UUID) -> None:
    """Nothing is owed for a job that has ended, or is not there: whoever ended it forgot."""
    if not Job.objects.filter(id=job_id, state__in=UNFINISHED).exists():
        rings.forget(job_id)


def _this_process() -> str:
    return f"{os.uname().nodename[:100]}:{os.getpid()}"
