"""What the outbox shows an operator: ids, numbers, times. Needs no scope."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q

from souvenir.core.jobs import Queue
from tenants.ledger.relaying import JOBS_AT_ONCE
from tenants.models import Allowance, Breaker, Ring

State = Ring.State


@dataclass(frozen=True, slots=True)
class Depth:
    """One queue. `oldest`: since when the longest waiting job waits."""

    queue: str
    waiting: int
    rung: int
    running: int
    dead: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """One organization in one queue. `part`: of all jobs in hand there, 0 to 1."""

    organization_id: UUID
    queue: str
    waiting: int
    in_hand: int
    part: float
    weight: int
    at_once: int


def queue_depths() -> list[Depth]:
    """Every queue, also the empty ones. One query."""
    counted = Ring.objects.values_list("queue").annotate(
        waiting=Count("job_id", filter=Q(state=State.WAITING)),
        rung=Count("job_id", filter=Q(state=State.RUNG)),
        running=Count("job_id", filter=Q(state=State.RUNNING)),
        dead=Count("job_id", filter=Q(state=State.DEAD)),
        oldest=Min("since", filter=Q(state=State.WAITING)),
    )
    found = {name: Depth(name, *numbers) for name, *numbers in counted}
    empty = {queue.value: Depth(queue.value, 0, 0, 0, 0, None) for queue in Queue}
    return list((empty | found).values())


def shares() -> list[Share]:
    """Each organization that has jobs, by queue; who has most in hand first. Two queries."""
    in_hand = Q(state__in=(State.RUNG, State.RUNNING))
    rows = list(
        Ring.objects.exclude(state=State.DEAD)
        .values("queue", "organization_id")
        .annotate(waiting=Count("job_id", filter=~in_hand), held=Count("job_id", filter=in_hand))
        .order_by("queue", "-held", "-waiting")
    )
    found = Allowance.objects.in_bulk({row["organization_id"] for row in rows})
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["queue"]] = totals.get(row["queue"], 0) + row["held"]
    return [
        Share(
            row["organization_id"],
            row["queue"],
            row["waiting"],
            row["held"],
            row["held"] / (totals[row["queue"]] or 1),
            allowance.weight,
            allowance.jobs_at_once or JOBS_AT_ONCE,
        )
        for row in rows
        for allowance in [found.get(row["organization_id"], Allowance())]
    ]


def breakers() -> list[Breaker]:
    """Kinds of jobs whose dependency has failed lately. One query."""
    return list(Breaker.objects.order_by("kind"))


def dead_letters() -> list[Ring]:
    """What needs a person, the oldest first. One query."""
    return list(Ring.objects.filter(state=State.DEAD).order_by("due_at"))
