"""Following a job, stopping it, trying again: in one's own memory, and in the organization."""

from collections.abc import Callable, Iterator
from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import get_language, gettext, override
from django.views.decorators.http import require_GET, require_POST

from souvenir.console.addresses import own_address
from souvenir.console.progress import progress_of
from souvenir.console.visits import (
    MemoryVisit,
    OrganizationVisit,
    enter_again,
    memory_page,
    organization_page,
)
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
from tenants.ledger import get_job, retry_failed_items
from tenants.ledger.following import has_ended, states_of
from tenants.models import Job
from tenants.webhooks.cancelling import cancel_and_tell


def job_events(visit: OrganizationVisit, job_id: UUID) -> HttpResponseBase:
    """How far a job is, each time that it gets further."""
    organization_id, person_id = visit.organization.id, _whose(visit)
    after = last_event_id(visit.request.headers.get("Last-Event-ID"))
    job = get_job(job_id=job_id, person_id=person_id)
    if has_ended(job) and job.version <= after:
        return HttpResponse(status=204)

    def look() -> Job:
        enter_again(visit)
        with tenant_scope(organization_id):
            return get_job(job_id=job_id, person_id=person_id)

    events = _events(look, after=after, language=get_language())
    held = hold_stream(events, owner=organization_id)
    return PatientStream(held, content_type=MEDIA_TYPE, headers=HEADERS)


def job_cancel(visit: OrganizationVisit, job_id: UUID) -> HttpResponseBase:
    """Stop a job."""
    cancel_and_tell(job_id=job_id, person_id=_whose(visit))
    notes.success(visit.request, gettext("Stopped. What it had done stays."))
    return redirect(own_address(visit.request))


def job_retry(visit: OrganizationVisit, job_id: UUID) -> HttpResponseBase:
    """Try again what failed of a job."""
    retry_failed_items(job_id=job_id, person_id=_whose(visit))
    notes.success(visit.request, gettext("It is tried again. What went well is not done again."))
    return redirect(own_address(visit.request))


my_job_events = require_GET(memory_page(job_events))
organization_job_events = require_GET(organization_page(job_events))
my_job_cancel = require_POST(memory_page(job_cancel))
organization_job_cancel = require_POST(organization_page(job_cancel))
my_job_retry = require_POST(memory_page(job_retry))
organization_job_retry = require_POST(organization_page(job_retry))


def _whose(visit: OrganizationVisit) -> UUID | None:
    """In one's own memory, one's own jobs alone; None: all of the organization's."""
    return visit.person_id if isinstance(visit, MemoryVisit) else None


def _events(look: Callable[[], Job], *, after: int, language: str | None) -> Iterator[bytes]:
    """Parts of the page, rendered, each in place of the one before; at the end, `end`."""
    yield FIRST
    for job in states_of(look, after=after):
        if job is None:
            yield HEARTBEAT
            continue
        with override(language):
            part = render_to_string("console/progress.html", {"progress": progress_of(job)})
        yield encode_event(name="job", data=part, event_id=job.version)
        if has_ended(job):
            yield encode_event(name="end", data="", event_id=job.version)
