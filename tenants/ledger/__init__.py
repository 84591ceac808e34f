"""The job ledger: accept, claim, step, finish. Every effect commits with the job's own row.

A claim raises the job's fence. A step first writes the job's row where the fence is still its own,
which takes the row's lock until the step commits; so a worker that was thought dead writes nothing.
"""

from tenants.ledger.claiming import MAX_ATTEMPTS, claim_job, claim_next
from tenants.ledger.lease import LEASE, Cost, Lease
from tenants.ledger.selectors import children_of, error_params_of, get_job, job_items, jobs
from tenants.ledger.services import (
    accept_job,
    cancel_job,
    cancel_jobs,
    join_waiting_job,
    place_missing_rings,
    retry_failed_items,
)

__all__ = [
    "LEASE",
    "MAX_ATTEMPTS",
    "Cost",
    "Lease",
    "accept_job",
    "cancel_job",
    "cancel_jobs",
    "children_of",
    "claim_job",
    "claim_next",
    "error_params_of",
    "get_job",
    "job_items",
    "jobs",
    "join_waiting_job",
    "place_missing_rings",
    "retry_failed_items",
]
