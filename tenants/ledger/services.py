"""Accept jobs, cancel them, try again. All need a tenant scope."""

from uuid import UUID

from django.db import connection
from django.utils import timezone

from souvenir.core.jobs import QUEUES
from souvenir.core.jobs import Job as Kind
from souvenir.core.metrics import jobs_accepted
from tenants.errors import JobEnded, JobNotCancellable, NothingToRetry
from tenants.isolation.scope import current_tenant
from tenants.ledger import rings
from tenants.ledger.changing import NO_ERROR, change
from tenants.ledger.selectors import NEVER_CANCELLED, SET_ASIDE, UNFINISHED, get_job, job_items
from tenants.models import Job, JobItem, Ring

# Several may add to one at once, and none waits for another.
_UNBEGUN = """
    SELECT j.id FROM tenants_job j
    WHERE j.tenant_id = %(tenant)s AND j.state = 'queued' AND j.kind = %(kind)s
      AND j.subject_id = %(subject)s AND j.fence = 0 AND j.cancel_requested_at IS NULL
      AND EXISTS (SELECT FROM tenants_ring r
                  WHERE r.job_id = j.id AND r.state IN ('waiting', 'rung'))
    LIMIT 1 FOR SHARE OF j SKIP LOCKED
"""


def accept_job(
    kind: Kind,
    *,
    subject_id: UUID,
    person_id: UUID | None,
    unit: str,
    parent_id: UUID | None = None,
) -> Job:
    """Write the job down, and that a message is owed for it, in this transaction.

    `parent_id` is the job that asks for this one: cancelling that cancels this.
    """
    job = Job.objects.create(
        kind=kind.value,
        subject_id=subject_id,
        person_id=person_id,
        parent_id=parent_id,
        unit=unit,
    )
    rings.place(job)
    jobs_accepted.labels(kind.value, QUEUES[kind].value).inc()
    return job


def join_waiting_job(kind: Kind, *, subject_id: UUID) -> bool:
    """Leave to a job what was added to its subject in this transaction, if one waits for its turn.

    For kinds that do whatever there is to do when they begin. Nobody begins it, or cancels it,
    before this transaction ends: so what was added is there to be seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _UNBEGUN, {"tenant": current_tenant(), "kind": kind.value, "subject": subject_id}
        )
        return cursor.fetchone() is not None


def cancel_job(*, job_id: UUID, person_id: UUID | None = None) -> Job:
    """Stop a job and those it has asked for. What it has done stays; nothing more is written.

    Cancelling twice changes nothing.

    Raises:
        JobNotFound
        JobEnded: it has succeeded or failed already.
        JobNotCancellable: an erasure is carried out once it is accepted.
    """
    job = get_job(job_id=job_id, person_id=person_id)
    if job.kind in NEVER_CANCELLED:
        raise JobNotCancellable(job_id=job_id)
    now = timezone.now()
    ended = {"state": Job.State.CANCELLED, "cancel_requested_at": now, "finished_at": now}
    unfinished = Job.objects.filter(state__in=UNFINISHED)
    if change(unfinished.filter(id=job_id), holder="", **ended):
        found = unfinished.filter(parent_id=job_id).exclude(kind__in=NEVER_CANCELLED)
        children = list(found.values_list("id", flat=True))
        change(unfinished.filter(id__in=children), holder="", **ended)
        rings.take_away([job_id, *children])
    job.refresh_from_db()
    if job.state != Job.State.CANCELLED:
        raise JobEnded(job_id=job_id)
    return job


def cancel_jobs(*, keep: UUID, subject_ids: list[UUID] | None = None) -> int:
    """End unfinished jobs on some subjects, or all of the organization's, but for the job `keep`.

    Whoever works on one loses the lease at the next step. Gives how many were ended.
    """
    found = Job.objects.filter(state__in=UNFINISHED).exclude(id=keep)
    if subject_ids is not None:
        found = found.filter(subject_id__in=subject_ids)
    ids = list(found.values_list("id", flat=True))
    if not ids:
        return 0
    rings.take_away(ids)
    unfinished = Job.objects.filter(id__in=ids, state__in=UNFINISHED)
    return change(unfinished, state=Job.State.CANCELLED, holder="", finished_at=timezone.now())


def retry_failed_items(*, job_id: UUID, person_id: UUID | None = None) -> Job:
    """Let a job that ended try again what it set aside; without items, all of it.

    What went well is not done again.

    Raises:
        JobNotFound
        NothingToRetry: it has not ended, or nothing of it failed.
    """
    job = get_job(job_id=job_id, person_id=person_id)
    failed = job_items(job_id=job_id).filter(state__in=SET_ASIDE)
    ended = Job.objects.filter(id=job_id, state__in=(Job.State.SUCCEEDED, Job.State.FAILED))
    if not (failed.exists() or job.state == Job.State.FAILED):
        raise NothingToRetry(job_id=job_id)
    queued = change(
        ended,
        state=Job.State.QUEUED,
        attempts=0,
        failed=0,
        finished_at=None,
        ring_at=timezone.now(),
        **NO_ERROR,
    )
    if not queued:
        raise NothingToRetry(job_id=job_id)
    failed.update(
        state=JobItem.State.QUEUED, losses=0, error_class="", error_code="", error_params={}
    )
    rings.place(job)
    job.refresh_from_db()
    return job


def replay(*, job_id: UUID) -> Job:
    """Try again what is a dead letter: a job that gave up, or one whose message was refused.

    Raises:
        JobNotFound
        NothingToRetry: it is neither.
    """
    job = get_job(job_id=job_id)
    if job.state not in UNFINISHED:
        return retry_failed_items(job_id=job_id)
    rings.place(job)
    return job


def place_missing_rings() -> int:
    """Owe a message again for unfinished jobs that the outbox does not know: it was restored from
    an older copy, or emptied. Gives how many. The sweep loops over organizations.
    """
    unfinished = Job.objects.filter(state__in=UNFINISHED)
    known = Ring.objects.filter(organization_id=current_tenant()).values("job_id")
    missing = list(unfinished.exclude(id__in=known)[:500])
    for job in missing:
        rings.place(job)
    return len(missing)
