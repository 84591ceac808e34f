"""Taking a job, so that one worker at a time has it."""

import os
from uuid import UUID

from django.db.models import Exists, Q
from django.utils import timezone

from souvenir.core.jobs import QUEUES, Queue
from souvenir.core.jobs import Job as Kind
from tenants.errors import JobGaveUp
from tenants.isolation.scope import current_tenant
from tenants.ledger import rings
from tenants.ledger.frozen import end_frozen_step
from tenants.ledger.lease import LEASE, Lease
from tenants.ledger.selectors import UNFINISHED
from tenants.models import Allowance, Breaker, Job, Organization, Ring

MAX_ATTEMPTS = 5  # claims of one job without its moving on
_ERROR = ("error_code", "error_params")
_CLAIMED = (
    *("state", "ring_at", "holder", "started_at", "attempts", "fence"),
    *("version", "changed_at"),
)


def claim_job(job_id: UUID, *, kind: Kind | None = None) -> Lease | None:
    """Take a job that waits, or whose holder's lease ran out. None: there is nothing to do.

    With `kind`, a job of another kind is not taken: its code would not know what to do with it.
    Nor is one whose row is locked: whoever locks it is alive, or is ended (`end_frozen_step`). But
    who only adds to one that nobody has begun (`join_waiting_job`) is waited for.

    Needs a tenant scope. After MAX_ATTEMPTS claims the job fails instead of being taken again.
    """
    now = timezone.now()
    gone = Q(ring_at__lt=now) | Q(holder="")
    free = Q(state=Job.State.QUEUED) | Q(gone, state=Job.State.RUNNING)
    active = Exists(Organization.objects.filter(id=current_tenant(), state="active"))
    found = Job.objects.select_for_update(skip_locked=True).filter(free, active, id=job_id)
    found = found.filter(kind=kind.value) if kind else found
    job = next(iter(found), None) or next(iter(found.select_for_update().filter(fence=0)), None)
    if job is None and end_frozen_step(job_id):
        job = next(iter(found.all()), None)
    if job is None:
        _forget_if_ended(job_id)
        return None
    job.version, job.changed_at = job.version + 1, now
    if job.attempts >= MAX_ATTEMPTS:
        job.state, job.finished_at, job.holder = Job.State.FAILED, now, ""
        job.error_class = Job.ErrorClass.POISON
        job.error_code, job.error_params = JobGaveUp.code, {"attempts": str(job.attempts)}
        job.save(update_fields=[*_CLAIMED, "finished_at", "error_class", *_ERROR])
        rings.bury(job_id, reason=JobGaveUp.code)
        return None
    job.state, job.ring_at, job.holder = Job.State.RUNNING, now + LEASE, _this_process()
    job.started_at = job.started_at or now
    job.attempts, job.fence = job.attempts + 1, job.fence + 1
    job.save(update_fields=_CLAIMED)
    rings.answered(job_id, until=job.ring_at, queue=QUEUES[Kind(job.kind)])
    return Lease(job.tenant_id, job.id, job.subject_id, Kind(job.kind), job.fence, job.attempts)


def claim_next(queue: Queue) -> Lease | None:
    """Take the job of the organization in scope that has waited longest in a queue, unrung.

    For a worker that has the organization's turn and time left in it: many small jobs then cost
    one message. What is rung already, or waits for its time or for a dependency, is left alone.
    """
    organization_id = current_tenant()
    broken = Breaker.objects.filter(open_until__isnull=False).values("kind")
    paused = Allowance.objects.filter(organization_id=organization_id, paused=True)
    waiting = Ring.objects.select_for_update(skip_locked=True).filter(
        ~Exists(paused),
        queue=queue.value,
        state=Ring.State.WAITING,
        organization_id=organization_id,
        due_at__lte=timezone.now(),
    )
    ring = next(iter(waiting.exclude(kind__in=broken).order_by("due_at")[:1]), None)
    return claim_job(ring.job_id) if ring is not None else None


def _forget_if_ended(job_id: UUID) -> None:
    """Nothing is owed for a job that has ended, or is not there: whoever ended it forgot."""
    if not Job.objects.filter(id=job_id, state__in=UNFINISHED).exists():
        rings.forget(job_id)


def _this_process() -> str:
    return f"{os.uname().nodename[:100]}:{os.getpid()}"
