"""Webhooks: addresses of the organization's own that are told what has happened."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.bodies import Body
from souvenir.api.idempotency import answer_holds_no_content
from souvenir.api.views import TenantView
from tenants.webhooks.events import TYPES
from tenants.webhooks.models import Delivery, Endpoint
from tenants.webhooks.selectors import deliveries, endpoints, get_delivery, get_endpoint
from tenants.webhooks.services import (
    Wanted,
    change_endpoint,
    create_endpoint,
    remove_endpoint,
    resend,
    roll_secret,
    send_test,
)

_READ, _WRITE = "organization:read", "organization:write"
_MOST_HOURS = 7 * 24


class WebhookIn(Body):
    url = serializers.CharField(max_length=2000, help_text="https, and no private address.")
    placement = serializers.CharField(
        max_length=63, help_text="The place that answers there: a code of GET /placements."
    )
    purpose = serializers.CharField(
        max_length=500, help_text="Why ids go there: this declares the flow."
    )
    events = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text=f"Of: {', '.join(TYPES)}. Left out or empty: all.",
    )


class WebhookChange(WebhookIn):
    on = serializers.BooleanField(default=True, help_text="Whether it is told anything.")


class WebhookOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    placement = serializers.CharField()
    purpose = serializers.CharField()
    events = serializers.SerializerMethodField(help_text="Empty: all.")
    on = serializers.SerializerMethodField()
    off_because = serializers.ChoiceField(
        source="off",
        choices=["", *Endpoint.Why.values],
        help_text="`asked`, `failing` (it took nothing for days) or `gone` (it answered 410).",
    )
    failing_since = serializers.DateTimeField(allow_null=True)
    previous_secret_until = serializers.DateTimeField(source="previous_until", allow_null=True)
    on_since = serializers.DateTimeField()
    created_at = serializers.DateTimeField()

    def get_events(self, endpoint: Endpoint) -> list[str]:
        return endpoint.events.split()

    def get_on(self, endpoint: Endpoint) -> bool:
        return not endpoint.off


class WebhookWithSecret(WebhookOut):
    secret = serializers.CharField(help_text="`whsec_…`, shown this once.")


class SecretIn(Body):
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=_MOST_HOURS, default=24, help_text="How long the old one signs too."
    )


class EventOut(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The `webhook-id` that is sent.")
    type = serializers.CharField()
    job_id = serializers.UUIDField(allow_null=True)
    subject_id = serializers.UUIDField()
    occurred_at = serializers.DateTimeField()


class AttemptOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="Null: there was no answer.")
    error = serializers.CharField(help_text="Why there was none.")
    milliseconds = serializers.IntegerField()


class DeliveryOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    event = EventOut()
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    next_at = serializers.DateTimeField(help_text="Of a pending one: when it is tried next.")
    attempts = AttemptOut(many=True)
    recorded_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)


class DeliveriesAsked(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Delivery.State.choices, required=False)


class Webhooks(TenantView):
    scopes = {"GET": _READ, "POST": _WRITE}

    @extend_schema(operation_id="listWebhooks", responses=WebhookOut(many=True))
    def get(self, request: Request) -> Response:
        """Every webhook, newest first; never a secret."""
        return Response(WebhookOut(endpoints(), many=True).data)

    @extend_schema(
        operation_id="createWebhook", request=WebhookIn, responses={201: WebhookWithSecret}
    )
    def post(self, request: Request) -> Response:
        """Add a webhook. Its secret is in this answer only. It hears of what happens from now."""
        endpoint = create_endpoint(wanted=_wanted(_valid(WebhookIn, request)))
        return Response(WebhookWithSecret(endpoint).data, status=201)


class OneWebhook(TenantView):
    scopes = {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}

    @extend_schema(operation_id="getWebhook", responses=WebhookOut)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """A webhook, and how it is."""
        return Response(WebhookOut(get_endpoint(endpoint_id=endpoint_id)).data)

    @extend_schema(operation_id="changeWebhook", request=WebhookChange, responses=WebhookOut)
    def put(self, request: Request, endpoint_id: UUID) -> Response:
        """Change where it is, what it hears of, and whether it does. Its secret stays."""
        data = _valid(WebhookChange, request)
        changed = change_endpoint(endpoint_id=endpoint_id, wanted=_wanted(data), on=data["on"])
        return Response(WebhookOut(changed).data)

    @extend_schema(operation_id="deleteWebhook", responses={204: None})
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Remove it, and what is known of its deliveries."""
        remove_endpoint(endpoint_id=endpoint_id)
        return Response(status=204)


class WebhookSecret(TenantView):
    scopes = {"POST": _WRITE}

    @extend_schema(operation_id="rollWebhookSecret", request=SecretIn, responses=WebhookWithSecret)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Give it a new secret, in this answer only. Until the overlap ends, both sign."""
        overlap = timedelta(hours=_valid(SecretIn, request)["overlap_hours"])
        endpoint = roll_secret(endpoint_id=endpoint_id, overlap=overlap)
        return Response(WebhookWithSecret(endpoint).data)


class WebhookTest(TenantView):
    scopes = {"POST": _WRITE}

    @extend_schema(operation_id="testWebhook", request=None, responses={202: DeliveryOut})
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send it the event `endpoint.test`; look at the delivery to see what it answered."""
        delivery = send_test(endpoint_id=endpoint_id)
        answer_holds_no_content(request)
        return Response(DeliveryOut(delivery).data, status=202)


class Deliveries(TenantView):
    scopes = {"GET": _READ}

    @extend_schema(
        operation_id="listDeliveries",
        parameters=[DeliveriesAsked],
        responses=DeliveryOut(many=True),
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """What it was told in the last thirty days, newest first, with each attempt."""
        query = DeliveriesAsked(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        endpoint = get_endpoint(endpoint_id=endpoint_id)
        found = deliveries(endpoint_id=endpoint.id, **query.validated_data)
        return self.page(request, found, DeliveryOut)


class OneDelivery(TenantView):
    scopes = {"GET": _READ}

    @extend_schema(operation_id="getDelivery", responses=DeliveryOut)
    def get(self, request: Request, endpoint_id: UUID, delivery_id: UUID) -> Response:
        """One delivery, and each attempt. What the receiver said beside its status is not kept."""
        delivery = get_delivery(endpoint_id=endpoint_id, delivery_id=delivery_id)
        return Response(DeliveryOut(delivery).data)


class ResendDelivery(TenantView):
    scopes = {"POST": _WRITE}

    @extend_schema(operation_id="resendDelivery", request=None, responses={202: DeliveryOut})
    def post(self, request: Request, endpoint_id: UUID, delivery_id: UUID) -> Response:
        """Tell it again, now, with the same `webhook-id`."""
        delivery = resend(endpoint_id=endpoint_id, delivery_id=delivery_id)
        answer_holds_no_content(request)
        return Response(DeliveryOut(delivery).data, status=202)


def _valid(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data
    return data


def _wanted(data: dict[str, Any]) -> Wanted:
    return Wanted(
        url=data["url"],
        placement=data["placement"],
        purpose=data["purpose"],
        events=data.get("events", ()),
    )
