"""Questions about webhooks. All need a tenant scope."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from tenants.webhooks.errors import DeliveryNotFound, EndpointNotFound
from tenants.webhooks.models import Delivery, Endpoint


def endpoints() -> QuerySet[Endpoint]:
    """Every endpoint of the organization, newest first. Lazy; nothing sealed is opened."""
    return Endpoint.objects.order_by("-created_at", "-id")


def placements_called() -> list[str]:
    """The codes of the places where an endpoint that is on answers, sorted. One query."""
    found = Endpoint.objects.filter(off="").values_list("placement", flat=True)
    return sorted(set(found))


def get_endpoint(*, endpoint_id: UUID) -> Endpoint:
    """One query.

    Raises:
        EndpointNotFound
    """
    endpoint = endpoints().filter(id=endpoint_id).first()
    if endpoint is None:
        raise EndpointNotFound(endpoint_id=endpoint_id)
    return endpoint


def deliveries(*, endpoint_id: UUID, state: str | None = None) -> QuerySet[Delivery]:
    """What an endpoint was told, or is to be told; newest first. Lazy; events come along."""
    found = Delivery.objects.filter(endpoint_id=endpoint_id).select_related("event")
    found = found.order_by("-recorded_at", "-id")
    return found if state is None else found.filter(state=state)


def get_delivery(*, endpoint_id: UUID, delivery_id: UUID) -> Delivery:
    """One query.

    Raises:
        DeliveryNotFound
    """
    delivery = deliveries(endpoint_id=endpoint_id).filter(id=delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound(delivery_id=delivery_id)
    return delivery


def pending(*, endpoint_id: UUID) -> QuerySet[Delivery]:
    """What is still to be told, in the order in which it falls due. Lazy; events come along."""
    found = deliveries(endpoint_id=endpoint_id, state=Delivery.State.PENDING)
    return found.order_by("next_at", "id")


def endpoints_with_work() -> list[UUID]:
    """Endpoints that are on and have something due. One query."""
    due = Delivery.objects.filter(state=Delivery.State.PENDING, next_at__lte=timezone.now())
    found = Endpoint.objects.filter(off="", id__in=due.values("endpoint_id"))
    return list(found.values_list("id", flat=True))
