"""Erasing: one memory, one conversation, one import, one person, the organization."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.bodies import Body
from souvenir.api.caller import caller_of
from souvenir.api.idempotency import answer_holds_no_content
from souvenir.api.paging import NewestErasures
from souvenir.api.views import TenantView
from souvenir.deletion.models import Erasure
from souvenir.deletion.selectors import erasures, get_erasure
from souvenir.deletion.services import request_erasure, target_meant


class ErasureIn(Body):
    target = serializers.ChoiceField(choices=Erasure.Target.choices)
    id = serializers.UUIDField(
        required=False, help_text="Of the memory, conversation, import or person."
    )
    person = serializers.CharField(required=False, help_text="Or the person's external id.")


class ErasureOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    target = serializers.CharField()
    target_id = serializers.UUIDField()
    job_id = serializers.UUIDField(allow_null=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="What was removed, by table; so far."
    )
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class Erasures(TenantView):
    scopes = {"GET": "erasures:write", "POST": "erasures:write"}
    pagination_class = NewestErasures

    @extend_schema(operation_id="listErasures", responses=ErasureOut(many=True))
    def get(self, request: Request) -> Response:
        """Erasures, newest first, with what each removed."""
        return self.page(request, erasures(person_id=caller_of(request).person_id), ErasureOut)

    @extend_schema(operation_id="createErasure", request=ErasureIn, responses={202: ErasureOut})
    def post(self, request: Request) -> Response:
        """Erase for good, by a job. The answer's `job_id` says how far it is."""
        body = ErasureIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        target_id = target_meant(
            target=data["target"],
            target_id=data.get("id"),
            external_id=data.get("person"),
            bound_to=caller_of(request).person_id,
        )
        erasure = request_erasure(target=data["target"], target_id=target_id)
        answer_holds_no_content(request)
        location = {"Location": f"/api/v1/jobs/{erasure.job_id}"}
        return Response(ErasureOut(erasure).data, status=202, headers=location)


class OneErasure(TenantView):
    scopes = {"GET": "erasures:write"}

    @extend_schema(operation_id="getErasure", responses=ErasureOut)
    def get(self, request: Request, erasure_id: UUID) -> Response:
        """What an erasure removed, by table."""
        person_id = caller_of(request).person_id
        return Response(ErasureOut(get_erasure(erasure_id=erasure_id, person_id=person_id)).data)
