"""Webhooks of an organization: add one, see what it was told, test it, change it, remove it."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages as notes
from django.db import transaction
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from souvenir.console.failures import telling
from souvenir.console.paging import one_page
from souvenir.console.visits import OrganizationVisit, organization_page, page
from souvenir.console.webhook_forms import OVERLAP_HOURS, WebhookForm
from tenants.errors import FlowRefused
from tenants.selectors import placement_choices
from tenants.webhooks.models import Endpoint
from tenants.webhooks.selectors import deliveries, endpoints, get_endpoint
from tenants.webhooks.services import (
    Wanted,
    create_endpoint,
    remove_endpoint,
    resend,
    roll_secret,
    send_test,
    turn_endpoint,
)


@require_http_methods(["GET", "POST"])
@organization_page
def organization_webhooks(visit: OrganizationVisit) -> HttpResponseBase:
    """Every webhook, and a form to add one; a fresh secret is on this answer and nowhere else."""
    form = WebhookForm(visit.request.POST or None, choices=placement_choices())
    if form.is_valid():
        with telling(form, FlowRefused), transaction.atomic():
            return _secret_page(visit, create_endpoint(wanted=_wanted(form)))
    return page(
        visit,
        "organization/webhooks.html",
        form=form,
        endpoints=list(endpoints()),
        status=400 if form.errors else 200,
    )


@require_http_methods(["GET"])
@organization_page
def organization_webhook(visit: OrganizationVisit, endpoint_id: UUID) -> HttpResponseBase:
    """One webhook, and what it was told."""
    endpoint = get_endpoint(endpoint_id=endpoint_id)
    found = one_page(visit.request, deliveries(endpoint_id=endpoint.id))
    return page(
        visit, "organization/webhook.html", endpoint=endpoint, rows=found, deliveries=list(found)
    )


@require_POST
@organization_page
def webhook_turn(visit: OrganizationVisit, endpoint_id: UUID) -> HttpResponseBase:
    """Turn it on or off."""
    turn_endpoint(endpoint_id=endpoint_id, on=visit.request.POST.get("on") == "on")
    return redirect("console:organization-webhook", endpoint_id=endpoint_id)


@require_POST
@organization_page
def webhook_test(visit: OrganizationVisit, endpoint_id: UUID) -> HttpResponseBase:
    """Tell it that this is a test."""
    send_test(endpoint_id=endpoint_id)
    notes.success(visit.request, gettext("A test is on its way. It is listed below."))
    return redirect("console:organization-webhook", endpoint_id=endpoint_id)


@require_POST
@organization_page
def webhook_secret(visit: OrganizationVisit, endpoint_id: UUID) -> HttpResponseBase:
    """Give it a new secret, which is on this answer and nowhere else."""
    overlap = timedelta(hours=OVERLAP_HOURS)
    return _secret_page(visit, roll_secret(endpoint_id=endpoint_id, overlap=overlap))


@require_POST
@organization_page
def webhook_resend(
    visit: OrganizationVisit, endpoint_id: UUID, delivery_id: UUID
) -> HttpResponseBase:
    """Tell it again, now."""
    resend(endpoint_id=endpoint_id, delivery_id=delivery_id)
    notes.success(visit.request, gettext("It is told again."))
    return redirect("console:organization-webhook", endpoint_id=endpoint_id)


@require_http_methods(["GET", "POST"])
@organization_page
def webhook_remove(visit: OrganizationVisit, endpoint_id: UUID) -> HttpResponseBase:
    """Name the webhook, ask once more, then remove it."""
    endpoint = get_endpoint(endpoint_id=endpoint_id)
    if visit.request.method == "POST":
        remove_endpoint(endpoint_id=endpoint.id)
        notes.success(visit.request, gettext("Removed. It is told nothing any more."))
        return redirect("console:organization-webhooks")
    return page(visit, "organization/webhook_remove.html", endpoint=endpoint)


def _secret_page(visit: OrganizationVisit, endpoint: Endpoint) -> HttpResponseBase:
    return page(visit, "organization/webhook_secret.html", endpoint=endpoint)


def _wanted(form: WebhookForm) -> Wanted:
    data = form.cleaned_data
    return Wanted(
        url=data["url"],
        placement=data["placement"],
        purpose=data["purpose"],
        events=data["events"],
    )
