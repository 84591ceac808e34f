"""The names of background work, and how it is rung.

A message carries ids only, signed: whoever can write to the broker can still not choose a tenant.
Truth is the job's row; a message that is lost is sent again by the relay.
"""

from enum import StrEnum
from uuid import UUID

from celery import current_app
from django.core import signing
from kombu.exceptions import OperationalError

_BROKER_SECONDS = 2.0  # a probe does not wait longer
_SALT = "souvenir.job"
TICKET = "souvenir-ticket"  # the header of a message that says for whom it is, signed
TICKET_SECONDS = 24 * 60 * 60  # a ticket older than this is refused; the relay sends a new one


class Job(StrEnum):
    """Every kind of background work. `workers/` gives each its code."""

    RUN_IMPORT = "run-import"
    EMBED_PASSAGES = "embed-passages"
    WRITE_EXPORT = "write-export"
    ERASE = "erase"
    SEAL_AGAIN = "seal-again"
    REBUILD_TOKENS = "rebuild-tokens"
    PROMOTE_STORE = "promote-store"
    DEMOTE_STORE = "demote-store"
    FILL_MODEL = "fill-model"
    CLEAR_MODEL = "clear-model"
    DELIVER_WEBHOOKS = "deliver-webhooks"


class Queue(StrEnum):
    """Where work waits. Erasure and export never wait behind an import."""

    INTERACTIVE = "interactive"
    BULK = "bulk"
    ERASURE = "erasure"


QUEUES = {
    Job.RUN_IMPORT: Queue.BULK,
    Job.EMBED_PASSAGES: Queue.BULK,
    Job.WRITE_EXPORT: Queue.INTERACTIVE,
    Job.ERASE: Queue.ERASURE,
    Job.SEAL_AGAIN: Queue.BULK,
    Job.PROMOTE_STORE: Queue.BULK,
    Job.DEMOTE_STORE: Queue.BULK,
    Job.FILL_MODEL: Queue.BULK,
    Job.CLEAR_MODEL: Queue.BULK,
    Job.REBUILD_TOKENS: Queue.BULK,
    Job.DELIVER_WEBHOOKS: Queue.BULK,  # others' systems may be slow: what is ours does not wait
}


def ring(job: Job, *, organization_id: UUID, job_id: UUID) -> None:
    """Ring now. Ringing twice does no harm. The relay does it: what is owed is in the outbox."""
    ticket = signing.dumps([job.value, str(organization_id), str(job_id)], salt=_SALT)
    current_app.send_task(job.value, headers={TICKET: ticket}, queue=QUEUES[job].value)


def broker_answers() -> bool:
    """Whether the broker can be reached now. Without it, accepted jobs wait in the outbox."""
    with current_app.connection_for_write() as broker:
        try:
            broker.ensure_connection(max_retries=1, timeout=_BROKER_SECONDS)
        except (*broker.connection_errors, OperationalError):
            return False
    return True


def read_ticket(ticket: str | None, *, job: Job) -> tuple[UUID, UUID]:
    """The organization and the job that a message is for.

    Raises:
        django.core.signing.BadSignature: there is none; not ours; too old; of another kind.
    """
    name, organization_id, job_id = signing.loads(ticket or "", salt=_SALT, max_age=TICKET_SECONDS)
    if name != job.value:
        msg = "This ticket is for another kind of job."
        raise signing.BadSignature(msg)
    return UUID(organization_id), UUID(job_id)
