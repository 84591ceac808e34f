"""Where days begin: a person's own preference, and the organization's default."""

from django.contrib import messages as notes
from django.db import transaction
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from souvenir.console.failures import telling
from souvenir.console.time_zone_forms import TimeZoneForm, zone_in_words
from souvenir.console.visits import (
    MemoryVisit,
    OrganizationVisit,
    memory_page,
    organization_page,
    page,
)
from souvenir.memories.services import set_own_time_zone
from tenants.services import set_time_zone
from tenants.time_zones import zone_of_organization


@require_http_methods(["GET", "POST"])
@memory_page
def my_preferences(visit: MemoryVisit) -> HttpResponseBase:
    """A person's own time zone, or that of the organization."""
    theirs = zone_in_words(str(zone_of_organization(visit.organization)))
    form = TimeZoneForm(
        visit.request.POST or None,
        initial={"time_zone": visit.person.time_zone},
        none=gettext("As the organization has it (%(zone)s)") % {"zone": theirs},
    )
    if form.is_valid():
        with telling(form), transaction.atomic():
            set_own_time_zone(person_id=visit.person_id, **form.cleaned_data)
            notes.success(visit.request, gettext("Saved."))
            return redirect("console:my-preferences")
    return _page(visit, "my/preferences.html", form)


@require_http_methods(["GET", "POST"])
@organization_page
def organization_settings(visit: OrganizationVisit) -> HttpResponseBase:
    """The time zone of everyone who has chosen none."""
    installation = zone_in_words(str(timezone.get_default_timezone()))
    form = TimeZoneForm(
        visit.request.POST or None,
        initial={"time_zone": visit.organization.time_zone},
        none=gettext("As this installation has it (%(zone)s)") % {"zone": installation},
    )
    if form.is_valid():
        with telling(form), transaction.atomic():
            set_time_zone(organization_id=visit.organization.id, **form.cleaned_data)
            notes.success(visit.request, gettext("Saved."))
            return redirect("console:organization-settings")
    return _page(visit, "organization/settings.html", form)


def _page(visit: OrganizationVisit, template: str, form: TimeZoneForm) -> HttpResponseBase:
    return page(visit, template, form=form, now=timezone.now(), status=400 if form.errors else 200)
