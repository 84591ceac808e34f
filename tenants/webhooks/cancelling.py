"""Stopping a job, and telling at once those who wait to hear of it."""

from uuid import UUID

from tenants.ledger import cancel_job
from tenants.models import Job
from tenants.webhooks.recording import tell_of_ended_jobs


def cancel_and_tell(*, job_id: UUID, person_id: UUID | None = None) -> Job:
    """Stop a job, in one transaction with what webhooks are told. Needs a tenant scope.

    Raises:
        JobNotFound, JobEnded, JobNotCancellable
    """
    job = cancel_job(job_id=job_id, person_id=person_id)
    tell_of_ended_jobs()
    return job
