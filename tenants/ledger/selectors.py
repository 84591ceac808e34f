"""Questions about jobs. All need a tenant scope."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from souvenir.core.jobs import Job as Kind
from tenants.errors import JobNotFound
from tenants.keyring.errors import ContentGone
from tenants.models import Job, JobItem

UNFINISHED = (Job.State.QUEUED, Job.State.RUNNING)
NEVER_CANCELLED = (Kind.ERASE.value,)  # what was asked to go goes
SET_ASIDE = (JobItem.State.FAILED, JobItem.State.QUARANTINED)


def jobs(
    *,
    person_id: UUID | None = None,
    kind: str | None = None,
    state: str | None = None,
    since: datetime | None = None,
) -> QuerySet[Job]:
    """Jobs of one person, or of all; of a kind, in a state, accepted since. Newest first. Lazy."""
    asked = {"person_id": person_id, "kind": kind, "state": state, "created_at__gte": since}
    given = {name: value for name, value in asked.items() if value is not None}
    return Job.objects.order_by("-created_at", "-id").filter(**given)


def get_job(*, job_id: UUID, person_id: UUID | None = None) -> Job:
    """A job of one person, or of anyone. One query.

    Raises:
        JobNotFound: no such job in this organization.
    """
    job = jobs(person_id=person_id).filter(id=job_id).first()
    if job is None:
        raise JobNotFound(job_id=job_id)
    return job


def unfinished_by_kind() -> dict[tuple[str, str], int]:
    """How many jobs of the organization have not ended, by kind and state. One query."""
    counted = Job.objects.filter(state__in=UNFINISHED).values_list("kind", "state")
    return {(kind, state): n for kind, state, n in counted.annotate(n=Count("id"))}


def can_be_cancelled(job: Job) -> bool:
    """Whether it can still be stopped. No query; it may end the moment after."""
    return job.state in UNFINISHED and job.kind not in NEVER_CANCELLED


def can_be_retried(job: Job) -> bool:
    """Whether something of it failed that can be tried again. No query."""
    if job.state == Job.State.FAILED:
        return True
    return job.state == Job.State.SUCCEEDED and job.failed > 0


def error_params_of(job: Job) -> dict[str, str]:
    """What the sentence of a job's error is about. Without what was sealed, where its key has gone.

    Raises:
        KeystoreUnavailable, KeyRefused
    """
    try:
        told = job.error_told or {}
    except ContentGone:
        told = {}
    return {**job.error_params, **told}


def children_of(*, job_id: UUID) -> QuerySet[Job]:
    """The jobs that a job has asked for, newest first. Lazy."""
    return jobs().filter(parent_id=job_id)


def job_items(*, job_id: UUID) -> QuerySet[JobItem]:
    """The items of a job, in the order of the work. Lazy; filter by `state`."""
    return JobItem.objects.filter(job_id=job_id).order_by("ordinal", "first")
