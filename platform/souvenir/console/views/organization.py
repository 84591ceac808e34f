"""The organization's console: overview, jobs, copies, where the data is."""

from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from souvenir.console.overviews import (
    get_organization_export,
    organization_exports,
    organization_overview,
)
from souvenir.console.paging import one_page
from souvenir.console.progress import (
    Progress,
    parts_of,
    progress_of,
    progress_on,
    with_progress,
)
from souvenir.console.views.downloads import download
from souvenir.console.visits import OrganizationVisit, organization_page, page
from souvenir.export.services import request_export
from tenants.ledger import children_of, get_job, jobs
from tenants.residency_report import residency_report

_LATEST = 5
_MOST_CHILDREN = 50
_PROGRESS = "progress.html"


@require_GET
@organization_page
def organization(visit: OrganizationVisit) -> HttpResponseBase:
    """Counts, and the latest jobs."""
    latest = [progress_of(job) for job in jobs()[:_LATEST]]
    return page(
        visit,
        "organization/overview.html",
        overview=organization_overview(visit.organization),
        jobs=latest,
        is_under_way=_is_under_way(latest),
    )


@require_GET
@organization_page
def organization_jobs(visit: OrganizationVisit) -> HttpResponseBase:
    """Every job, newest first."""
    found = one_page(visit.request, jobs())
    listed = [progress_of(job) for job in found]
    return page(
        visit,
        "organization/jobs.html",
        rows=found,
        jobs=listed,
        is_under_way=_is_under_way(listed),
    )


@require_GET
@organization_page
def organization_job(visit: OrganizationVisit, job_id: UUID) -> HttpResponseBase:
    """One job: how far it is, what became of its parts, what it took, and what it has asked for.

    A part of the page asks again where no events come; at the end, the whole page is read anew.
    """
    job = get_job(job_id=job_id)
    progress = progress_of(job)
    if "HX-Request" in visit.request.headers:
        is_over = progress.has_ended
        return HttpResponseClientRefresh() if is_over else page(visit, _PROGRESS, progress=progress)
    return page(
        visit,
        "organization/job.html",
        job=job,
        progress=progress,
        parts=parts_of(job),
        children=[progress_of(child) for child in children_of(job_id=job.id)[:_MOST_CHILDREN]],
    )


def _is_under_way(listed: list[Progress]) -> bool:
    """Then the table is read again every few seconds."""
    return not all(progress.has_ended for progress in listed)


@require_http_methods(["GET", "POST"])
@organization_page
def organization_copies(visit: OrganizationVisit) -> HttpResponseBase:
    """Copies of the whole organization, and the button to ask for one."""
    if visit.request.method == "POST":
        request_export(person=None)
        return redirect("console:organization-exports")
    found = one_page(visit.request, organization_exports())
    return page(visit, "organization/exports.html", rows=found, exports=with_progress(found))


@require_GET
@organization_page
def organization_export_progress(visit: OrganizationVisit, export_id: UUID) -> HttpResponseBase:
    """The part of the page that asks again; at the end, the whole page is read anew."""
    progress = progress_on(get_organization_export(export_id=export_id))
    if progress is None or progress.has_ended:
        return HttpResponseClientRefresh()
    return page(visit, _PROGRESS, progress=progress)


@require_GET
@organization_page
def organization_export_download(visit: OrganizationVisit, export_id: UUID) -> HttpResponseBase:
    """The zip itself."""
    return download(get_organization_export(export_id=export_id))


@require_GET
@organization_page
def residency(visit: OrganizationVisit) -> HttpResponseBase:
    """Where each class of data is, and what the policy says of that place."""
    report = residency_report(visit.organization)
    return page(visit, "organization/residency.html", report=report)
