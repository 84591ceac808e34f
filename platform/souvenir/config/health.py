"""Is this process alive, and is it ready to serve? Answers name no secret and no tenant."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from tenants.isolation.catalogue import audit_isolation


def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> HttpResponse:
    """The database answers, and keeps the tenants apart. 503 with the reason otherwise."""
    try:
        connection.ensure_connection()
        findings = audit_isolation()
    except DatabaseError:
        return JsonResponse({"status": "not-ready", "reasons": ["database"]}, status=503)
    if findings:
        return JsonResponse({"status": "not-ready", "reasons": ["isolation"]}, status=503)
    return JsonResponse({"status": "ready"})
