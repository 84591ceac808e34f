"""Telling an endpoint what is due: one call after the other, none inside a transaction."""

import logging
import random
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from souvenir.core.errors import SouvenirError
from tenants import placements
from tenants.egress import Call, Reply, send
from tenants.errors import AddressRefused, FlowRefused
from tenants.isolation.scope import tenant_named
from tenants.ledger import Lease, get_job
from tenants.residency import Flow
from tenants.webhooks.addresses import address_of
from tenants.webhooks.errors import PlacementUnknown
from tenants.webhooks.events import body_of
from tenants.webhooks.models import Delivery, Endpoint
from tenants.webhooks.schedule import next_pause, wished_pause
from tenants.webhooks.selectors import pending
from tenants.webhooks.services import close_endpoint
from tenants.webhooks.signing import signed_headers

logger = logging.getLogger(__name__)
_CALL_SECONDS = 10.0
_ROUND_SECONDS = 20.0  # then others have their turn
_SUCCESS = range(200, 300)
_GONE = 410
_AGENT = "Souvenir-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. `error`: a code of ours, or why there was no answer."""

    status: int | None
    error: str
    milliseconds: int
    wish: timedelta | None = None

    @property
    def is_taken(self) -> bool:
        return self.status in _SUCCESS


def deliver(lease: Lease) -> None:
    """Tell an endpoint what is due, and come back when more falls due.

    A call that was made and not written down is made again, with the same `webhook-id`.

    Raises:
        LeaseLost
    """
    began = time.monotonic()
    while True:
        with lease.step():
            done = get_job(job_id=lease.job_id).done
            endpoint = Endpoint.objects.filter(id=lease.subject_id, off="").first()
            delivery = pending(endpoint_id=lease.subject_id).first() if endpoint else None
            now = timezone.now()
            if endpoint is None or delivery is None:
                lease.finish()
                return
            if delivery.next_at > now:
                lease.postpone(seconds=(delivery.next_at - now).total_seconds())
                return
            if time.monotonic() - began > _ROUND_SECONDS:
                lease.postpone(seconds=0)
                return
            call = _call(endpoint, delivery)
        outcome = _attempt(lease, call)
        with lease.step(done=done + 1):
            _write_down(delivery, outcome)
            _judge(endpoint, outcome)


def _call(endpoint: Endpoint, delivery: Delivery) -> Call | SouvenirError:
    """What is to be sent; or why nothing can be."""
    place = placements.placements().get(endpoint.placement)
    if place is None:
        return PlacementUnknown(placement=endpoint.placement)
    address, body = address_of(endpoint.url), body_of(delivery.event)
    headers = {"content-type": "application/json", "user-agent": _AGENT}
    headers |= signed_headers(endpoint, delivery, body, now=timezone.now())
    return Call(
        host=address.host,
        port=address.port,
        path=address.path,
        placement=place,
        flow=Flow(kind="webhook", declared=True),
        body=body,
        headers=headers,
        most_answer_bytes=0,  # what it says is of no interest, and may be anything
        deadline_seconds=_CALL_SECONDS,
    )


def _attempt(lease: Lease, call: Call | SouvenirError) -> Outcome:
    began = time.monotonic()
    reply, error = _made(lease, call)
    spent = round((time.monotonic() - began) * 1000)
    if reply is None:
        return Outcome(None, error, spent)
    wish = wished_pause(reply.headers.get("retry-after"), now=timezone.now())
    return Outcome(reply.status, "", spent, wish)


def _made(lease: Lease, call: Call | SouvenirError) -> tuple[Reply | None, str]:
    """The answer; or none, and the code of why."""
    if isinstance(call, SouvenirError):
        return None, call.code
    try:
        with tenant_named(lease.organization_id):
            return send(call), ""
    except (FlowRefused, AddressRefused) as error:
        return None, error.code
    except TimeoutError:
        return None, "no-answer"
    except OSError as error:
        logger.info("a webhook could not be called: %s", type(error).__name__)
        return None, "no-connection"


def _write_down(delivery: Delivery, outcome: Outcome) -> None:
    now = timezone.now()
    attempt = {
        "at": now.isoformat(),
        "status": outcome.status,
        "error": outcome.error,
        "milliseconds": outcome.milliseconds,
    }
    delivery.attempts = [*delivery.attempts, attempt]
    delivery.tries += 1
    pause = next_pause(delivery.tries, wish=outcome.wish, chance=random.random())  # noqa: S311 — no secret
    if outcome.is_taken:
        delivery.state, delivery.delivered_at = Delivery.State.DELIVERED, now
    elif pause is None:
        delivery.state = Delivery.State.FAILED
    else:
        delivery.next_at = now + pause
    delivery.save(update_fields=["attempts", "tries", "state", "delivered_at", "next_at"])


def _judge(endpoint: Endpoint, outcome: Outcome) -> None:
    """Turn an endpoint off that has taken nothing for days, or that says it wants no more."""
    endpoint.refresh_from_db(fields=["off", "failing_since"])
    if endpoint.off:
        return
    now = timezone.now()
    since = None if outcome.is_taken else endpoint.failing_since or now
    Endpoint.objects.filter(id=endpoint.id).update(failing_since=since)
    patience = timedelta(days=settings.SOUVENIR_WEBHOOK_PATIENCE_DAYS)
    if outcome.status == _GONE:
        close_endpoint(endpoint=endpoint, why=Endpoint.Why.GONE)
    elif since is not None and since < now - patience:
        close_endpoint(endpoint=endpoint, why=Endpoint.Why.FAILING)
