"""The right to work on one job, and the steps in which that work is done."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from souvenir.core.errors import SouvenirError, Unavailable
from souvenir.core.jobs import QUEUES, Queue
from souvenir.core.jobs import Job as Kind
from tenants.errors import LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger import rings
from tenants.ledger.breaker import wait_seconds
from tenants.ledger.changing import NO_ERROR, change
from tenants.ledger.fairness import QUANTUM_SECONDS
from tenants.models import Job

_MOVED = {"attempts": 0, "waits": 0}  # whoever moves on may try as often again
logger = logging.getLogger(__name__)
UNCUT_SECONDS = 1_400.0  # for what cannot be cut
LEASE = timedelta(seconds=10)  # a holder that lives renews it four times in between


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work took."""

    bytes: int = 0
    tokens: int = 0
    seconds: float = 0.0


class TurnEnded(Exception):
    """The job has had the worker long enough. Its next step is for the next turn."""


@dataclass(slots=True)
class Pulse:
    """What whoever watches over a worker sees of its work."""

    stepped: float = field(default_factory=time.monotonic)  # when the last step began
    patience_seconds: float = 120.0  # without a step for longer, it hangs
    cut_after_seconds: float | None = None  # then the next step is left to another turn
    done: int | None = None  # units, of work in one piece: told with the next beat
    total: int | None = None

    @property
    def hangs(self) -> bool:
        return time.monotonic() - self.stepped > self.patience_seconds


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job, until someone else claims it."""

    organization_id: UUID
    job_id: UUID
    subject_id: UUID
    kind: Kind
    fence: int
    attempts: int = 1  # claims, with this one, since the job last moved on
    began: float = field(default_factory=time.monotonic)
    pulse: Pulse = field(default_factory=Pulse, compare=False)

    @property
    def is_first(self) -> bool:
        """Whether nobody has worked on the job before: there is nothing of it to go on with."""
        return self.fence == 1

    @property
    def queue(self) -> Queue:
        """Where it waits when it is given back."""
        return QUEUES[self.kind]

    @property
    def turn_is_over(self) -> bool:
        """Whether others should have the worker now, if the work can be left where it is."""
        return time.monotonic() - self.began > QUANTUM_SECONDS

    @contextmanager
    def step(self, *, done: int | None = None, total: int | None = None) -> Iterator[None]:
        """One unit of work: a tenant scope that commits together with the job's progress.

        Raises:
            LeaseLost: the job was claimed by another, or ended.
            TurnEnded: the turn was long enough. Only for jobs that can be run again anywhere.
        """
        self.pulse.stepped = time.monotonic()
        cut_after = self.pulse.cut_after_seconds
        if cut_after is not None and self.pulse.stepped - self.began > cut_after:
            raise TurnEnded
        with tenant_scope(self.organization_id):
            changes: dict[str, object] = {} if done is None else _progress(done)
            changes |= {} if total is None else {"total": total}
            until = timezone.now() + LEASE
            if changes:
                self._write(ring_at=until, **changes)
            elif not self._held().update(ring_at=until):
                raise LeaseLost
            yield

    def cannot_be_cut(self, *, because: str) -> None:
        """What follows is one piece, however large. It goes on beating; it may take its time."""
        self.pulse.patience_seconds = UNCUT_SECONDS
        logger.info("job %s goes on in one piece: %s", self.job_id, because)

    def move_on(self, *, done: int = 0, failed: int = 0, cost: Cost | None = None) -> None:
        """Count units that are settled, and what they took. Call in the step that settles them."""
        counts: dict[str, object] = {"done": F("done") + done, "failed": F("failed") + failed}
        self._write(**counts, **(_added(cost) if cost else {}), **_MOVED)

    def expect(self, total: int) -> None:
        """Say how many units there are. Call in a step."""
        self._write(total=total)

    def renew(self) -> None:
        """Hold the job for another while. Whoever follows it hears of it if it tells how far it is.

        Raises:
            LeaseLost
        """
        until = timezone.now() + LEASE
        with tenant_scope(self.organization_id):
            # First what a long step does not lock: the relay shall see that we live.
            rings.held(self.job_id, until=until)
        with tenant_scope(self.organization_id):
            # A step under way has locked it, and has renewed it: to wait for that would end the
            # beats for as long.
            found = self._held().select_for_update(skip_locked=True).values_list("id", flat=True)
            if found.first() is None:
                if not self._held().exists():
                    raise LeaseLost
            elif self.pulse.done is not None:
                self._write(ring_at=until, done=self.pulse.done, total=self.pulse.total)
            else:
                self._held().update(ring_at=until)

    def charge(self, cost: Cost) -> None:
        """Add to what the job has cost, also when it has just ended. Needs a tenant scope."""
        Job.objects.filter(id=self.job_id, fence=self.fence).update(**_added(cost))

    def finish(self) -> None:
        """Call inside the last step, so that the last effects and the end commit together."""
        self._write(
            state=Job.State.SUCCEEDED,
            finished_at=timezone.now(),
            holder="",
            **NO_ERROR,
        )
        rings.take_away([self.job_id], queue=self.queue)

    def give_turn_back(self) -> None:
        """Others first; the job goes on when it is its turn again. In a step or a scope.

        Raises:
            LeaseLost
        """
        if not self._held().update(holder="", ring_at=timezone.now(), **_MOVED):
            raise LeaseLost
        rings.put_back(self.job_id, due_at=timezone.now(), turns=1, queue=self.queue)

    def fail(self, error: SouvenirError) -> None:
        """Call in a step of its own: what went wrong is what the person will read."""
        self._write(
            state=Job.State.FAILED,
            finished_at=timezone.now(),
            holder="",
            error_class=Job.ErrorClass.PERMANENT,
            error_code=error.code,
            error_params={},
        )
        if error.params:  # it may name a file of theirs: sealed, unlike what our own code says
            job = Job.objects.get(id=self.job_id)
            job.error_told = told(error)
            job.save(update_fields=["error_told"])
        rings.take_away([self.job_id], queue=self.queue)

    def park(self, error: Unavailable) -> None:
        """Give the job back because of `error`; it is rung again after a while, ever longer.

        This was no attempt: however long a keystore or a model is away, the job does not give up.
        """
        waits = self._held().values_list("waits", flat=True).first() or 0
        counts = {"waits": waits + 1, "attempts": Greatest(F("attempts") - 1, 0)}
        self._put_back(error, Job.ErrorClass.TRANSIENT, wait_seconds(waits), **counts)

    def stumble(self, error: SouvenirError) -> None:
        """Give the job back because our code broke. After MAX_ATTEMPTS such claims it fails."""
        attempts = self._held().values_list("attempts", flat=True).first() or 0
        self._put_back(error, Job.ErrorClass.POISON, wait_seconds(attempts))

    def postpone(self, *, seconds: float) -> None:
        """Give the job back because it is too early; it is rung again after `seconds`."""
        ring_at = timezone.now() + timedelta(seconds=seconds)
        self._write(state=Job.State.QUEUED, holder="", ring_at=ring_at, **_MOVED)
        rings.put_back(self.job_id, due_at=ring_at, queue=self.queue)

    def _put_back(
        self, error: SouvenirError, error_class: str, seconds: float, **changes: object
    ) -> None:
        ring_at = timezone.now() + timedelta(seconds=seconds)
        self._write(
            state=Job.State.QUEUED,
            holder="",
            ring_at=ring_at,
            error_class=error_class,
            error_code=error.code,
            error_params=told(error),
            **changes,
        )
        rings.put_back(self.job_id, due_at=ring_at, queue=self.queue)

    def _write(self, **changes: object) -> None:
        if not change(self._held(), **changes):
            raise LeaseLost

    def _held(self) -> QuerySet[Job]:
        return Job.objects.filter(id=self.job_id, fence=self.fence, state=Job.State.RUNNING)


def _progress(done: int) -> dict[str, object]:
    """Only what gets further than any holder before counts as moving on."""
    has_moved = When(done__lt=done, then=Value(0))
    return {
        "done": done,
        "attempts": Case(has_moved, default=F("attempts")),
        "waits": Case(has_moved, default=F("waits")),
    }


def _added(cost: Cost) -> dict[str, object]:
    return {
        "cost_bytes": F("cost_bytes") + cost.bytes,
        "cost_tokens": F("cost_tokens") + cost.tokens,
        "cost_seconds": F("cost_seconds") + cost.seconds,
    }


def told(error: SouvenirError) -> dict[str, str]:
    """The parameters of an error as a job's row keeps them."""
    return {name: str(value) for name, value in error.params.items()}
