"""Every claim of a job: one log line, one count, one time."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from souvenir.core import metrics
from souvenir.core.jobs import QUEUES, Job
from souvenir.core.log_fields import current_log_fields, log_fields, note

logger = logging.getLogger(__name__)


@contextmanager
def observed(job: Job) -> Iterator[None]:
    """Tell how the body went: as it noted itself (`outcome`), or else done, or broken."""
    began = time.perf_counter()
    with log_fields():
        try:
            yield
        except BaseException:
            note(outcome="broke")
            logger.exception("job")
            raise
        else:
            note(outcome=current_log_fields().get("outcome", "done"))
            logger.info("job", extra={"fields": {"duration_ms": _since(began)}})
        finally:
            outcome = str(current_log_fields()["outcome"])
            metrics.jobs_worked.labels(job.value, QUEUES[job].value, outcome).inc()
            metrics.job_seconds.labels(job.value).observe(time.perf_counter() - began)


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
