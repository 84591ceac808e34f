"""What each organization may use: turns, jobs at once, and a quota for each day."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from tenants.errors import TooManyJobs, UploadQuotaExceeded
from tenants.isolation.scope import current_tenant
from tenants.ledger.rings import ring_the_doorbell
from tenants.ledger.selectors import UNFINISHED
from tenants.models import Allowance, Job, Usage

_FULL_SECONDS = 60  # when to try again where too many jobs are unfinished


def allowance_of(organization_id: UUID) -> Allowance:
    """What an organization may use, with the installation's defaults where it has none of its own.

    One query. What is returned is not to be saved.
    """
    found = Allowance.objects.filter(organization_id=organization_id).first()
    allowance = found or Allowance(organization_id=organization_id)
    if allowance.bytes_per_day is None:
        allowance.bytes_per_day = settings.SOUVENIR_QUOTA_BYTES_PER_DAY
    if allowance.jobs_waiting is None:
        allowance.jobs_waiting = settings.SOUVENIR_QUOTA_JOBS
    return allowance


def set_allowance(organization_id: UUID, **changes: Any) -> None:
    """Change some of what an organization may use: `weight`, `jobs_at_once`, `jobs_waiting`,
    `bytes_per_day`, `paused`.
    """
    Allowance.objects.update_or_create(organization_id=organization_id, defaults=changes)
    ring_the_doorbell()


def charge(organization_id: UUID, *, seconds: float) -> None:
    """Pay for a turn. The row is one of a kind, so that two workers' charges add up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenants_allowance (organization_id, weight, credit_seconds, paused)"
            " VALUES (%s, 1, -%s, false) ON CONFLICT (organization_id) DO UPDATE"
            " SET credit_seconds = tenants_allowance.credit_seconds + excluded.credit_seconds",
            [organization_id, seconds],
        )


def check_jobs_quota() -> None:
    """May the organization in scope have another job?

    Raises:
        TooManyJobs: QuotaExceeded, with `retry_after_seconds`.
    """
    limit = allowance_of(current_tenant()).jobs_waiting
    if limit is not None and Job.objects.filter(state__in=UNFINISHED).count() >= limit:
        raise TooManyJobs(limit=limit, retry_after_seconds=_FULL_SECONDS)


def check_upload_quota(*, upload_bytes: int = 1) -> None:
    """May the organization in scope send in so much more today?

    Raises:
        UploadQuotaExceeded: QuotaExceeded, with `retry_after_seconds`.
    """
    limit = allowance_of(current_tenant()).bytes_per_day
    used = Usage.objects.filter(day=_today()).values_list("uploaded_bytes", flat=True).first() or 0
    if limit is not None and used + upload_bytes > limit:
        raise UploadQuotaExceeded(limit=limit, retry_after_seconds=_seconds_to_midnight())


def count_upload(*, upload_bytes: int) -> None:
    """Count what was sent in, in the transaction that accepts it.

    Raises:
        UploadQuotaExceeded: it was too much after all; the transaction is to be given up.
    """
    day = _today()
    Usage.objects.bulk_create([Usage(day=day)], ignore_conflicts=True)
    Usage.objects.filter(day=day).update(uploaded_bytes=F("uploaded_bytes") + upload_bytes)
    check_upload_quota(upload_bytes=0)


def _today() -> Any:
    return timezone.now().astimezone(UTC).date()


def _seconds_to_midnight() -> int:
    now = timezone.now().astimezone(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return max(int((midnight - now).total_seconds()), 1)
