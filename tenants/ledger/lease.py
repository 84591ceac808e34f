"""The right to work on one job, and the steps in which that work is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from souvenir.core.errors import SouvenirError
from tenants.errors import LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger.changing import change
from tenants.models import Job

LEASE = timedelta(seconds=20)  # a holder that lives renews it four times in between


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work took."""

    bytes: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job, until someone else claims it."""

    organization_id: UUID
    job_id: UUID
    subject_id: UUID
    fence: int

    @contextmanager
    def step(self, *, done: int | None = None, total: int | None = None) -> Iterator[None]:
        """One unit of work: a tenant scope that commits together with the job's progress.

        Raises:
            LeaseLost: the job was claimed by another, or ended.
        """
        with tenant_scope(self.organization_id):
            changes: dict[str, object] = {} if done is None else _progress(done)
            changes |= {} if total is None else {"total": total}
            self._write(ring_at=timezone.now() + LEASE, **changes)
            yield

    def renew(self) -> None:
        """Hold the job for another while. Nobody who follows it notices.

        Raises:
            LeaseLost
        """
        with tenant_scope(self.organization_id):
            if not self._held().update(ring_at=timezone.now() + LEASE):
                raise LeaseLost

    def charge(self, cost: Cost) -> None:
        """Add to what the job has cost. Call in a step, or in a scope of its own."""
        self._held().update(
            cost_bytes=F("cost_bytes") + cost.bytes,
            cost_tokens=F("cost_tokens") + cost.tokens,
            cost_seconds=F("cost_seconds") + cost.seconds,
        )

    def finish(self) -> None:
        """Call inside the last step, so that the last effects and the end commit together."""
        self._write(
            state=Job.State.SUCCEEDED,
            finished_at=timezone.now(),
            holder="",
            error_class="",
            error_code="",
            error_params={},
        )

    def fail(self, error: SouvenirError) -> None:
        """Call in a step of its own: what went wrong is what the person will read."""
        self._write(
            state=Job.State.FAILED,
            finished_at=timezone.now(),
            holder="",
            error_class=Job.ErrorClass.PERMANENT,
            error_code=error.code,
            error_params=told(error),
        )

    def postpone(self, *, seconds: float, error: SouvenirError | None = None) -> None:
        """Give the job back, for `error` if there is one; it is rung again after `seconds`."""
        reason = {
            "error_class": Job.ErrorClass.TRANSIENT if error else "",
            "error_code": error.code if error else "",
            "error_params": told(error) if error else {},
        }
        ring_at = timezone.now() + timedelta(seconds=seconds)
        self._write(state=Job.State.QUEUED, holder="", ring_at=ring_at, **reason)

    def _write(self, **changes: object) -> None:
        if not change(self._held(), **changes):
            raise LeaseLost

    def _held(self) -> QuerySet[Job]:
        return Job.objects.filter(id=self.job_id, fence=self.fence, state=Job.State.RUNNING)


def _progress(done: int) -> dict[str, object]:
    """Only what gets further than any holder before counts as moving on."""
    moved = Case(When(done__lt=done, then=Value(0)), default=F("attempts"))
    return {"done": done, "attempts": moved}


def told(error: SouvenirError) -> dict[str, str]:
    """The parameters of an error as a job's row keeps them."""
    return {name: str(value) for name, value in error.params.items()}
