"""A Celery application that does nothing, on the broker that the environment names."""

import os
import time
from pathlib import Path

from celery import Celery

from workers.broker import transport_options

app = Celery("plain")
app.conf.update(
    broker_url=os.environ["SOUVENIR_BROKER_URL"],
    broker_transport_options=transport_options(
        os.environ["SOUVENIR_BROKER_URL"], dsn=os.environ.get("SOUVENIR_BROKER_DSN", "")
    ),
    task_default_queue="plain",
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
)


@app.task(name="plain")  # type: ignore[untyped-decorator]  # Celery has no types
def plain(sent_at: float) -> None:
    """Write down how long it was on its way."""
    with Path(os.environ["BENCH_LOG"]).open("a", encoding="ascii") as log:
        log.write(f"{time.time() - sent_at}\n")
