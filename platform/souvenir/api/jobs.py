"""Jobs: what became of accepted work."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.caller import caller_of
from souvenir.api.paging import NewestJobs
from souvenir.api.problems import error_summary
from souvenir.api.views import TenantView
from tenants.ledger import get_job, jobs
from tenants.models import Job


class JobErrorOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class JobOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    subject_id = serializers.UUIDField(help_text="The import, export, erasure or store.")
    state = serializers.ChoiceField(choices=Job.State.choices)
    done = serializers.IntegerField(help_text="In units.")
    total = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()
    error = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(JobErrorOut(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        return error_summary(job.error_code, job.error_params) if job.error_code else None


class Jobs(TenantView):
    scopes = {"GET": "memories:read"}
    pagination_class = NewestJobs

    @extend_schema(operation_id="listJobs", responses=JobOut(many=True))
    def get(self, request: Request) -> Response:
        """Jobs, newest first."""
        return self.page(request, jobs(person_id=caller_of(request).person_id), JobOut)


class OneJob(TenantView):
    scopes = {"GET": "memories:read"}

    @extend_schema(operation_id="getJob", responses=JobOut)
    def get(self, request: Request, job_id: UUID) -> Response:
        """How far a job is, and what went wrong if it failed."""
        person_id = caller_of(request).person_id
        return Response(JobOut(get_job(job_id=job_id, person_id=person_id)).data)
