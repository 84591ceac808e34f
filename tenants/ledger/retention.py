"""What the ledger forgets, and when."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from tenants.ledger.selectors import UNFINISHED
from tenants.models import Job, JobItem, Ring, Usage

_AT_ONCE = 1_000
_DEAD_LETTERS_KEPT = timedelta(days=30)  # to look at, and to replay
_USAGE_KEPT = timedelta(days=400)


def forget_old_jobs() -> int:
    """Remove jobs that ended long ago, with their items. Needs a tenant scope. Gives how many."""
    now = timezone.now()
    Usage.objects.filter(day__lt=(now - _USAGE_KEPT).date()).delete()
    limit = now - timedelta(days=settings.SOUVENIR_JOB_DAYS)
    old = Job.objects.exclude(state__in=UNFINISHED).filter(finished_at__lt=limit)
    ids = list(old.order_by("created_at").values_list("id", flat=True)[:_AT_ONCE])
    JobItem.objects.filter(job_id__in=ids).delete()
    return Job.objects.filter(id__in=ids).delete()[0]


def forget_dead_letters() -> int:
    """Remove dead letters that nobody replayed. Gives how many."""
    limit = timezone.now() - _DEAD_LETTERS_KEPT
    return Ring.objects.filter(state=Ring.State.DEAD, due_at__lt=limit).delete()[0]
