"""From the ends of jobs to what is to be told. The job's row is the truth; nothing is announced.

Looked for where work ends and in every round of the sweep: whoever looks first writes it down, and
a second look finds it written.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from tenants.ledger.selectors import UNFINISHED
from tenants.models import Job
from tenants.webhooks.events import NOUNS, type_of
from tenants.webhooks.models import Delivery, Endpoint, Event
from tenants.webhooks.services import ask_for_due_deliveries

_LOOK_BACK = timedelta(hours=24)  # the sweep has not been away for longer
_MOST = 500  # in one round


def tell_of_ended_jobs() -> int:
    """Write down what has ended since, for each endpoint that wants it. Gives how many tellings.

    Needs a tenant scope. Rounds of one organization wait for one another.
    """
    listening = list(Endpoint.objects.filter(off="").select_for_update().order_by("id"))
    if not listening:
        return 0
    count = sum(_write_down(job, listening) for job in _untold(listening))
    ask_for_due_deliveries()
    return count


def _untold(listening: list[Endpoint]) -> list[Job]:
    since = max(min(endpoint.on_since for endpoint in listening), timezone.now() - _LOOK_BACK)
    told = Event.objects.filter(job_id=OuterRef("id"), job_version=OuterRef("version"))
    ended = Job.objects.filter(kind__in=NOUNS, finished_at__gte=since).exclude(state__in=UNFINISHED)
    return list(ended.filter(~Exists(told)).order_by("finished_at")[:_MOST])


def _write_down(job: Job, listening: list[Endpoint]) -> int:
    kind = type_of(job)
    occurred_at = job.finished_at or timezone.now()
    wanting = [
        endpoint
        for endpoint in listening
        if endpoint.on_since <= occurred_at and kind in (endpoint.events.split() or [kind])
    ]
    event = Event.objects.create(
        type=kind,
        job_id=job.id,
        job_version=job.version,
        subject_id=job.subject_id,
        occurred_at=occurred_at,
    )
    Delivery.objects.bulk_create([Delivery(endpoint=one, event=event) for one in wanting])
    return len(wanting)
