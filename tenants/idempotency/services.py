"""Carry a request out once: claim it, keep its answer, give that answer again.

The claim, the effects and the answer are of one transaction. A holder that is killed leaves nothing
behind, so there is no claim to expire, and no moment at which the work is done and the answer is
not. While it lasts, a lock of that transaction tells others that the request is in flight.
"""

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from souvenir.core.canonical_json import canonical_json
from tenants.idempotency.errors import AnswerErased, IdempotencyKeyReused, RequestInFlight
from tenants.idempotency.models import Replay
from tenants.idempotency.sealing import CallerKeys, caller_keys
from tenants.isolation.scope import current_tenant

_LOCK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as its sender named it: `secret` is the sender's own key, as text."""

    secret: str
    operation: str  # method and route
    key: str  # the Idempotency-Key
    path: str  # with its query
    body_digest: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, byte for byte."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry one request out, until this transaction ends."""

    keys: CallerKeys
    digest: bytes
    fingerprint: bytes

    def keep(self, *, answer: Answer, person_id: UUID | None, holds_content: bool) -> None:
        """Keep the answer with the effects, in their transaction.

        Args:
            answer: what is about to be sent.
            person_id: whom it is about; None: it is not known.
            holds_content: whether it can hold what people wrote.
        """
        told = {
            "status": answer.status,
            "headers": answer.headers,
            "body": base64.b64encode(answer.body).decode(),
        }
        sealed = self.keys.seal(canonical_json(told), bound_to=_bound_to(self))
        Replay.objects.create(
            digest=self.digest,
            fingerprint=self.fingerprint,
            answer=sealed,
            person_id=person_id,
            holds_content=holds_content,
        )


def claim_or_replay(*, sent: Sent) -> Claim | Answer:
    """The right to carry a request out, or the answer it had before. Needs a tenant scope.

    Raises:
        RequestInFlight: another transaction is carrying it out.
        IdempotencyKeyReused: the key came with another request.
        AnswerErased: it was carried out; its answer has gone since.
    """
    keys = caller_keys(sent.secret, tenant_id=current_tenant())
    digest = keys.mark(b"key", sent.operation.encode(), sent.key.encode())
    fingerprint = keys.mark(b"request", sent.path.encode(), sent.body_digest)
    claim = Claim(keys, digest, fingerprint)
    kept = _kept_answer(claim)
    if kept is None:
        if not _locked(digest):
            raise RequestInFlight
        kept = _kept_answer(claim)  # whoever held the lock may have committed in between
    return kept or claim


def forget_answers(*, person_id: UUID | None) -> int:
    """Drop the answers that may tell of a person, and keep that the requests were carried out.

    None: of everyone. An answer of which nobody knows whom it tells of goes with anyone's.
    """
    found = Replay.objects.filter(holds_content=True, answer__isnull=False)
    if person_id is not None:
        found = found.filter(Q(person_id=person_id) | Q(person_id=None))
    return found.update(answer=None)


def expire_replays() -> int:
    """Remove what is older than `SOUVENIR_IDEMPOTENCY_HOURS`; gives how many there were."""
    limit = timezone.now() - timedelta(hours=settings.SOUVENIR_IDEMPOTENCY_HOURS)
    return Replay.objects.filter(recorded_at__lt=limit).delete()[0]


def _kept_answer(claim: Claim) -> Answer | None:
    replay = Replay.objects.filter(digest=claim.digest).first()
    if replay is None:
        return None
    if bytes(replay.fingerprint) != claim.fingerprint:
        raise IdempotencyKeyReused
    if replay.answer is None:
        raise AnswerErased
    told = json.loads(claim.keys.open(bytes(replay.answer), bound_to=_bound_to(claim)))
    return Answer(told["status"], told["headers"], base64.b64decode(told["body"]))


def _bound_to(claim: Claim) -> bytes:
    return current_tenant().bytes + claim.digest + claim.fingerprint


def _locked(digest: bytes) -> bool:
    """Take the lock of a request for as long as this transaction lasts; False: someone has it."""
    number = int.from_bytes(digest[:_LOCK_BYTES], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])
