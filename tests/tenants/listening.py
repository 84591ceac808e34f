"""An organization that listens, jobs that end, and what the listener was told."""

import json
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from tenants.errors import JobGaveUp
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, cancel_job, claim_job
from tenants.webhooks.models import Delivery, Endpoint
from tenants.webhooks.recording import tell_of_ended_jobs
from tenants.webhooks.services import Wanted, create_endpoint
from tests.builders import Tenant, run_jobs
from tests.receiving import Receiver


def listen(tenant: Tenant, receiver: Receiver, *events: str) -> Endpoint:
    wanted = Wanted(url=receiver.url, placement="local", purpose="tests", events=events)
    with tenant_scope(tenant.id):
        return create_endpoint(wanted=wanted)


def end_job(tenant: Tenant, kind: Kind, how: str) -> UUID:
    """A job that has ended in one of three ways."""
    with tenant_scope(tenant.id):
        job = accept_job(kind, subject_id=uuid4(), person_id=None, unit="objects")
        if how == "cancelled":
            cancel_job(job_id=job.id)
            return job.id
        lease = claim_job(job.id)
    assert lease is not None
    with lease.step():
        if how == "completed":
            lease.finish()
        else:
            lease.fail(JobGaveUp(attempts=5))
    return job.id


def tell(tenant: Tenant) -> int:
    """What a worker and the sweep do."""
    with tenant_scope(tenant.id):
        count = tell_of_ended_jobs()
    run_jobs(tenant, Kind.DELIVER_WEBHOOKS)
    return count


def told_to(receiver: Receiver) -> list[Any]:
    return [json.loads(call.body) for call in receiver.calls]


def the_delivery(tenant: Tenant) -> Delivery:
    with tenant_scope(tenant.id):
        return Delivery.objects.get()


def let_the_pause_pass(tenant: Tenant) -> None:
    """Let the pause pass."""
    with tenant_scope(tenant.id):
        Delivery.objects.update(next_at=timezone.now())
