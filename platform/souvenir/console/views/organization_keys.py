"""Machines' keys to an organization."""

from uuid import UUID

from django.contrib import messages as notes
from django.db import transaction
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from souvenir.console.failures import telling
from souvenir.console.forms import KeyForm
from souvenir.console.visits import OrganizationVisit, organization_page, page
from souvenir.memories.selectors import person_asked_for
from tenants.errors import KeyNotFound
from tenants.selectors import api_keys
from tenants.services import IssuedKey, issue_key, revoke_key


@require_http_methods(["GET", "POST"])
@organization_page
def organization_keys(visit: OrganizationVisit) -> HttpResponseBase:
    """Keys in force, and a form to make one; a fresh key is on this answer and nowhere else."""
    form = KeyForm(visit.request.POST or None)
    if form.is_valid():
        with telling(form), transaction.atomic():
            return page(visit, "organization/key_created.html", key=_issued(form))
    return page(
        visit,
        "organization/keys.html",
        form=form,
        keys=[(key, key.scopes.split()) for key in api_keys()],
        status=400 if form.errors else 200,
    )


def _issued(form: KeyForm) -> IssuedKey:
    data = form.cleaned_data
    person = person_asked_for(bound_to=None, external_id=data["person"] or None)
    return issue_key(
        label=data["label"],
        scopes=data["scopes"],
        person_id=person.id if person else None,
        expires_at=form.expires_at,
    )


@require_http_methods(["GET", "POST"])
@organization_page
def revoke(visit: OrganizationVisit, key_id: UUID) -> HttpResponseBase:
    """Name the key, ask once more, then revoke it."""
    key = api_keys().filter(id=key_id).first()
    if key is None:
        raise KeyNotFound(key_id=key_id)
    if visit.request.method == "POST":
        revoke_key(key_id=key.id)
        notes.success(visit.request, gettext("Revoked. It has stopped working."))
        return redirect("console:organization-keys")
    return page(visit, "organization/revoke.html", key=key)
