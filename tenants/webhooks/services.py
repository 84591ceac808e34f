"""Changes to webhooks. All need a tenant scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from souvenir.audit.actions import Action
from souvenir.core.jobs import Job as Kind
from tenants import placements
from tenants.auditing import audit
from tenants.errors import FlowRefused
from tenants.ledger import accept_job, rings
from tenants.models import Job
from tenants.residency import Flow, decide
from tenants.webhooks.addresses import address_of
from tenants.webhooks.errors import EndpointOff, PlacementUnknown, TooManyEndpoints
from tenants.webhooks.events import TEST, check_types
from tenants.webhooks.models import Delivery, Endpoint, Event
from tenants.webhooks.selectors import endpoints_with_work, get_delivery, get_endpoint
from tenants.webhooks.signing import new_secret

MOST_ENDPOINTS = 20  # of one organization
LONGEST_OVERLAP = timedelta(days=7)  # of two secrets
KEPT = timedelta(days=30)  # how long it is known what was told


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an endpoint is to be. `events`: none means all."""

    url: str
    placement: str
    purpose: str
    events: Sequence[str] = ()


def create_endpoint(*, wanted: Wanted) -> Endpoint:
    """Add an endpoint; its secret is shown to whoever asks now, and never again.

    Raises:
        EndpointAddressInvalid, UnknownEvent, TooManyEndpoints
        PlacementUnknown, FlowRefused: the policy does not allow that place today.
    """
    if Endpoint.objects.count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints(most=MOST_ENDPOINTS)
    endpoint = Endpoint.objects.create(secret=new_secret(), **_checked(wanted))
    audit(Action.WEBHOOK_ADDED, f"webhook:{endpoint.id}", details={"placement": endpoint.placement})
    return endpoint


def change_endpoint(*, endpoint_id: UUID, wanted: Wanted, on: bool) -> Endpoint:
    """Say anew where it is and what it is told of, and whether it is. The secret stays.

    Raises:
        EndpointNotFound, and as `create_endpoint`
    """
    endpoint = get_endpoint(endpoint_id=endpoint_id)
    for name, value in _checked(wanted).items():
        setattr(endpoint, name, value)
    endpoint.save()
    return turn_endpoint(endpoint_id=endpoint_id, on=on)


def turn_endpoint(*, endpoint_id: UUID, on: bool) -> Endpoint:
    """Turn it off, and what waited is not told; or on, from now on. Twice changes nothing.

    Raises:
        EndpointNotFound
    """
    endpoint = get_endpoint(endpoint_id=endpoint_id)
    if on and endpoint.off:
        endpoint.off, endpoint.on_since, endpoint.failing_since = "", timezone.now(), None
        endpoint.save(update_fields=["off", "on_since", "failing_since"])
    elif not on and not endpoint.off:
        close_endpoint(endpoint=endpoint, why=Endpoint.Why.ASKED)
    return endpoint


def close_endpoint(*, endpoint: Endpoint, why: str) -> None:
    """Tell it nothing any more, and give up what waits."""
    endpoint.off = why
    endpoint.save(update_fields=["off"])
    waiting = Delivery.objects.filter(endpoint_id=endpoint.id, state=Delivery.State.PENDING)
    waiting.update(state=Delivery.State.FAILED)


def remove_endpoint(*, endpoint_id: UUID) -> None:
    """Remove it and what it was told.

    Raises:
        EndpointNotFound
    """
    endpoint = get_endpoint(endpoint_id=endpoint_id)
    Delivery.objects.filter(endpoint_id=endpoint.id).delete()
    endpoint.delete()
    audit(Action.WEBHOOK_REMOVED, f"webhook:{endpoint_id}")


def remove_all_webhooks() -> int:
    """Remove every endpoint and all it was told. Gives the number of rows."""
    return sum(model.objects.all().delete()[0] for model in (Delivery, Event, Endpoint))


def roll_secret(*, endpoint_id: UUID, overlap: timedelta) -> Endpoint:
    """Give it a new secret. The old one signs too for `overlap` (at most LONGEST_OVERLAP).

    Raises:
        EndpointNotFound
    """
    endpoint = get_endpoint(endpoint_id=endpoint_id)
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_until = timezone.now() + min(overlap, LONGEST_OVERLAP)
    endpoint.secret = new_secret()
    endpoint.save()
    audit(Action.WEBHOOK_SECRET_ROLLED, f"webhook:{endpoint.id}")
    return endpoint


def send_test(*, endpoint_id: UUID) -> Delivery:
    """Tell an endpoint that this is a test.

    Raises:
        EndpointNotFound, EndpointOff
    """
    endpoint = get_endpoint(endpoint_id=endpoint_id)
    if endpoint.off:
        raise EndpointOff
    event = Event.objects.create(type=TEST, subject_id=endpoint.id, occurred_at=timezone.now())
    delivery = Delivery.objects.create(endpoint=endpoint, event=event)
    ask_for_delivery(endpoint_id=endpoint.id)
    return delivery


def resend(*, endpoint_id: UUID, delivery_id: UUID) -> Delivery:
    """Tell it again, now, whatever became of it before.

    Raises:
        EndpointNotFound, DeliveryNotFound, EndpointOff
    """
    if get_endpoint(endpoint_id=endpoint_id).off:
        raise EndpointOff
    delivery = get_delivery(endpoint_id=endpoint_id, delivery_id=delivery_id)
    delivery.state, delivery.tries, delivery.next_at = Delivery.State.PENDING, 0, timezone.now()
    delivery.save(update_fields=["state", "tries", "next_at"])
    ask_for_delivery(endpoint_id=endpoint_id)
    return delivery


def ask_for_delivery(*, endpoint_id: UUID) -> None:
    """Accept the job that tells an endpoint what is due; one that waits is rung for now."""
    kind = Kind.DELIVER_WEBHOOKS
    waiting = Job.objects.filter(kind=kind.value, subject_id=endpoint_id, state=Job.State.QUEUED)
    job = waiting.first()
    if job is None:
        accept_job(kind, subject_id=endpoint_id, person_id=None, unit="deliveries")
    else:
        rings.put_back(job.id, due_at=timezone.now())


def ask_for_due_deliveries() -> int:
    """See to it that a job tells each endpoint what is due. Gives how many endpoints there were."""
    running = Job.objects.filter(kind=Kind.DELIVER_WEBHOOKS.value, state=Job.State.RUNNING)
    taken = set(running.values_list("subject_id", flat=True))
    free = [endpoint_id for endpoint_id in endpoints_with_work() if endpoint_id not in taken]
    for endpoint_id in free:
        ask_for_delivery(endpoint_id=endpoint_id)
    return len(free)


def forget_old_events() -> int:
    """Remove what was told long ago. Gives the number of tellings removed."""
    limit = timezone.now() - KEPT
    old = Delivery.objects.filter(recorded_at__lt=limit).exclude(state=Delivery.State.PENDING)
    removed = old.delete()[0]
    told = Delivery.objects.values("event_id")
    Event.objects.filter(occurred_at__lt=limit).exclude(id__in=told).delete()
    return removed


def _checked(wanted: Wanted) -> dict[str, str]:
    """An endpoint's columns.

    Raises:
        EndpointAddressInvalid, UnknownEvent, PlacementUnknown, FlowRefused
    """
    address_of(wanted.url)
    events = check_types(list(wanted.events))
    place = placements.placements().get(wanted.placement)
    if place is None:
        raise PlacementUnknown(placement=wanted.placement)
    flow = Flow(kind="webhook", declared=True)
    decision = decide(placements.policy(), place, flow, today=timezone.localdate())
    if not decision.allowed:
        raise FlowRefused(reasons=decision.reasons)
    return {
        "url": wanted.url,
        "placement": wanted.placement,
        "purpose": wanted.purpose,
        "events": events,
    }
