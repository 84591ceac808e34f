"""People of an organization: add one, erase one."""

from uuid import UUID

from django.contrib import messages as notes
from django.db import transaction
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from souvenir.console.failures import telling
from souvenir.console.forms import PersonForm, TypedConfirmationForm
from souvenir.console.paging import one_page
from souvenir.console.progress import progress_on
from souvenir.console.views.my_erasures import word_to_type
from souvenir.console.visits import OrganizationVisit, organization_page, page
from souvenir.deletion.selectors import get_erasure
from souvenir.deletion.services import request_erasure
from souvenir.memories.selectors import get_person_by_id, people
from souvenir.memories.services import ensure_person


@require_http_methods(["GET", "POST"])
@organization_page
def organization_people(visit: OrganizationVisit) -> HttpResponseBase:
    """Everyone whose memory is kept, and a form to add someone."""
    form = PersonForm(visit.request.POST or None)
    if form.is_valid():
        with telling(form), transaction.atomic():
            ensure_person(**form.cleaned_data)
            notes.success(visit.request, gettext("Added. Their memory is empty and ready."))
            return redirect("console:organization-people")
    return page(
        visit,
        "organization/people.html",
        form=form,
        rows=one_page(visit.request, people()),
        status=400 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@organization_page
def erase_person(visit: OrganizationVisit, person_id: UUID) -> HttpResponseBase:
    """Everything of one person, once the word has been typed."""
    person = get_person_by_id(person_id=person_id)
    form = TypedConfirmationForm(visit.request.POST or None, expected=word_to_type())
    if form.is_valid():
        erasure = request_erasure(target="person", target_id=person.id)
        return redirect("console:organization-erasure", erasure_id=erasure.id)
    return page(
        visit,
        "organization/erase_person.html",
        form=form,
        person=person,
        status=400 if form.errors else 200,
    )


@require_GET
@organization_page
def organization_erasure(visit: OrganizationVisit, erasure_id: UUID) -> HttpResponseBase:
    """How far an erasure is, and what it removed."""
    erasure = get_erasure(erasure_id=erasure_id)
    progress = progress_on(erasure)
    return page(visit, "organization/erasure.html", erasure=erasure, progress=progress)


@require_GET
@organization_page
def organization_erasure_progress(visit: OrganizationVisit, erasure_id: UUID) -> HttpResponseBase:
    """The part of the page that asks again; at the end, the whole page is read anew."""
    progress = progress_on(get_erasure(erasure_id=erasure_id))
    if progress is None or progress.has_ended:
        return HttpResponseClientRefresh()
    return page(visit, "progress.html", progress=progress)
