"""Jobs: what became of accepted work; stopping it, and trying again what failed."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from souvenir.api.bodies import ListQuery
from souvenir.api.caller import Caller, caller_of
from souvenir.api.idempotency import answer_is_about
from souvenir.api.paging import NewestJobs
from souvenir.api.problems import error_summary
from souvenir.api.views import TenantView, asked_in_query
from souvenir.core.jobs import Job as Kind
from souvenir.memories.selectors import person_asked_for
from tenants.ledger import error_params_of, get_job, jobs, retry_failed_items
from tenants.models import Job
from tenants.webhooks.cancelling import cancel_and_tell

# Whoever may ask for a kind of work may stop it, and try it again.
_SCOPES = {
    Kind.WRITE_EXPORT.value: "exports:write",
    Kind.ERASE.value: "erasures:write",
}
_OTHER_SCOPE = "imports:write"


class JobErrorOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class CostOut(serializers.Serializer[Any]):
    bytes = serializers.IntegerField(source="cost_bytes", help_text="Read or written.")
    tokens = serializers.IntegerField(source="cost_tokens", help_text="Given to a model.")
    seconds = serializers.FloatField(source="cost_seconds", help_text="Of a worker's time.")


class JobOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    subject_id = serializers.UUIDField(help_text="The import, export, erasure or store.")
    parent_id = serializers.UUIDField(allow_null=True, help_text="The job that asked for it.")
    state = serializers.ChoiceField(choices=Job.State.choices)
    done = serializers.IntegerField(help_text="In units.")
    failed = serializers.IntegerField(help_text="In units: set aside, and can be tried again.")
    total = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()
    error = serializers.SerializerMethodField(
        help_text="Of a job that waits: what it waits for, to go on by itself."
    )
    cost = CostOut(source="*")
    version = serializers.IntegerField(help_text="Grows with each change; the id of its event.")
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(JobErrorOut(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        return error_summary(job.error_code, error_params_of(job)) if job.error_code else None


class JobsAsked(ListQuery):
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind], required=False)
    state = serializers.ChoiceField(choices=Job.State.choices, required=False)
    person = serializers.CharField(required=False, help_text="One person's (external id).")
    since = serializers.DateTimeField(required=False, help_text="Accepted at that time or later.")


class Jobs(TenantView):
    scopes = {"GET": "memories:read"}
    pagination_class = NewestJobs

    @extend_schema(operation_id="listJobs", parameters=[JobsAsked], responses=JobOut(many=True))
    def get(self, request: Request) -> Response:
        """Jobs, newest first."""
        asked = asked_in_query(request, JobsAsked)
        person = person_asked_for(
            bound_to=caller_of(request).person_id, external_id=asked.pop("person", None)
        )
        return self.page(request, jobs(person_id=person.id if person else None, **asked), JobOut)


class OneJob(TenantView):
    scopes = {"GET": "memories:read"}

    @extend_schema(operation_id="getJob", responses=JobOut)
    def get(self, request: Request, job_id: UUID) -> Response:
        """How far a job is, and what went wrong if it failed."""
        person_id = caller_of(request).person_id
        return Response(JobOut(get_job(job_id=job_id, person_id=person_id)).data)


class CancelJob(TenantView):
    scopes = {"POST": "memories:read"}

    @extend_schema(operation_id="cancelJob", request=None, responses=JobOut)
    def post(self, request: Request, job_id: UUID) -> Response:
        """Stop it, and the jobs it has asked for. What it has done stays. An erasure goes on."""
        caller = _allowed(request, job_id)
        job = cancel_and_tell(job_id=job_id, person_id=caller.person_id)
        answer_is_about(request, job.person_id)
        return Response(JobOut(job).data)


class RetryJob(TenantView):
    scopes = {"POST": "memories:read"}

    @extend_schema(operation_id="retryJob", request=None, responses={202: JobOut})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Try again what failed of it. What went well is not done again."""
        caller = _allowed(request, job_id)
        job = retry_failed_items(job_id=job_id, person_id=caller.person_id)
        answer_is_about(request, job.person_id)
        return Response(JobOut(job).data, status=202)


def _allowed(request: Request, job_id: UUID) -> Caller:
    """A caller who reaches the job and may ask for work of its kind.

    Raises:
        JobNotFound, ScopeMissing
    """
    caller = caller_of(request)
    job = get_job(job_id=job_id, person_id=caller.person_id)
    caller.need(_SCOPES.get(job.kind, _OTHER_SCOPE))
    return caller
