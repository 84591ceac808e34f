"""Provisioning: organizations, seen by the operator; and one's own, seen by its keys."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.bodies import Body
from souvenir.api.caller import caller_of
from souvenir.api.idempotency import answer_holds_no_content
from souvenir.api.views import PlatformView, TenantView
from tenants.isolation.scope import tenant_in_scope
from tenants.models import Organization
from tenants.selectors import get_organization, organizations, placement_choices
from tenants.services import (
    create_organization,
    resume_organization,
    set_time_zone,
    suspend_organization,
)


class OrganizationIn(Body):
    slug = serializers.SlugField(max_length=63)
    name_en = serializers.CharField(max_length=200)
    name_fr = serializers.CharField(max_length=200)
    region = serializers.CharField(
        max_length=63, help_text="The home region: the code of a placement, from GET /placements."
    )


class OrganizationOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name_en = serializers.CharField()
    name_fr = serializers.CharField()
    region = serializers.CharField(source="placement")
    state = serializers.ChoiceField(choices=Organization.State.choices)
    timezone = serializers.CharField(source="time_zone", help_text="Empty: the installation's.")
    created_at = serializers.DateTimeField()


class OrganizationChange(Body):
    timezone = serializers.CharField(
        max_length=64,
        allow_blank=True,
        help_text="America/Toronto, …: where a day begins for whoever has told no zone of their "
        "own. Empty: where the installation's does.",
    )


class OrganizationCreated(OrganizationOut):
    owner_key = serializers.CharField(help_text="Shown this once. Keep it in a safe place.")


class PlacementOut(serializers.Serializer[Any]):
    code = serializers.CharField(source="placement.code")
    country = serializers.CharField(source="placement.country")
    province = serializers.CharField(source="placement.province")
    site = serializers.CharField(source="placement.site")
    operator = serializers.CharField(source="placement.operator")
    operator_parent = serializers.CharField(source="placement.operator_parent")
    legal_nexus = serializers.ListField(
        source="placement.legal_nexus", child=serializers.CharField()
    )
    evidence_date = serializers.DateField(source="placement.evidence_date", allow_null=True)
    allowed = serializers.BooleanField(source="decision.allowed")
    reasons = serializers.ListField(source="decision.reasons", child=serializers.CharField())


class Organizations(PlatformView):
    @extend_schema(operation_id="listOrganizations", responses=OrganizationOut(many=True))
    def get(self, request: Request) -> Response:
        """The whole directory, newest first."""
        return Response(OrganizationOut(organizations(), many=True).data)

    @extend_schema(
        operation_id="createOrganization",
        request=OrganizationIn,
        responses={201: OrganizationCreated},
    )
    def post(self, request: Request) -> Response:
        """Create an organization in its home region. The owner's key is in this answer only."""
        body = OrganizationIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        organization, key = create_organization(
            slug=data["slug"],
            name_en=data["name_en"],
            name_fr=data["name_fr"],
            placement=data["region"],
            organization_id=tenant_in_scope(),
        )
        answer_holds_no_content(request)
        out = OrganizationOut(organization).data | {"owner_key": key.text}
        return Response(out, status=201)


class OneOrganization(PlatformView):
    @extend_schema(operation_id="getOrganization", responses=OrganizationOut)
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One organization, as the directory knows it."""
        return Response(OrganizationOut(get_organization(organization_id=organization_id)).data)


class OwnOrganization(TenantView):
    scopes = {"GET": "organization:read", "PATCH": "organization:write"}

    @extend_schema(operation_id="getOwnOrganization", responses=OrganizationOut)
    def get(self, request: Request) -> Response:
        """The organization that the key opens, and its settings."""
        return Response(OrganizationOut(caller_of(request).own_organization).data)

    @extend_schema(
        operation_id="changeOwnOrganization", request=OrganizationChange, responses=OrganizationOut
    )
    def patch(self, request: Request) -> Response:
        """Change its settings. Safe to repeat."""
        body = OrganizationChange(data=request.data)
        body.is_valid(raise_exception=True)
        organization = set_time_zone(
            organization_id=caller_of(request).own_organization.id,
            time_zone=body.validated_data["timezone"],
        )
        answer_holds_no_content(request)
        return Response(OrganizationOut(organization).data)


class SuspendOrganization(PlatformView):
    @extend_schema(operation_id="suspendOrganization", request=None, responses=OrganizationOut)
    def post(self, request: Request, organization_id: UUID) -> Response:
        """Stop all reading and writing. Nothing is lost."""
        return Response(OrganizationOut(suspend_organization(organization_id=organization_id)).data)


class ResumeOrganization(PlatformView):
    @extend_schema(operation_id="resumeOrganization", request=None, responses=OrganizationOut)
    def post(self, request: Request, organization_id: UUID) -> Response:
        """Let it work again."""
        return Response(OrganizationOut(resume_organization(organization_id=organization_id)).data)


class Placements(PlatformView):
    @extend_schema(operation_id="listPlacements", responses=PlacementOut(many=True))
    def get(self, request: Request) -> Response:
        """Every placement of the registry, and whether an organization may be homed there."""
        return Response(PlacementOut(placement_choices(), many=True).data)
