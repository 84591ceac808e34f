"""Bringing a history in."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.bodies import Body
from souvenir.api.caller import caller_of
from souvenir.api.idempotency import answer_is_about
from souvenir.api.jobs import JobOut
from souvenir.api.views import TenantView
from souvenir.ingestion.models import Import
from souvenir.ingestion.selectors import get_import, imports
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.services import person_meant
from tenants.ledger import get_job


class ImportIn(Body):
    file = serializers.FileField(
        allow_empty_file=True, max_length=255, help_text="conversations.json, or the zip around it."
    )
    person = serializers.CharField(
        required=False,
        help_text="Whose history it is (external id; made if new). Left out only for the archive "
        "of a whole organization.",
    )


class ImportOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    person = serializers.CharField(source="person.external_id", allow_null=True, default=None)
    provider = serializers.CharField(source="source.provider", allow_null=True, default=None)
    layout = serializers.CharField()
    file_name = serializers.CharField()
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField()
    recorded_at = serializers.DateTimeField()
    job_id = serializers.UUIDField(allow_null=True)


class ImportWithReport(ImportOut):
    job = serializers.SerializerMethodField()
    report = serializers.JSONField(
        allow_null=True, help_text="The fidelity report (docs/formats.md); null until done."
    )

    @extend_schema_field(JobOut(allow_null=True))
    def get_job(self, record: Import) -> object:
        return JobOut(get_job(job_id=record.job_id)).data if record.job_id else None


class Imports(TenantView):
    scopes = {"GET": "memories:read", "POST": "imports:write"}
    parser_classes = (MultiPartParser,)

    @extend_schema(operation_id="listImports", responses=ImportOut(many=True))
    def get(self, request: Request) -> Response:
        """Imports, newest first."""
        return self.page(request, imports(person_id=caller_of(request).person_id), ImportOut)

    @extend_schema(
        operation_id="createImport",
        request={"multipart/form-data": ImportIn},
        responses={202: ImportWithReport},
    )
    def post(self, request: Request) -> Response:
        """Take a file in and answer at once; follow the job. The same file again adds nothing."""
        body = ImportIn(data=request.data)
        body.is_valid(raise_exception=True)
        file = body.validated_data["file"]
        person = person_meant(
            bound_to=caller_of(request).person_id,
            external_id=body.validated_data.get("person"),
        )
        answer_is_about(request, person.id if person else None)
        record = accept_import(person=person, upload=Upload(file.name, file.chunks()))
        location = {"Location": f"/api/v1/jobs/{record.job_id}"}
        return Response(ImportWithReport(record).data, status=202, headers=location)


class OneImport(TenantView):
    scopes = {"GET": "memories:read"}

    @extend_schema(operation_id="getImport", responses=ImportWithReport)
    def get(self, request: Request, import_id: UUID) -> Response:
        """An import, its job, and its fidelity report once it is done."""
        record = get_import(import_id=import_id, person_id=caller_of(request).person_id)
        return Response(ImportWithReport(record).data)
