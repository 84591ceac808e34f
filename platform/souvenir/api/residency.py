"""Where this organization's data is, and which policy holds."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.caller import caller_of
from souvenir.api.views import TenantView
from tenants.residency_report import residency_report


class PlaceOut(serializers.Serializer[Any]):
    data = serializers.CharField(help_text="The class of data.")  # type: ignore[assignment]  # a field of this name
    kept_in = serializers.CharField()
    placement = serializers.CharField()
    country = serializers.CharField()
    province = serializers.CharField()
    site = serializers.CharField()
    operator = serializers.CharField()
    operator_parent_country = serializers.CharField()
    legal_nexus = serializers.ListField(child=serializers.CharField())
    key_custody = serializers.CharField()


class PolicyOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    countries = serializers.ListField(child=serializers.CharField())
    provinces = serializers.ListField(child=serializers.CharField())
    refused_nexus = serializers.ListField(child=serializers.CharField())
    key_custody = serializers.ListField(child=serializers.CharField())


class ResidencyOut(serializers.Serializer[Any]):
    organization = serializers.CharField()
    allowed = serializers.BooleanField(help_text="The policy still allows this place today.")
    reasons = serializers.ListField(child=serializers.CharField())
    policy = PolicyOut()
    places = PlaceOut(many=True)
    evidence = serializers.CharField()
    evidence_date = serializers.DateField(allow_null=True)
    evidence_valid_until = serializers.DateField(allow_null=True)
    outbound_calls = serializers.ListField(
        child=serializers.CharField(),
        help_text="Declared flows that leave the cell: webhooks, by place.",
    )


class Residency(TenantView):
    scopes = {"GET": "organization:read"}

    @extend_schema(operation_id="getResidency", responses=ResidencyOut)
    def get(self, request: Request) -> Response:
        """Where each class of data is, who operates that place, and what the policy says of it."""
        organization = caller_of(request).own_organization
        return Response(ResidencyOut(residency_report(organization)).data)
