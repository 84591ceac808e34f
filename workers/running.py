"""How every job is run: read the ticket, claim, work, and write down what went wrong."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from celery import Task
from django.db import DatabaseError, connection

from souvenir.audit.actors import acting_as
from souvenir.core.errors import SouvenirError, Unavailable
from souvenir.core.jobs import QUEUES, TICKET, Job, read_ticket
from souvenir.core.log_fields import log_fields, note
from tenants.errors import JobBroke, LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Cost, Lease, claim_job, claim_next
from tenants.ledger.allowances import charge
from tenants.ledger.breakage import BREAKS, where_it_broke
from tenants.ledger.breaker import note_available, note_unavailable
from tenants.ledger.fairness import QUANTUM_SECONDS
from tenants.ledger.lease import TurnEnded
from tenants.webhooks.events import NOUNS
from tenants.webhooks.recording import tell_of_ended_jobs
from workers.acknowledging import LettingGo
from workers.app import MAX_RETRIES, UNCUT_TASK_SECONDS, app
from workers.observing import observed

logger = logging.getLogger(__name__)
_BEAT_SECONDS = 2.5  # a quarter of a lease
HANGS_EXIT = 75  # sysexits.h: try again
Handler = Callable[[Lease], None]
HANDLERS: dict[Job, Handler] = {}  # what every worker knows, by the kind of job


def job_task(
    job: Job,
    handler: Handler,
    *,
    cut_after_seconds: float | None = None,
    in_one_piece: bool = False,
) -> Any:
    """Make the Celery task of a job. Its message is a doorbell: rung twice, it works once.

    Args:
        cut_after_seconds: at its next step after so long, it is left for another turn.
        in_one_piece: some of it cannot be cut: then it may take longer than other tasks.
    """

    def run(task: Task) -> None:
        ticket = (task.request.headers or {}).get(TICKET)
        organization_id, job_id = read_ticket(ticket, job=job)
        with log_fields(job_id=str(job_id), kind=job.value, tenant_id=str(organization_id)):
            try:
                take_turn(organization_id, job_id, kind=job)
            except DatabaseError as error:
                # Nothing can be written down now: the lease runs out, and the relay rings again.
                logger.error("a turn met the database: %s", where_it_broke(error))
                connection.close()

    HANDLERS[job] = handler if cut_after_seconds is None else _cut(handler, cut_after_seconds)
    options: dict[str, Any] = {"max_retries": MAX_RETRIES, "default_retry_delay": 0}
    if in_one_piece:
        options["time_limit"] = UNCUT_TASK_SECONDS
    return app.task(name=job.value, bind=True, Request=LettingGo, **options)(run)


def _cut(handler: Handler, seconds: float) -> Handler:
    def cut(lease: Lease) -> None:
        lease.pulse.cut_after_seconds = seconds
        handler(lease)

    return cut


def take_turn(organization_id: UUID, job_id: UUID, *, kind: Job) -> None:
    """Work on a job, and on what else of the organization waits in that queue, for one turn.

    What is not done by then waits for the organization's next turn. One transaction pays for a job
    and claims the next.

    Raises:
        DatabaseError: the database cannot be reached.
    """
    ends = time.monotonic() + QUANTUM_SECONDS
    with tenant_scope(organization_id):
        lease = claim_job(job_id, kind=kind)
    while lease is not None:
        with log_fields(job_id=str(lease.job_id), kind=lease.kind.value):
            with observed(lease.kind):
                is_well = _work(lease, HANDLERS[lease.kind])
            if lease.kind.value in NOUNS:
                with tenant_scope(organization_id):
                    tell_of_ended_jobs()
        with tenant_scope(organization_id):
            _pay(lease, is_well=is_well)
            has_time = time.monotonic() < ends
            lease = claim_next(QUEUES[kind]) if has_time else None


def work(lease: Lease, handler: Handler) -> None:
    """Run a claimed job for a turn, or to its end, and pay for it.

    Raises:
        DatabaseError: the database cannot be reached.
    """
    is_well = _work(lease, handler)
    with tenant_scope(lease.organization_id):
        _pay(lease, is_well=is_well)


def _work(lease: Lease, handler: Handler) -> bool:
    """Run it. What a person can act on ends it; what passes by itself gives it back for later.

    Says whether all that it needs has answered.
    """
    try:
        with acting_as(f"job:{lease.job_id}"):
            return _run(lease, handler)
    except LeaseLost:
        note(outcome="taken-over")
        logger.info("job %s was taken over", lease.job_id)
        return False


def _run(lease: Lease, handler: Handler) -> bool:
    try:
        with _beating(lease):
            handler(lease)
    except LeaseLost:
        raise
    except TurnEnded:
        with tenant_scope(lease.organization_id):
            lease.give_turn_back()
        return True
    except Unavailable as error:
        note(outcome="waits")
        logger.warning("job %s waits: %s", lease.job_id, error.code)
        with tenant_scope(lease.organization_id):
            lease.park(error)
            note_unavailable(lease.kind, code=error.code)
    except SouvenirError as error:
        note(outcome="failed")
        logger.info("job %s failed: %s", lease.job_id, error.code)
        _fail(lease, error)
    except (*BREAKS, OSError) as error:
        note(outcome="broke")
        logger.error("job %s broke: %s", lease.job_id, where_it_broke(error))
        with tenant_scope(lease.organization_id):
            lease.stumble(JobBroke(what=where_it_broke(error)))
    else:
        return True
    return False


def _fail(lease: Lease, error: SouvenirError) -> None:
    try:
        with tenant_scope(lease.organization_id):
            lease.fail(error)
    except Unavailable as away:  # what went wrong cannot be sealed now: find it once more, later
        with tenant_scope(lease.organization_id):
            lease.park(away)


def _pay(lease: Lease, *, is_well: bool) -> None:
    """What the turn took is the job's cost, and the organization's part of the workers."""
    seconds = time.monotonic() - lease.began
    lease.charge(Cost(seconds=seconds))
    charge(lease.organization_id, seconds=seconds)
    if is_well:
        note_available(lease.kind)


@contextmanager
def _beating(lease: Lease) -> Iterator[None]:
    """Hold the lease for as long as this process lives, however long one part of the work takes."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(lease, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(lease: Lease, stop: threading.Event) -> None:
    while not stop.wait(_BEAT_SECONDS):
        if lease.pulse.hangs:
            _end_this_process(lease)
        try:
            lease.renew()
        except LeaseLost:
            break  # the work itself meets this at its next step
        except DatabaseError:
            logger.warning("job %s could not renew its lease", lease.job_id)
    connection.close()


def _end_this_process(lease: Lease) -> None:
    """A thread cannot be stopped from outside; a process can. Another is started in its place, the
    lease runs out, and the job is rung again, a few times at most.
    """
    logger.critical("job %s hangs: this worker ends", lease.job_id)
    logging.shutdown()
    os._exit(HANGS_EXIT)
