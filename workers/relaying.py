"""The relay: sends the messages that the outbox owes, as soon as they are owed."""

import logging
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Count, Min
from django.utils import timezone
from kombu.exceptions import KombuError, OperationalError

from souvenir.core.jobs import Queue, ring
from souvenir.core.metrics import outbox, outbox_oldest_seconds
from tenants.ledger.relaying import Owed, look_at, message_not_sent
from tenants.ledger.rings import DOORBELL, ENDED
from tenants.models import Ring

logger = logging.getLogger(__name__)
# What a broker that is there, and does not take this message, may raise.
_REFUSED = (KombuError, ValueError, TypeError)
_AWAY = (OperationalError, OSError)


def relay_database() -> str:
    """The relay's own role where it has one; on one computer, and in tests, the run-time role."""
    return "relay" if "relay" in settings.DATABASES else DEFAULT_DB_ALIAS


def send(owed: Owed) -> None:
    """Ring for one job."""
    ring(owed.kind, organization_id=owed.organization_id, job_id=owed.job_id)


def relay_once(
    *,
    using: str,
    send: Callable[[Owed], None] = send,
    queues: Iterable[Queue] = Queue,
    left: set[Queue] | None = None,
) -> int:
    """One look at each queue. Gives how many messages were sent.

    `left` is kept up: the queues in which more is due than could be sent.
    """
    sent = 0
    for queue in queues:
        look = look_at(queue, using=using)
        if left is not None:
            (left.add if look.is_more else left.discard)(queue)
        sent += _send(look.owed, using=using, send=send)
    return sent


def _send(messages: list[Owed], *, using: str, send: Callable[[Owed], None]) -> int:
    sent = 0
    for owed in messages:
        try:
            send(owed)
        except _AWAY as error:
            logger.warning("the broker is away: %s", type(error).__name__)
            message_not_sent(owed, using=using, refused=False)
        except _REFUSED as error:
            logger.error("the broker refuses job %s: %s", owed.job_id, type(error).__name__)
            message_not_sent(owed, using=using, refused=True)
        else:
            sent += 1
    return sent


def tell_of_the_outbox(*, using: str) -> None:
    """Count what is owed, for operators."""
    now = timezone.now()
    rings = Ring.objects.using(using)
    counted = rings.values_list("queue", "state").annotate(number=Count("job_id"))
    numbers = {(queue, state): number for queue, state, number in counted}
    due = rings.filter(state=Ring.State.WAITING, due_at__lte=now)
    oldest = dict(due.values_list("queue").annotate(oldest=Min("since")))
    for queue in Queue:
        for state in Ring.State:
            outbox.labels(queue.value, state.value).set(numbers.get((queue.value, state.value), 0))
        waited = (now - oldest.get(queue.value, now)).total_seconds()
        outbox_oldest_seconds.labels(queue.value).set(max(waited, 0.0))


def listen(*, using: str) -> None:
    """Hear the doorbell on this connection from now on. Not through a transaction pooler."""
    connection = connections[using]
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {DOORBELL}")


def wait_for_the_doorbell(
    *, using: str, seconds: float, left: Iterable[Queue] = Queue
) -> set[Queue]:
    """Wait until it rings, or so long. What rang meanwhile counts. Gives the queues to look at:
    all, where nothing rang.

    Where something has only ended, that is news for the queues in which something was `left`.

    Raises:
        psycopg.OperationalError: the connection is gone.
    """
    raw = connections[using].connection
    rung = {ring.payload for ring in raw.notifies(timeout=seconds, stop_after=1)}
    if rung:  # many may have rung: one look is for all of them
        rung |= {ring.payload for ring in raw.notifies(timeout=0)}
    if "" in rung or not rung:
        return set(Queue)
    named = {queue for queue in Queue if queue.value in rung}
    return named | {queue for queue in left if queue.value + ENDED in rung}
