"""Taking one's memory home."""

from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from souvenir.console.paging import one_page
from souvenir.console.progress import progress_on, with_progress
from souvenir.console.views.downloads import download
from souvenir.console.visits import MemoryVisit, memory_page, page
from souvenir.export.selectors import exports, get_export
from souvenir.export.services import request_export


@require_http_methods(["GET", "POST"])
@memory_page
def my_exports(visit: MemoryVisit) -> HttpResponseBase:
    """Copies asked for, and the button to ask for one."""
    if visit.request.method == "POST":
        request_export(person=visit.person)
        return redirect("console:my-exports")
    found = one_page(visit.request, exports(person_id=visit.person_id))
    return page(visit, "my/exports.html", rows=found, exports=with_progress(found))


@require_GET
@memory_page
def my_export_progress(visit: MemoryVisit, export_id: UUID) -> HttpResponseBase:
    """The part of the page that asks again; at the end, the whole page is read anew."""
    progress = progress_on(get_export(export_id=export_id, person_id=visit.person_id))
    if progress is None or progress.has_ended:
        return HttpResponseClientRefresh()
    return page(visit, "progress.html", progress=progress)


@require_GET
@memory_page
def my_export_download(visit: MemoryVisit, export_id: UUID) -> HttpResponseBase:
    """The zip itself."""
    return download(get_export(export_id=export_id, person_id=visit.person_id))
