"""The job ledger: accept, claim, step, finish. Every effect commits with the job's own row.

A claim raises the job's fence. A step first writes the job's row where the fence is still its own,
which takes the row's lock until the step commits; so a worker that was thought dead writes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from souvenir.core.errors import SouvenirError
from souvenir.core.jobs import Job as Kind
from souvenir.core.jobs import enqueue
from tenants.errors import JobGaveUp, JobNotFound, LeaseLost
from tenants.isolation.scope import current_tenant, tenant_scope
from tenants.models import Job, Organization

LEASE = timedelta(seconds=120)  # longer than any single step
FIRST_RING = timedelta(seconds=30)  # a message not acted on by then counts as lost
MAX_ATTEMPTS = 5  # claims of one job
_UNFINISHED = (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job, until someone else claims it."""

    organization_id: UUID
    job_id: UUID
    subject_id: UUID
    fence: int

    @contextmanager
    def step(self, *, done: int | None = None, total: int | None = None) -> Iterator[None]:
        """One unit of work: a tenant scope that commits together with the job's progress.

        Raises:
            LeaseLost: the job was claimed by another, or ended.
        """
        with tenant_scope(self.organization_id):
            changes: dict[str, object] = {"ring_at": timezone.now() + LEASE}
            changes |= {} if done is None else {"done": done}
            changes |= {} if total is None else {"total": total}
            self._write(**changes)
            yield

    def finish(self) -> None:
        """Call inside the last step, so that the last effects and the end commit together."""
        self._write(state=Job.State.SUCCEEDED, finished_at=timezone.now())

    def fail(self, error: SouvenirError) -> None:
        """Call in a step of its own: what went wrong is what the person will read."""
        params = {name: str(value) for name, value in error.params.items()}
        self._write(
            state=Job.State.FAILED,
            finished_at=timezone.now(),
            error_code=error.code,
            error_params=params,
        )

    def postpone(self, *, seconds: float) -> None:
        """Give the job back; the sweep rings for it again after `seconds`."""
        self._write(state=Job.State.QUEUED, ring_at=timezone.now() + timedelta(seconds=seconds))

    def _write(self, **changes: object) -> None:
        held = Job.objects.filter(id=self.job_id, fence=self.fence, state=Job.State.RUNNING)
        if not held.update(**changes):
            raise LeaseLost


def accept_job(kind: Kind, *, subject_id: UUID, person_id: UUID | None, unit: str) -> Job:
    """Write the job down and ring for it when this transaction commits. Needs a tenant scope."""
    job = Job.objects.create(
        kind=kind.value,
        subject_id=subject_id,
        person_id=person_id,
        unit=unit,
        ring_at=timezone.now() + FIRST_RING,
    )
    enqueue(kind, organization_id=job.tenant_id, job_id=job.id)
    return job


def claim_job(job_id: UUID, *, kind: Kind | None = None) -> Lease | None:
    """Take a job that waits, or whose holder's lease ran out. None: there is nothing to do.

    With `kind`, a job of another kind is not taken: its code would not know what to do with it.

    Needs a tenant scope. After MAX_ATTEMPTS claims the job fails instead of being taken again.
    """
    if not Organization.objects.filter(id=current_tenant(), state="active").exists():
        return None
    now = timezone.now()
    free = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, ring_at__lt=now)
    found = Job.objects.select_for_update().filter(free, id=job_id)
    job = (found.filter(kind=kind.value) if kind else found).first()
    if job is None:
        return None
    if job.attempts >= MAX_ATTEMPTS:
        job.state, job.finished_at = Job.State.FAILED, now
        job.error_code, job.error_params = JobGaveUp.code, {"attempts": str(job.attempts)}
        job.save()
        return None
    job.state, job.ring_at = Job.State.RUNNING, now + LEASE
    job.started_at = job.started_at or now
    job.attempts, job.fence = job.attempts + 1, job.fence + 1
    job.save()
    return Lease(job.tenant_id, job.id, job.subject_id, job.fence)


def cancel_jobs(*, keep: UUID, subject_ids: list[UUID] | None = None) -> int:
    """End unfinished jobs on some subjects, or all of the organization's, but for the job `keep`.

    Whoever works on one loses the lease at the next step. Gives how many were ended.
    """
    found = Job.objects.filter(state__in=_UNFINISHED).exclude(id=keep)
    if subject_ids is not None:
        found = found.filter(subject_id__in=subject_ids)
    return found.update(state=Job.State.CANCELLED, finished_at=timezone.now())


def jobs(*, person_id: UUID | None = None) -> QuerySet[Job]:
    """Jobs of one person, or of all; newest first. Lazy."""
    found = Job.objects.order_by("-created_at", "-id")
    return found if person_id is None else found.filter(person_id=person_id)


def get_job(*, job_id: UUID, person_id: UUID | None = None) -> Job:
    """A job of one person, or of anyone. One query.

    Raises:
        JobNotFound: no such job in this organization.
    """
    job = jobs(person_id=person_id).filter(id=job_id).first()
    if job is None:
        raise JobNotFound(job_id=job_id)
    return job


def ring_overdue_jobs() -> int:
    """Ring for every job of this organization that nobody has taken, or whose holder is gone.

    Gives the number of jobs rung. Needs a tenant scope; the sweep loops over organizations.
    """
    now = timezone.now()
    overdue = list(Job.objects.filter(state__in=_UNFINISHED, ring_at__lt=now)[:500])
    for job in overdue:
        enqueue(Kind(job.kind), organization_id=job.tenant_id, job_id=job.id)
    waiting = [job.id for job in overdue if job.state == Job.State.QUEUED]
    Job.objects.filter(id__in=waiting).update(ring_at=now + FIRST_RING)
    return len(overdue)
