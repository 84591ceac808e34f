"""How every job is run: read the ticket, claim, work, and write down what went wrong."""

import logging
from collections.abc import Callable
from typing import Any

from souvenir.core.errors import SouvenirError, Unavailable
from souvenir.core.jobs import Job, read_ticket
from tenants.errors import LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, claim_job
from workers.app import app

logger = logging.getLogger(__name__)
_RETRY_SECONDS = 30.0


def job_task(job: Job, handler: Callable[[Lease], None]) -> Any:  # noqa: ANN401 — Celery has no types
    """Make the Celery task of a job. Its message is a doorbell: rung twice, it works once."""

    def run(*, ticket: str) -> None:
        organization_id, job_id = read_ticket(ticket, job=job)
        with tenant_scope(organization_id):
            lease = claim_job(job_id)
        if lease is not None:
            work(lease, handler)

    return app.task(name=job.value)(run)


def work(lease: Lease, handler: Callable[[Lease], None]) -> None:
    """Run a claimed job. What a person can act on ends it; what passes gives it back for later."""
    try:
        handler(lease)
    except LeaseLost:
        logger.info("job %s was taken over", lease.job_id)
    except Unavailable as error:
        logger.warning("job %s waits: %s", lease.job_id, error.code)
        with tenant_scope(lease.organization_id):
            lease.postpone(seconds=_RETRY_SECONDS)
    except SouvenirError as error:
        logger.info("job %s failed: %s", lease.job_id, error.code)
        with tenant_scope(lease.organization_id):
            lease.fail(error)
