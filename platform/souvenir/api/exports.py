"""Taking everything home."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from souvenir.api.bodies import Body
from souvenir.api.caller import caller_of
from souvenir.api.idempotency import answer_holds_no_content
from souvenir.api.jobs import JobOut
from souvenir.api.views import TenantView
from souvenir.core.transfers import HeldFile
from souvenir.export.links import open_download, sign_download
from souvenir.export.models import Export
from souvenir.export.selectors import exports, get_export
from souvenir.export.services import request_export
from souvenir.memories.selectors import person_asked_for
from tenants.ledger import get_job


class ExportIn(Body):
    person = serializers.CharField(
        required=False, help_text="External id. Left out: the whole organization."
    )


class ExportOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    person_id = serializers.UUIDField(allow_null=True)
    size_bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(help_text="Of the zip; empty until it is written.")
    expires_at = serializers.DateTimeField(allow_null=True)
    recorded_at = serializers.DateTimeField()
    job_id = serializers.UUIDField(allow_null=True)
    download = serializers.SerializerMethodField(
        help_text="A signed address that needs no key, until `expires_at`; null until written."
    )

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_download(self, export: Export) -> str | None:
        if export.expires_at is None:
            return None
        return f"/api/v1/downloads/{sign_download(export)}"


class ExportWithJob(ExportOut):
    job = serializers.SerializerMethodField()

    @extend_schema_field(JobOut(allow_null=True))
    def get_job(self, export: Export) -> object:
        return JobOut(get_job(job_id=export.job_id)).data if export.job_id else None


class Exports(TenantView):
    scopes = {"GET": "exports:write", "POST": "exports:write"}

    @extend_schema(operation_id="listExports", responses=ExportOut(many=True))
    def get(self, request: Request) -> Response:
        """Copies asked for, newest first."""
        return self.page(request, exports(person_id=caller_of(request).person_id), ExportOut)

    @extend_schema(operation_id="createExport", request=ExportIn, responses={202: ExportWithJob})
    def post(self, request: Request) -> Response:
        """Ask for a copy of everything, as a Souvenir archive. Exporting deletes nothing."""
        body = ExportIn(data=request.data)
        body.is_valid(raise_exception=True)
        person = person_asked_for(
            bound_to=caller_of(request).person_id, external_id=body.validated_data.get("person")
        )
        export = request_export(person=person)
        answer_holds_no_content(request)
        location = {"Location": f"/api/v1/jobs/{export.job_id}"}
        return Response(ExportWithJob(export).data, status=202, headers=location)


class OneExport(TenantView):
    scopes = {"GET": "exports:write"}

    @extend_schema(operation_id="getExport", responses=ExportWithJob)
    def get(self, request: Request, export_id: UUID) -> Response:
        """A copy, how far it is, and its address once it is written."""
        export = get_export(export_id=export_id, person_id=caller_of(request).person_id)
        return Response(ExportWithJob(export).data)


class Download(APIView):
    """The signed link is the right to download: no key is asked for."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="downloadExport", responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, token: str) -> HeldFile:
        """The zip itself. 429: this organization takes out as many at once as it may."""
        download = open_download(token)
        return HeldFile(
            download.stream,
            owner=download.organization_id,
            as_attachment=True,
            filename=download.file_name,
            content_type="application/zip",
            headers={"Content-Length": str(download.size_bytes)},
        )
