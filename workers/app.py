"""The Celery application. No result backend: a job's row is its result."""

from celery import Celery
from celery.signals import setup_logging, worker_init
from django.conf import settings
from django.db import DatabaseError

from souvenir.core.jobs import Queue
from tenants.isolation.catalogue import IsolationBroken, refuse_broken_isolation
from workers.broker import queues, transport_options
from workers.unbegun import PutDownUnbegun

# A turn takes seconds, and what is long is cut. Where a pool cannot end what hangs, or there is no
# pool, the beat does (workers/running.py).
TASK_SECONDS = 150
# What cannot be cut: one reading of the database, one statement that builds an index, one archive.
# Under RabbitMQ's own limit of 30 minutes for a message in hand.
UNCUT_TASK_SECONDS = 1_500
CHILD_TASKS = 5_000  # then a child is replaced: whatever has leaked goes with it
CHILD_KIB = 1_500 * 1024  # a child that has grown larger is replaced after its task
SOFT_SHUTDOWN_SECONDS = 25.0  # what a pod is given to end its turn, of the 120 before it is killed
MAX_RETRIES = 5  # of a message whose worker died; the relay rings on

app = Celery("souvenir", set_as_current=True)
app.conf.update(
    broker_url=settings.SOUVENIR_BROKER_URL,
    broker_transport_options=transport_options(
        settings.SOUVENIR_BROKER_URL, dsn=settings.SOUVENIR_BROKER_DSN
    ),
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=4.0,
    broker_connection_max_retries=None,
    broker_heartbeat=30.0,
    worker_consumer="workers.connecting:SteadyConsumer",
    task_queues=queues(settings.SOUVENIR_BROKER_URL),
    task_default_queue=Queue.INTERACTIVE.value,
    task_serializer="json",
    accept_content=["json"],
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=True,
    task_acks_on_failure=True,
    task_retry_on_worker_lost=True,  # at most `max_retries` times, unlike a rejected message
    task_publish_retry=False,  # what cannot be sent stays in the outbox
    task_time_limit=TASK_SECONDS,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=CHILD_TASKS,
    worker_max_memory_per_child=CHILD_KIB,
    worker_soft_shutdown_timeout=SOFT_SHUTDOWN_SECONDS,
    # The lease is in the database: work that goes on without a broker is not lost, nor done twice.
    worker_cancel_long_running_tasks_on_connection_loss=False,
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
        "workers.webhooks",
        "workers.recycling",
    ],
)


app.steps["consumer"].add(PutDownUnbegun)


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
