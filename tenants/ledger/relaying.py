"""The relay's side of the outbox: what is lost waits again, and whose message is sent next.

Runs as the role that sees the outbox and nothing else. Several relays at once are safe: one at a
time looks at a queue.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.core.jobs import Queue
from tenants.ledger.fairness import QUANTUM_SECONDS, SHORT_SECONDS, Waiting, take_turns
from tenants.models import Allowance, Breaker, Ring

LOOK_AHEAD = 3  # messages sent and not yet answered, in a queue: enough to keep workers busy
UNANSWERED = timedelta(seconds=5)  # then a message counts as lost; twice as long at each next one
MOST_REFUSALS = 5  # by a broker that answers; then it is a dead letter
JOBS_AT_ONCE = 4  # of one organization in one queue, if its allowance says nothing
_LONGEST_UNANSWERED = timedelta(seconds=20)  # what was lost twice is soon sent a third time
_PAUSE = timedelta(seconds=1)  # after a message that could not be sent
_LOCK = 0x50757600  # advisory locks: one number for each queue
_QUESTION = (Path(__file__).parent / "waiting.sql").read_text(encoding="utf-8")
_IN_HAND = (Ring.State.RUNG, Ring.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Owed:
    """One message to send."""

    job_id: UUID
    organization_id: UUID
    kind: Kind


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a queue gave: the messages to send now, and whether some may be left."""

    owed: list[Owed]
    is_more: bool


def next_messages(queue: Queue, *, using: str, ahead: int = LOOK_AHEAD) -> list[Owed]:
    """Decide which messages of a queue are sent now, and write down that they are.

    At most `ahead` are sent and not yet answered at any time. If they are not sent after all,
    because the relay dies, they are owed again after a while. Gives none while another relay
    looks at the same queue.
    """
    return look_at(queue, using=using, ahead=ahead).owed


def look_at(queue: Queue, *, using: str, ahead: int = LOOK_AHEAD) -> Look:
    """As `next_messages`; and says whether more is due that could not be sent yet."""
    with transaction.atomic(using=using):
        if not _take_lock(queue, using=using):
            return Look([], is_more=True)
        now = timezone.now()
        rings = Ring.objects.using(using).filter(queue=queue.value)
        room = ahead - _rung_now(rings, now)
        if room <= 0:
            return Look([], is_more=True)
        stopped, probed = _stopped_kinds(now, using=using)
        waiting = _waiting(queue, now, room, stopped, using=using)
        if not waiting:
            return Look([], is_more=False)
        turns = take_turns(waiting, room=room)
        _keep_credit(waiting, turns.credit_seconds, using=using)
        ready = rings.filter(state=Ring.State.WAITING, due_at__lte=now).exclude(kind__in=stopped)
        chosen = _one_of_each(_oldest(ready, Counter(turns.rung)), probed)
        _note_rung(rings, chosen, now)
        owed = [Owed(ring.job_id, ring.organization_id, Kind(ring.kind)) for ring in chosen]
        counted = sum(one.jobs for one in waiting)  # of each organization up to `room`
        return Look(owed, is_more=counted > len(owed) or len(owed) >= room)


def message_not_sent(owed: Owed, *, using: str, refused: bool) -> None:
    """Owe it again in a moment; a broker that answers and refuses it too often makes it dead."""
    found = Ring.objects.using(using).filter(job_id=owed.job_id, state=Ring.State.RUNG)
    if refused and found.filter(rings__gte=MOST_REFUSALS).exists():
        found.update(state=Ring.State.DEAD, reason="message-refused")
    else:
        sent_before = F("rings") if refused else F("rings") - 1
        found.update(state=Ring.State.WAITING, due_at=timezone.now() + _PAUSE, rings=sent_before)


def _take_lock(queue: Queue, *, using: str) -> bool:
    number = _LOCK + list(Queue).index(queue)
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _rung_now(rings: QuerySet[Ring], now: datetime) -> int:
    """How many messages are on their way. Those that nobody answered, and jobs whose worker has
    gone, are owed again.
    """
    is_lost, is_rung = Q(due_at__lte=now), Q(state=Ring.State.RUNG)
    in_hand = rings.filter(state__in=_IN_HAND)
    counted = in_hand.aggregate(
        lost=Count("job_id", filter=is_lost), rung=Count("job_id", filter=is_rung & ~is_lost)
    )
    if counted["lost"]:
        lost = in_hand.filter(is_lost).select_for_update(skip_locked=True)
        ids = list(lost.values_list("job_id", flat=True))
        rings.filter(job_id__in=ids).update(state=Ring.State.WAITING)
    return int(counted["rung"])


def _note_rung(rings: QuerySet[Ring], chosen: list[Ring], now: datetime) -> None:
    by_number: dict[int, list[UUID]] = {}
    for ring in chosen:
        by_number.setdefault(ring.rings + 1, []).append(ring.job_id)
    for number, job_ids in by_number.items():
        rings.filter(job_id__in=job_ids).update(
            state=Ring.State.RUNG, rings=number, due_at=now + _patience(number)
        )


def _stopped_kinds(now: datetime, *, using: str) -> tuple[list[str], set[str]]:
    """Kinds that wait for a dependency; and those of which one may try whether it answers."""
    stopped, probed = [], set()
    for breaker in Breaker.objects.using(using).filter(open_until__isnull=False):
        in_hand = Ring.objects.using(using).filter(kind=breaker.kind, state__in=_IN_HAND)
        if (breaker.open_until or now) > now or in_hand.exists():
            stopped.append(breaker.kind)
        else:
            probed.add(breaker.kind)
    return stopped, probed


def _waiting(
    queue: Queue, now: datetime, room: int, stopped: list[str], *, using: str
) -> list[Waiting]:
    with connections[using].cursor() as cursor:
        cursor.execute(
            _QUESTION,
            {
                "queue": queue.value,
                "now": now,
                "room": room,
                "stopped": stopped,
                "at_once": JOBS_AT_ONCE,
                "short": SHORT_SECONDS,
                "long": QUANTUM_SECONDS,
            },
        )
        return [Waiting(*row) for row in cursor.fetchall()]


def _keep_credit(waiting: list[Waiting], credit: dict[UUID, float], *, using: str) -> None:
    """Who has had no turn yet has no row, and a whole round's credit."""
    for one in waiting:
        gained = credit[one.organization_id] - one.credit_seconds
        if gained:
            Allowance.objects.using(using).filter(organization_id=one.organization_id).update(
                credit_seconds=F("credit_seconds") + gained
            )


def _oldest(ready: QuerySet[Ring], wanted: Counter[UUID]) -> Iterator[Ring]:
    for organization_id, number in wanted.items():
        found = ready.filter(organization_id=organization_id).order_by("due_at")
        yield from found.select_for_update(skip_locked=True)[:number]


def _one_of_each(rings: Iterator[Ring], probed: set[str]) -> list[Ring]:
    """All of them, but of a kind whose dependency may answer again only one."""
    chosen: list[Ring] = []
    tried: set[str] = set()
    for ring in rings:
        if ring.kind in tried:
            continue
        if ring.kind in probed:
            tried.add(ring.kind)
        chosen.append(ring)
    return chosen


def _patience(rings: int) -> timedelta:
    times: int = 2 ** min(rings - 1, 10)
    return min(UNANSWERED * times, _LONGEST_UNANSWERED)
