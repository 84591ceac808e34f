"""The job ledger: accept, claim, step, finish. Every effect commits with the job's own row.

A claim raises the job's fence. A step first writes the job's row where the fence is still its own,
which takes the row's lock until the step commits; so a worker that was thought dead writes nothing.
"""

from tenants.ledger.claiming import MAX_ATTEMPTS, claim_job
from tenants.ledger.lease import LEASE, Cost, Lease
from tenants.ledger.selectors import children_of, get_job, job_items, jobs
from tenants.ledger.services import (
    FIRST_RING,
    accept_job,
    cancel_job,
    cancel_jobs,
    retry_failed_items,
    ring_overdue_jobs,
)

__all__ = [
    "FIRST_RING",
    "LEASE",
    "MAX_ATTEMPTS",
    "Cost",
    "Lease",
    "accept_job",
    "cancel_job",
    "cancel_jobs",
    "children_of",
    "claim_job",
    "get_job",
    "job_items",
    "jobs",
    "retry_failed_items",
    "ring_overdue_jobs",
]
