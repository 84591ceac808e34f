"""How far a job is, in words and in a number that a progress bar can show."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import Sum

from souvenir.console.failures import told_by_code
from tenants.ledger import error_params_of, get_job, job_items, jobs
from tenants.ledger.following import has_ended
from tenants.ledger.selectors import can_be_cancelled, can_be_retried
from tenants.models import Job


class _Accepted(Protocol):
    """A row that a job works on."""

    job_id: UUID | None


RowT = TypeVar("RowT", bound=_Accepted)


@dataclass(frozen=True, slots=True)
class Progress:
    """A job as a person follows it."""

    job: Job
    error: str  # the sentence of what went wrong; "" if nothing did

    @property
    def has_ended(self) -> bool:
        return has_ended(self.job)

    @property
    def can_be_stopped(self) -> bool:
        return can_be_cancelled(self.job)

    @property
    def can_be_tried_again(self) -> bool:
        return can_be_retried(self.job)


def progress_of(job: Job) -> Progress:
    """No query."""
    error = told_by_code(job.error_code, error_params_of(job)) if job.error_code else ""
    return Progress(job, error)


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of a job that stand alike. `sentence`: what went wrong with them; "" if nothing did."""

    state: str
    sentence: str
    count: int  # in the job's units


def parts_of(job: Job) -> list[Parts]:
    """What became of a job's parts, most first. One query: what went wrong is told by code."""
    rows = job_items(job_id=job.id).order_by().values_list("state", "error_code", "error_params")
    counts: Counter[tuple[str, str]] = Counter()
    for state, code, params, size in rows.annotate(units=Sum("size")):
        counts[state, told_by_code(code, params) if code else ""] += size
    return [Parts(state, told, count) for (state, told), count in counts.most_common()]


def progress_on(row: _Accepted) -> Progress | None:
    """Of the job that works on a row; None: there is none. One query."""
    return progress_of(get_job(job_id=row.job_id)) if row.job_id else None


def with_progress(rows: Iterable[RowT]) -> list[tuple[RowT, Progress | None]]:
    """Rows with the progress of their jobs, in the same order. One query."""
    kept = list(rows)
    found = jobs().filter(id__in=[row.job_id for row in kept])
    progress: dict[UUID | None, Progress] = {job.id: progress_of(job) for job in found}
    return [(row, progress.get(row.job_id)) for row in kept]
