"""A job as a stream of server-sent events."""

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from souvenir.api.authentication import KeyAuthentication
from souvenir.api.caller import caller_of
from souvenir.api.jobs import JobOut
from souvenir.api.views import TenantView
from souvenir.core.event_stream import (
    FIRST,
    HEADERS,
    HEARTBEAT,
    MEDIA_TYPE,
    encode_event,
    hold_stream,
    last_event_id,
)
from tenants.isolation.scope import tenant_scope
from tenants.isolation.streaming import PatientStream
from tenants.ledger import get_job
from tenants.ledger.following import has_ended, states_of
from tenants.models import Job

_LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    description="The last version seen; what is not newer is not sent again.",
)


class _EventStreamRenderer(BaseRenderer):
    """Lets a client ask for the media type; the stream itself is no DRF response."""

    media_type = MEDIA_TYPE
    format = "events"


class JobEvents(TenantView):
    scopes = {"GET": "memories:read"}
    renderer_classes = (_EventStreamRenderer, JSONRenderer)

    @extend_schema(
        operation_id="followJob",
        parameters=[_LAST_EVENT_ID],
        responses={(200, MEDIA_TYPE): OpenApiTypes.STR, 204: None},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        """Each change of the job as an event `job`, its id the version; then an event `end`.

        The stream ends with the job, or after a minute: come back with `Last-Event-ID`. 204: the
        job has ended, and its last version was seen. 503: too many streams, so poll the job.
        """
        caller = caller_of(request)
        organization_id = caller.own_organization.id
        after = last_event_id(request.headers.get("Last-Event-ID"))
        job = get_job(job_id=job_id, person_id=caller.person_id)
        if has_ended(job) and job.version <= after:
            return HttpResponse(status=204)

        def look() -> Job:
            with tenant_scope(organization_id):
                KeyAuthentication().authenticate(request)  # it may have been revoked meanwhile
                return get_job(job_id=job_id, person_id=caller.person_id)

        events = _events(look, after=after, language=translation.get_language())
        held = hold_stream(events, owner=organization_id)
        return PatientStream(held, content_type=MEDIA_TYPE, headers=HEADERS)


def _events(look: Callable[[], Job], *, after: int, language: str | None) -> Iterator[bytes]:
    yield FIRST
    for job in states_of(look, after=after):
        if job is None:
            yield HEARTBEAT
            continue
        yield encode_event(name="job", data=_told(job, language), event_id=job.version)
        if has_ended(job):
            yield encode_event(name="end", data="{}", event_id=job.version)


def _told(job: Job, language: str | None) -> str:
    """One line of JSON. The request's language and time zone ended with its scope."""
    with translation.override(language), timezone.override(UTC):
        data: Any = JobOut(job).data
        return JSONRenderer().render(data).decode()
