"""The Celery application. No result backend: a job's row is its result."""

from celery import Celery
from celery.signals import setup_logging, worker_init
from django.conf import settings
from django.db import DatabaseError
from kombu.entity import Exchange
from kombu.entity import Queue as BrokerQueue

from souvenir.core.jobs import Queue
from tenants.isolation.catalogue import IsolationBroken, refuse_broken_isolation

app = Celery("souvenir", set_as_current=True)
app.conf.update(
    broker_url=settings.SOUVENIR_BROKER_URL,
    broker_transport_options=(
        {
            "conn_string": settings.SOUVENIR_BROKER_DSN,
            "init_extension": False,
            "visibility_timeout": 600,
            # No long poll: a worker of two queues would wait for one while the other has work.
            "wait_time_seconds": 0,
            "polling_interval": 0.1,
        }
        if settings.SOUVENIR_BROKER_URL.startswith("pgmq")
        else {"visibility_timeout": 600}
    ),
    broker_connection_retry_on_startup=True,
    # Each queue has an exchange of its own: on a shared one, every queue would get every message.
    task_queues=[
        BrokerQueue(queue.value, Exchange(queue.value), routing_key=queue.value) for queue in Queue
    ],
    task_default_queue=Queue.INTERACTIVE.value,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=None,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=500,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    task_send_sent_event=False,
    timezone="UTC",
    imports=[
        "workers.ingestion",
        "workers.embedding",
        "workers.export",
        "workers.deletion",
        "workers.keys",
    ],
)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _leave_logging_alone(**_: object) -> None:
    """Settings have set it up; Celery's own lines would tell what tasks were given."""


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _check_before_work(**_: object) -> None:
    """A worker, like the web, does nothing on a database that would let tenants meet."""
    try:
        refuse_broken_isolation()
    except (IsolationBroken, DatabaseError) as error:
        # Celery logs what a signal's receiver raises, and goes on; but it lets this one through.
        raise SystemExit(str(error)) from error
