"""What is counted and timed for operators. Labels are of a few known words: never an id, a name or
anything that a caller chooses.

Where `SOUVENIR_METRICS_DIR` is set, every process writes its numbers into files there, and
`souvenir.config.metrics_exporter` adds them up; otherwise they are counted and read by nobody.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, values

from souvenir.core.errors import SouvenirError
from souvenir.core.metric_slots import Slots

# Not from the settings: the library wants to know it on import, and the embedder runs without them.
if folder := os.environ.get("SOUVENIR_METRICS_DIR"):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    _slot = Slots(Path(folder)).mine
    values.ValueClass = values.MultiProcessValue(_slot)  # type: ignore[no-untyped-call]  # has none

_REQUEST_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_JOB_BUCKETS = (0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800)

requests = Counter("souvenir_http_requests", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram(
    "souvenir_http_request_seconds",
    "Time until the answer begins, in seconds.",
    ["method", "route"],
    buckets=_REQUEST_BUCKETS,
)
jobs_accepted = Counter("souvenir_jobs_accepted", "Jobs written down.", ["kind", "queue"])
jobs_worked = Counter(
    "souvenir_jobs_worked", "Claims of jobs, by how each ended.", ["kind", "queue", "outcome"]
)
job_seconds = Histogram(
    "souvenir_job_seconds", "Time that one claim was worked on.", ["kind"], buckets=_JOB_BUCKETS
)
searches = Histogram(
    "souvenir_search_seconds", "Time of one question.", [], buckets=_REQUEST_BUCKETS
)
texts_embedded = Counter("souvenir_texts_embedded", "Texts made into vectors.", ["kind"])
embedding_seconds = Counter("souvenir_embedding_seconds", "Time spent making vectors.", ["kind"])
key_unwraps = Counter(
    "souvenir_key_unwraps", "Keys that the keystore was asked to open.", ["outcome"]
)
egress_calls = Counter("souvenir_egress_calls", "Calls out of the cell.", ["flow", "outcome"])
# Written by one process, the sweeper: what it saw last is what holds.
jobs_now = Gauge(
    "souvenir_jobs", "Jobs that have not ended.", ["kind", "state"], multiprocess_mode="mostrecent"
)
search_rows = Gauge(
    "souvenir_search_rows",
    "Passages, vectors and token sets, which agree; and what is without a passage.",
    ["what"],
    multiprocess_mode="mostrecent",
)

# Written by the relay, likewise.
outbox = Gauge(
    "souvenir_outbox",
    "Messages owed, sent, answered, or dead.",
    ["queue", "state"],
    multiprocess_mode="mostrecent",
)
outbox_oldest_seconds = Gauge(
    "souvenir_outbox_oldest_seconds",
    "How long the oldest message that is due has waited.",
    ["queue"],
    multiprocess_mode="mostrecent",
)


@contextmanager
def outcomes(counter: Counter, *labels: str) -> Iterator[None]:
    """Count the body as "ok", or by the code of what it raises ("error": a defect)."""
    outcome = "error"
    try:
        yield
        outcome = "ok"
    except SouvenirError as error:
        outcome = error.code
        raise
    finally:
        counter.labels(*labels, outcome).inc()


@contextmanager
def added_up(counter: Counter) -> Iterator[None]:
    """Add to a counter how many seconds the body takes."""
    began = time.perf_counter()
    try:
        yield
    finally:
        counter.inc(time.perf_counter() - began)


@contextmanager
def timed(histogram: Histogram) -> Iterator[None]:
    """Observe how long the body takes, whether it succeeds or not."""
    began = time.perf_counter()
    try:
        yield
    finally:
        histogram.observe(time.perf_counter() - began)
