"""Items that cost less than a step does: many of them in one, under the clock.

For a job that is done only if all of it is, and whose items can be done again from any point.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils import timezone

from souvenir.core.errors import SouvenirError
from tenants.errors import LeaseLost
from tenants.ledger.breakage import BREAKS
from tenants.ledger.lease import Lease
from tenants.ledger.selectors import job_items
from tenants.models import JobItem

STEP_SECONDS = 0.1  # then a step ends, with the portion that it is at
_WRITTEN = ("state", "attempts", "fence", "cost_seconds", "started_at", "finished_at")


@dataclass(frozen=True, slots=True)
class Portion:
    """What was done of an item at once: counts by name, and whether there may be more of it."""

    counts: Mapping[str, int]
    more: bool = False


@dataclass(slots=True)
class _Step:
    """What one step has done."""

    counts: Counter[str] = field(default_factory=Counter)
    touched: list[JobItem] = field(default_factory=list)
    done: int = 0


def work_together(
    lease: Lease,
    do: Callable[[JobItem], Portion],
    *,
    tell: Callable[[Mapping[str, int]], None],
) -> bool:
    """Do a job's items in order, portion by portion, until all are done or the turn is over.

    A step does as many portions as it has time for, then has `tell` write down what they count, and
    commits with the states of its items. Where one of them fails, and after a holder that was lost,
    each portion has a step of its own: what can be done stays done.

    Returns:
        True: all are done, the lease is still held. False: the turn was given back.

    Raises:
        LeaseLost
        Whatever `do` raises, with its item waiting.
    """
    alone = lease.attempts > 1
    while True:
        try:
            with lease.step():
                is_done = _do_some(lease, do, tell, seconds=0.0 if alone else STEP_SECONDS)
                if is_done or lease.turn_is_over:
                    if not is_done:
                        lease.give_turn_back()
                    return is_done
        except (SouvenirError, *BREAKS) as error:
            if alone or isinstance(error, LeaseLost):
                raise
            alone = True


def _do_some(
    lease: Lease,
    do: Callable[[JobItem], Portion],
    tell: Callable[[Mapping[str, int]], None],
    *,
    seconds: float,
) -> bool:
    """Do what can be begun within so many seconds, one portion at least. Says if all is done."""
    began = time.monotonic()
    step = _Step()
    left = list(job_items(job_id=lease.job_id).exclude(state=JobItem.State.SUCCEEDED))
    while left and (not step.touched or time.monotonic() - began < seconds):
        if _do_portion(lease, do, left[0], step):
            left.pop(0)
    if step.touched:
        JobItem.objects.bulk_update(step.touched, _WRITTEN)
        tell(step.counts)
        lease.move_on(done=step.done)
    return not left


def _do_portion(lease: Lease, do: Callable[[JobItem], Portion], item: JobItem, step: _Step) -> bool:
    began = time.monotonic()
    if item not in step.touched:
        step.touched.append(item)
        item.started_at = timezone.now()
    portion = do(item)
    step.counts.update(portion.counts)
    item.attempts, item.fence = item.attempts + 1, lease.fence
    item.cost_seconds += time.monotonic() - began
    if portion.more:
        item.state = JobItem.State.QUEUED
        return False
    item.state, item.finished_at = JobItem.State.SUCCEEDED, timezone.now()
    step.done += item.size
    return True
