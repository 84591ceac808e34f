"""Bringing a history in, and what became of it."""

from uuid import UUID

from django.db import transaction
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from souvenir.console.failures import telling
from souvenir.console.forms import UploadForm
from souvenir.console.import_report import readable
from souvenir.console.paging import one_page
from souvenir.console.progress import progress_on, with_progress
from souvenir.console.visits import MemoryVisit, memory_page, page
from souvenir.ingestion.selectors import get_import, imports
from souvenir.ingestion.services import Upload, accept_import


@require_http_methods(["GET", "POST"])
@memory_page
def my_imports(visit: MemoryVisit) -> HttpResponseBase:
    """How to get one's history, a form to hand it in, and what was handed in before."""
    form = UploadForm(visit.request.POST or None, visit.request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        with telling(form), transaction.atomic():
            upload = Upload(file.name, file.chunks())
            record = accept_import(person=visit.person, upload=upload)
            return redirect("console:my-import", import_id=record.id)
    found = one_page(visit.request, imports(person_id=visit.person_id))
    return page(
        visit,
        "my/imports.html",
        form=form,
        rows=found,
        imports=with_progress(found),
        status=400 if form.errors else 200,
    )


@require_GET
@memory_page
def my_import(visit: MemoryVisit, import_id: UUID) -> HttpResponseBase:
    """How far an import is; when it is done, the report."""
    record = get_import(import_id=import_id, person_id=visit.person_id)
    return page(
        visit,
        "my/import.html",
        record=record,
        progress=progress_on(record),
        report=readable(record.report) if record.report else None,
    )


@require_GET
@memory_page
def my_import_progress(visit: MemoryVisit, import_id: UUID) -> HttpResponseBase:
    """The part of the page that asks again; at the end, the whole page is read anew."""
    record = get_import(import_id=import_id, person_id=visit.person_id)
    progress = progress_on(record)
    if progress is None or progress.has_ended:
        return HttpResponseClientRefresh()
    return page(visit, "progress.html", progress=progress)
