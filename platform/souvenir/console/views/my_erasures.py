"""Erasing one import, or everything of mine; and following an erasure."""

from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from souvenir.console.forms import TypedConfirmationForm
from souvenir.console.overviews import memory_overview
from souvenir.console.paging import one_page
from souvenir.console.progress import progress_on, with_progress
from souvenir.console.visits import MemoryVisit, memory_page, page
from souvenir.deletion.selectors import erasures, get_erasure
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.selectors import get_import, imports, raw_objects_by_kind


def word_to_type() -> str:
    """The word that confirms what cannot be undone, in the reader's language."""
    return pgettext("typed to confirm", "ERASE")


@require_GET
@memory_page
def my_erasures(visit: MemoryVisit) -> HttpResponseBase:
    """What can be erased, and what was."""
    found = one_page(visit.request, erasures(person_id=visit.person_id))
    return page(
        visit,
        "my/erasures.html",
        imports=list(imports(person_id=visit.person_id)),
        rows=found,
        erasures=with_progress(found),
    )


@require_http_methods(["GET", "POST"])
@memory_page
def erase_import(visit: MemoryVisit, import_id: UUID) -> HttpResponseBase:
    """Say what will go, then accept the erasure."""
    record = get_import(import_id=import_id, person_id=visit.person_id)
    if visit.request.method == "POST":
        erasure = request_erasure(target="import", target_id=record.id)
        return redirect("console:my-erasure", erasure_id=erasure.id)
    kept = raw_objects_by_kind(import_id=record.id)
    return page(visit, "my/erase_import.html", record=record, kept=kept)


@require_http_methods(["GET", "POST"])
@memory_page
def erase_everything(visit: MemoryVisit) -> HttpResponseBase:
    """Everything of mine, once the word has been typed."""
    person = visit.person
    form = TypedConfirmationForm(visit.request.POST or None, expected=word_to_type())
    if form.is_valid():
        erasure = request_erasure(target="person", target_id=person.id)
        return redirect("console:my-erasure", erasure_id=erasure.id)
    return page(
        visit,
        "my/erase_everything.html",
        form=form,
        overview=memory_overview(visit.organization, visit.stores),
        status=400 if form.errors else 200,
    )


@require_GET
@memory_page
def my_erasure(visit: MemoryVisit, erasure_id: UUID) -> HttpResponseBase:
    """How far an erasure is, and what it removed."""
    erasure = get_erasure(erasure_id=erasure_id, person_id=visit.person_id)
    return page(visit, "my/erasure.html", erasure=erasure, progress=progress_on(erasure))


@require_GET
@memory_page
def my_erasure_progress(visit: MemoryVisit, erasure_id: UUID) -> HttpResponseBase:
    """The part of the page that asks again; at the end, the whole page is read anew."""
    progress = progress_on(get_erasure(erasure_id=erasure_id, person_id=visit.person_id))
    if progress is None or progress.has_ended:
        return HttpResponseClientRefresh()
    return page(visit, "progress.html", progress=progress)
