"""A job's items: bounded parts, each done once, so that a bad one does not stop the others.

The job's lease covers its items. An item's effects, its state and the job's progress commit in one
step, under the fence.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from souvenir.core.errors import Invalid, SouvenirError
from tenants.errors import ItemBreaks, LeaseLost
from tenants.ledger.breakage import BREAKS, where_it_broke
from tenants.ledger.lease import Cost, Lease, told
from tenants.ledger.selectors import SET_ASIDE, job_items
from tenants.models import Job, JobItem

logger = logging.getLogger(__name__)
MOST_LOSSES = 2  # workers that die over one item before it is cut, or set aside
State = JobItem.State


@dataclass(frozen=True, slots=True)
class Part:
    """What an item is made of: `size` units from `first` on, of what is found by `name`."""

    name: str
    size: int
    first: int = 0


def plan_items(lease: Lease, parts: Iterable[Part], *, start: int = 0) -> int:
    """Write a job's items down, in order. Call in a step. Gives how many there are."""
    items = [
        JobItem(
            job_id=lease.job_id,
            ordinal=start + n,
            name=part.name,
            first=part.first,
            size=part.size,
        )
        for n, part in enumerate(parts)
    ]
    JobItem.objects.bulk_create(items, batch_size=500)
    return len(items)


def work_items(
    lease: Lease,
    do: Callable[[JobItem], Cost],
    *,
    set_aside: Callable[[JobItem], None] = lambda _: None,
) -> bool:
    """Do a job's items one by one, until all are settled or the turn is over.

    `do` runs in a step; what it raises decides. Invalid sets the item aside with its code. What
    breaks us cuts it in two, until it stands alone and is set aside: then `set_aside` may keep
    what can be kept of it, in the same step. Everything else is about the whole job.

    Returns:
        True: all are settled, the lease is still held. False: the turn was given back.

    Raises:
        LeaseLost
        SouvenirError: with the item waiting again.
    """
    while (item := _begin_next(lease, set_aside)) is not None:
        try:
            _do_one(lease, item, do)
        except LeaseLost:
            raise
        except Invalid as error:
            with lease.step():
                _settle_badly(lease, item, State.FAILED, error)
        except SouvenirError:
            _leave_for_later(lease, item)
            raise
        except BREAKS as error:
            with lease.step():
                _cut_or_set_aside(lease, item, where_it_broke(error), set_aside)
        if not _has_time(lease):
            return False
    return True


def work_all(lease: Lease, do: Callable[[JobItem], Cost | None]) -> bool:
    """As `work_items`, for a job that is done only if all of it is: nothing is set aside.

    What `do` raises is about the whole job; its items that are done stay done. With None, `do`
    says that there is more of the item: it is gone on with in another step.

    Raises:
        LeaseLost
        Whatever `do` raises, with the item waiting again.
    """
    while (item := _begin_next(lease, None)) is not None:
        try:
            _do_one(lease, item, do)
        except (SouvenirError, *BREAKS) as error:
            if not isinstance(error, LeaseLost):
                _leave_for_later(lease, item)
            raise
        if not _has_time(lease):
            return False
    return True


def forget_items(lease: Lease) -> None:
    """What was planned is planned anew. Call in a step."""
    _items(lease).delete()


def add_to_items(lease: Lease, counts: Mapping[str, int]) -> None:
    """Count what a job has made, by name: an item for each, as large as there are. Call in a step.

    For a job that plans no items.
    """
    for name, number in counts.items():
        if not _items(lease).filter(name=name).update(size=F("size") + number):
            ordinal = _next_ordinal(lease)
            made = {"state": State.SUCCEEDED, "finished_at": timezone.now(), "fence": lease.fence}
            JobItem.objects.create(
                job_id=lease.job_id, ordinal=ordinal, name=name, size=number, **made
            )


def _has_time(lease: Lease) -> bool:
    """Whether the turn goes on; where it is over and something is left, it is given back."""
    if lease.turn_is_over:
        with lease.step():
            if _items(lease).filter(state=State.QUEUED).exists():
                lease.give_turn_back()
                return False
    return True


@contextmanager
def watched(lease: Lease, name: str) -> Iterator[None]:
    """Do one thing that may kill us: if it does, `judge_the_watched` knows.

    For a job that plans no items. The body may open steps of its own.
    """
    in_hand = {"fence": lease.fence, "started_at": timezone.now()}
    with lease.step():
        item, _ = JobItem.objects.update_or_create(
            job_id=lease.job_id,
            name=name,
            state=State.RUNNING,
            defaults=in_hand,
            create_defaults=in_hand | {"ordinal": _next_ordinal(lease)},
        )
    yield
    with lease.step():
        _items(lease).filter(id=item.id).delete()


def judge_the_watched(lease: Lease) -> list[str]:
    """Count a loss for what earlier holders have died over; set aside what had too many, and give
    its names. One may be chance: anything may kill a worker. Call in a step.
    """
    lost = _items(lease).filter(state=State.RUNNING, started_at__isnull=False)
    too_often = []
    for item in lost.exclude(fence=lease.fence):
        _count_a_loss(item)
        if item.losses >= MOST_LOSSES:
            _settle_badly(lease, item, State.QUARANTINED, ItemBreaks(what="WorkerLost"))
            too_often.append(item.name)
        else:
            item.started_at = None  # in nobody's hand, until it is watched again
            item.save()
    return too_often


def suspect(lease: Lease, names: Iterable[str]) -> None:
    """Write down what an earlier holder may have died over, so that each of it is done alone, in
    however many turns. Call in a step.
    """
    first = _next_ordinal(lease)
    JobItem.objects.bulk_create(
        JobItem(job_id=lease.job_id, ordinal=first + n, name=name, state=State.RUNNING)
        for n, name in enumerate(names)
    )


def suspects(lease: Lease) -> set[str]:
    """What is to be done alone, `watched`. Needs the job's scope."""
    found = _items(lease).filter(state=State.RUNNING)
    return set(found.values_list("name", flat=True))


def clear_suspects(lease: Lease) -> None:
    """Nothing is left to be done of what was suspected. Call in a step."""
    _items(lease).filter(state=State.RUNNING).delete()


def set_aside_one(lease: Lease, name: str, what: str) -> None:
    """Set one thing aside that breaks us, of a job that plans no items. Call in a step."""
    item = JobItem.objects.create(job_id=lease.job_id, ordinal=_next_ordinal(lease), name=name)
    _settle_badly(lease, item, State.QUARANTINED, ItemBreaks(what=what))


def take_retried(lease: Lease) -> list[str]:
    """Names of what is to be tried again, of a job that plans no items. Call in a step."""
    retried = _items(lease).filter(state=State.QUEUED)
    names = list(retried.values_list("name", flat=True))
    retried.delete()
    return names


def items_set_aside(lease: Lease) -> list[JobItem]:
    """What of the job is set aside now, in order. Needs its scope."""
    return list(job_items(job_id=lease.job_id).filter(state__in=SET_ASIDE))


def _begin_next(lease: Lease, set_aside: Callable[[JobItem], None] | None) -> JobItem | None:
    """Take the next item, and write down who has it before it is touched."""
    with lease.step():
        _judge_the_lost(lease, set_aside)
        item = _items(lease).filter(state=State.QUEUED).order_by("ordinal", "first").first()
        if item is not None:
            _items(lease).filter(id=item.id).update(
                state=State.RUNNING,
                attempts=F("attempts") + 1,
                fence=lease.fence,
                started_at=timezone.now(),
            )
        return item


def _do_one(lease: Lease, item: JobItem, do: Callable[[JobItem], Cost | None]) -> None:
    began = time.monotonic()
    with lease.step():
        given = do(item)
        cost, is_done = given or Cost(), given is not None
        seconds = time.monotonic() - began
        _items(lease).filter(id=item.id).update(
            state=State.SUCCEEDED if is_done else State.QUEUED,
            finished_at=timezone.now() if is_done else None,
            cost_bytes=F("cost_bytes") + cost.bytes,
            cost_tokens=F("cost_tokens") + cost.tokens,
            cost_seconds=F("cost_seconds") + seconds,
        )
        lease.charge(cost)  # the turn pays for the seconds
        lease.move_on(done=item.size if is_done else 0)


def _judge_the_lost(lease: Lease, set_aside: Callable[[JobItem], None] | None) -> None:
    """Items whose worker is gone: most may simply try again."""
    lost = _items(lease).filter(state=State.RUNNING).exclude(fence=lease.fence)
    for item in lost:
        item.state = State.QUEUED
        _count_a_loss(item)
        item.save()
        if item.losses >= MOST_LOSSES and set_aside is not None:
            _cut_or_set_aside(lease, item, "WorkerLost", set_aside)


def _count_a_loss(item: JobItem) -> None:
    """Its worker is gone; which is not its fault if the server fell."""
    if item.started_at and item.started_at > _server_started():
        item.losses += 1


def _server_started() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        started: datetime = cursor.fetchone()[0]
        return started


def _cut_or_set_aside(
    lease: Lease, item: JobItem, what: str, set_aside: Callable[[JobItem], None]
) -> None:
    if item.size == 1:
        _settle_badly(lease, item, State.QUARANTINED, ItemBreaks(what=what))
        try:
            with transaction.atomic():
                set_aside(item)
        except BREAKS as error:
            logger.error("nothing of an item could be kept: %s", where_it_broke(error))
        return
    half = item.size // 2
    JobItem.objects.create(
        job_id=lease.job_id,
        ordinal=item.ordinal,
        name=item.name,
        first=item.first + half,
        size=item.size - half,
    )
    _items(lease).filter(id=item.id).update(state=State.QUEUED, size=half, losses=0)
    lease.move_on()


def _settle_badly(lease: Lease, item: JobItem, state: str, error: SouvenirError) -> None:
    is_poison = state == State.QUARANTINED
    _items(lease).filter(id=item.id).update(
        state=state,
        finished_at=timezone.now(),
        error_class=Job.ErrorClass.POISON if is_poison else Job.ErrorClass.PERMANENT,
        error_code=error.code,
        # Of what is wrong with a person's own files the code is enough, and names nothing.
        error_params=told(error) if is_poison else {},
    )
    lease.move_on(failed=item.size)


def _leave_for_later(lease: Lease, item: JobItem) -> None:
    with lease.step():
        _items(lease).filter(id=item.id).update(state=State.QUEUED)


def _next_ordinal(lease: Lease) -> int:
    last = _items(lease).aggregate(last=Max("ordinal"))["last"]
    return 0 if last is None else last + 1


def _items(lease: Lease) -> QuerySet[JobItem]:
    return JobItem.objects.filter(job_id=lease.job_id)
