"""The operator's console: organizations and where they may be. Reads no memory."""

from uuid import UUID

from django.contrib import messages as notes
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from souvenir.console.failures import telling
from souvenir.console.forms import OrganizationForm
from souvenir.console.paging import one_page
from souvenir.console.visits import Visit, page, platform_page
from tenants import placements
from tenants.selectors import get_organization, organizations, placement_choices
from tenants.services import create_organization, resume_organization, suspend_organization


@require_GET
@platform_page
def platform(visit: Visit) -> HttpResponseBase:
    """The whole directory, newest first."""
    return page(visit, "platform/organizations.html", rows=one_page(visit.request, organizations()))


@require_http_methods(["GET", "POST"])
@platform_page
def new_organization(visit: Visit) -> HttpResponseBase:
    """Create one in its home region; the owner's key is on this answer and nowhere else."""
    form = OrganizationForm(visit.request.POST or None, choices=placement_choices())
    if form.is_valid():
        with telling(form):
            made, key = create_organization(**form.cleaned_data)
            return page(visit, "platform/created.html", organization=made, key=key)
    return page(visit, "platform/new.html", form=form, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@platform_page
def suspend(visit: Visit, organization_id: UUID) -> HttpResponseBase:
    """Say what it means, then stop all reading and writing."""
    organization = get_organization(organization_id=organization_id)
    if visit.request.method == "POST":
        suspend_organization(organization_id=organization.id)
        notes.success(visit.request, gettext("Suspended. Nothing was lost."))
        return redirect("console:platform")
    return page(visit, "platform/suspend.html", organization=organization)


@require_POST
@platform_page
def resume(visit: Visit, organization_id: UUID) -> HttpResponseBase:
    """Let it work again."""
    resume_organization(organization_id=organization_id)
    notes.success(visit.request, gettext("It works again. Jobs that waited go on."))
    return redirect("console:platform")


@require_GET
@platform_page
def placements_page(visit: Visit) -> HttpResponseBase:
    """Every placement of the registry, and why an organization may not be there."""
    return page(
        visit,
        "platform/placements.html",
        choices=placement_choices(),
        policy=placements.policy(),
    )
