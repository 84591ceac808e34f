"""People and keys of an organization."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.bodies import Body
from souvenir.api.idempotency import answer_is_about
from souvenir.api.paging import Oldest
from souvenir.api.views import TenantView
from souvenir.memories.selectors import get_person, people
from souvenir.memories.services import ensure_person
from tenants.keys import SCOPES
from tenants.models import ApiKey
from tenants.selectors import api_keys
from tenants.services import issue_key, revoke_key


class PersonIn(Body):
    external_id = serializers.CharField(max_length=200, trim_whitespace=False)
    display_name = serializers.CharField(max_length=200, allow_blank=True, default="")
    timezone = serializers.CharField(
        max_length=64,
        allow_blank=True,
        allow_null=True,
        default="",
        source="time_zone",
        help_text="America/Toronto, …: their midnight begins a day. Empty: as it is. Null: the "
        "organization's.",
    )


class PersonOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    external_id = serializers.CharField()
    display_name = serializers.CharField()
    timezone = serializers.CharField(source="time_zone", help_text="Empty: the organization's.")
    recorded_at = serializers.DateTimeField()


class KeyIn(Body):
    label = serializers.CharField(max_length=200)  # type: ignore[assignment]  # a field of this name
    scopes = serializers.ListField(
        child=serializers.CharField(), allow_empty=False, help_text=f"Of: {', '.join(SCOPES)}."
    )
    person = serializers.CharField(
        required=False, help_text="Reaches this person's memory alone (external id)."
    )
    expires_at = serializers.DateTimeField(required=False)


class KeyOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name
    hint = serializers.CharField(help_text="The last four characters of the key.")
    scopes = serializers.SerializerMethodField()
    person_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)

    def get_scopes(self, key: ApiKey) -> list[str]:
        return key.scopes.split()


class KeyCreated(KeyOut):
    key = serializers.CharField(help_text="Shown this once. Keep it in a safe place.")


class People(TenantView):
    scopes = {"GET": "organization:read", "POST": "organization:write"}
    pagination_class = Oldest

    @extend_schema(operation_id="listPeople", responses=PersonOut(many=True))
    def get(self, request: Request) -> Response:
        """Everyone whose memory this organization keeps, oldest first."""
        return self.page(request, people(), PersonOut)

    @extend_schema(operation_id="ensurePerson", request=PersonIn, responses=PersonOut)
    def post(self, request: Request) -> Response:
        """The person known by this id, made with a personal store if new. Safe to repeat."""
        body = PersonIn(data=request.data)
        body.is_valid(raise_exception=True)
        person = ensure_person(**body.validated_data)
        answer_is_about(request, person.id)
        return Response(PersonOut(person).data)


class Keys(TenantView):
    scopes = {"GET": "organization:read", "POST": "organization:write"}

    @extend_schema(operation_id="listKeys", responses=KeyOut(many=True))
    def get(self, request: Request) -> Response:
        """Keys in force, newest first; never their text."""
        return Response(KeyOut(api_keys(), many=True).data)

    @extend_schema(operation_id="createKey", request=KeyIn, responses={201: KeyCreated})
    def post(self, request: Request) -> Response:
        """Make a key. Its text is in this answer only."""
        body = KeyIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        person = get_person(external_id=data["person"]) if "person" in data else None
        key = issue_key(
            label=data["label"],
            scopes=data["scopes"],
            person_id=person.id if person else None,
            expires_at=data.get("expires_at"),
        )
        answer_is_about(request, key.record.person_id)
        return Response(KeyOut(key.record).data | {"key": key.text}, status=201)


class OneKey(TenantView):
    scopes = {"DELETE": "organization:write"}

    @extend_schema(operation_id="revokeKey", responses={204: None})
    def delete(self, request: Request, key_id: UUID) -> Response:
        """The key stops working at once."""
        revoke_key(key_id=key_id)
        return Response(status=204)
