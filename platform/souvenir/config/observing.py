"""Every request: an id in and out, one log line, one count. Never a path, a query or a body."""

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from souvenir.core import metrics
from souvenir.core.log_fields import log_fields, note

logger = logging.getLogger(__name__)

HEADER = "X-Request-Id"
_TAKEN = re.compile(r"[A-Za-z0-9._-]{8,64}")  # of whoever stands in front; anything else is not
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_QUIET = ("livez", "readyz")  # probes ask every few seconds: counted, not logged


class ObservingMiddleware:
    """Stands before all others, so that what they answer is seen too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        given = request.headers.get(HEADER, "")
        request_id = given if _TAKEN.fullmatch(given) else secrets.token_hex(8)
        with log_fields(request_id=request_id):
            response = self._get_response(request)
            response.headers[HEADER] = request_id
            _tell(request, response, seconds=time.perf_counter() - began)
        return response


def _tell(request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> None:
    route = _route(request)
    method = request.method if request.method in _METHODS else "OTHER"
    status = str(response.status_code)
    metrics.requests.labels(method, route, status).inc()
    metrics.request_seconds.labels(method, route).observe(seconds)
    note(method=method, route=route, status=response.status_code)
    note(duration_ms=round(seconds * 1000, 1))
    if route not in _QUIET:
        logger.info("request")


def _route(request: HttpRequest) -> str:
    """The pattern that answered, with its names in place of what was asked for."""
    match = request.resolver_match
    if match is None:  # static files, and what was refused before it got anywhere
        return "(none)"
    return match.route or "/"
