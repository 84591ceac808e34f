"""Waiting for jobs, and how long they have waited."""

import time
from collections.abc import Callable
from uuid import UUID

from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant

_PATIENCE_SECONDS = 90.0


def waits(tenant: Tenant, job_ids: list[UUID]) -> list[float]:
    """From accepted to begun, in seconds."""
    with tenant_scope(tenant.id):
        found = Job.objects.filter(id__in=job_ids, started_at__isnull=False)
        return [
            (started - created).total_seconds()
            for created, started in found.values_list("created_at", "started_at")
            if started is not None
        ]


def ended(tenant: Tenant, job_ids: list[UUID]) -> bool:
    with tenant_scope(tenant.id):
        return not Job.objects.filter(id__in=job_ids, finished_at=None).exists()


def await_ended(tenant: Tenant, job_ids: list[UUID]) -> None:
    await_that(lambda: ended(tenant, job_ids))


def await_that(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.02)
