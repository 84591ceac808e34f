"""A Celery application that does nothing, on the broker that the environment names."""

import os
import time
from pathlib import Path

from celery import Celery
from kombu.entity import Exchange, Queue

from workers.broker import transport_options

QUORUM = "BENCH_QUORUM"  # in the environment: a queue that RabbitMQ replicates and syncs, like ours


def queue_name() -> str:
    """One for each kind: a queue that is there keeps its kind."""
    return "plain-quorum" if QUORUM in os.environ else "plain"


def application(url: str, dsn: str) -> Celery:
    """The same on any broker, with the options that Souvenir gives it."""
    made = Celery("plain", set_as_current=False)
    if QUORUM in os.environ:
        arguments = {"x-queue-type": "quorum"}
        made.conf.task_queues = [
            Queue(  # type: ignore[no-untyped-call]
                queue_name(),
                Exchange(queue_name()),  # type: ignore[no-untyped-call]
                routing_key=queue_name(),
                queue_arguments=arguments,
            )
        ]
    made.conf.update(
        broker_url=url,
        broker_transport_options=transport_options(url, dsn=dsn),
        task_default_queue=queue_name(),
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
    )
    return made


app = application(os.environ["SOUVENIR_BROKER_URL"], os.environ.get("SOUVENIR_BROKER_DSN", ""))


@app.task(name="plain")  # type: ignore[untyped-decorator]  # Celery has no types
def plain(sent_at: float) -> None:
    """Write down how long it was on its way."""
    with Path(os.environ["BENCH_LOG"]).open("a", encoding="ascii") as log:
        log.write(f"{time.time() - sent_at}\n")
