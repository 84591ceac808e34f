"""The outbox, as a job's own transaction writes it. All need that job's tenant scope.

A row stands here for as long as its job is unfinished. Whoever changes one rings the doorbell of
the relay, which goes off when the transaction commits.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from souvenir.core.jobs import QUEUES, Queue
from souvenir.core.jobs import Job as Kind
from tenants.isolation.scope import current_tenant
from tenants.models import Job, Ring

# A channel of PostgreSQL's NOTIFY. Its messages say in which queue to look; nothing: in all. Where
# only something has ended, whoever has nothing left to send there need not look.
DOORBELL = "souvenir_rings"
ENDED = ":ended"  # follows the queue's name
# Sooner by so much than others of its organization, and never by more: nothing starves.
HEAD_START = {Kind.EMBED_PASSAGES: timedelta(seconds=10)}


def place(job: Job) -> None:
    """A message is owed for a job, from now on."""
    now = timezone.now()
    queue = QUEUES[Kind(job.kind)]
    ring = Ring(
        job_id=job.id,
        organization_id=job.tenant_id,
        kind=job.kind,
        queue=queue.value,
        state=Ring.State.WAITING,
        due_at=now - HEAD_START.get(Kind(job.kind), timedelta()),
        since=now,
    )
    changing = ["state", "due_at", "since", "turns", "rings", "reason"]
    Ring.objects.bulk_create(
        [ring], update_conflicts=True, unique_fields=["job_id"], update_fields=changing
    )
    ring_the_doorbell(queue)


def answered(job_id: UUID, *, until: datetime, queue: Queue) -> None:
    """A worker has the job, until then at least."""
    _of(job_id).update(state=Ring.State.RUNNING, due_at=until, rings=0)
    ring_the_doorbell(queue, only_ended=True)  # there is room for another message


def held(job_id: UUID, *, until: datetime) -> None:
    """The worker still has it."""
    _of(job_id).update(state=Ring.State.RUNNING, due_at=until)


def put_back(job_id: UUID, *, due_at: datetime, turns: int = 0, queue: Queue | None = None) -> None:
    """The worker gave it back, after `turns` turns: another message is owed from `due_at` on."""
    _of(job_id).update(
        state=Ring.State.WAITING, due_at=due_at, since=timezone.now(), turns=F("turns") + turns
    )
    ring_the_doorbell(queue)


def take_away(job_ids: Iterable[UUID], *, queue: Queue | None = None) -> None:
    """These jobs have ended: nothing is owed any more."""
    Ring.objects.filter(organization_id=current_tenant(), job_id__in=list(job_ids)).delete()
    ring_the_doorbell(queue, only_ended=queue is not None)


def forget(job_id: UUID) -> None:
    """As `take_away`, but a dead letter stays: that its job has failed is what it says."""
    _of(job_id).exclude(state=Ring.State.DEAD).delete()


def bury(job_id: UUID, *, reason: str) -> None:
    """A person has to look at it: it stays as a dead letter until it is replayed or too old."""
    _of(job_id).update(state=Ring.State.DEAD, reason=reason, due_at=timezone.now())
    ring_the_doorbell()


def ring_the_doorbell(queue: Queue | None = None, *, only_ended: bool = False) -> None:
    """Wake the relay when this transaction commits. Ringing often in one rings once."""
    said = (queue.value if queue else "") + (ENDED if only_ended else "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [DOORBELL, said])


def _of(job_id: UUID) -> QuerySet[Ring]:
    return Ring.objects.filter(organization_id=current_tenant(), job_id=job_id)
