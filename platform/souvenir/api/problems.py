"""Errors as problem details (RFC 9457), in the caller's language. The one place that maps
categories to statuses.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import get_language, gettext
from rest_framework import exceptions

from souvenir.api.errors import (
    AddressNotFound,
    BodyTooLarge,
    KeyInvalid,
    KeyMissing,
    NotAcceptable,
    RequestInvalid,
    RequestTooSlow,
)
from souvenir.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    SouvenirError,
    Told,
    Unavailable,
)
from souvenir.core.sealing import SealBroken
from souvenir.core.transfers import TooManyTransfers
from tenants.errors import QuotaExceeded
from tenants.idempotency.errors import IdempotencyKeyReused
from tenants.keyring.errors import ContentGone, KeyRefused
from tenants.residency import REASONS

_STATUSES: dict[type[SouvenirError], HTTPStatus] = {
    KeyMissing: HTTPStatus.UNAUTHORIZED,
    KeyInvalid: HTTPStatus.UNAUTHORIZED,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RequestTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    AddressNotFound: HTTPStatus.NOT_FOUND,
    ContentGone: HTTPStatus.GONE,
    KeyRefused: HTTPStatus.LOCKED,
    SealBroken: HTTPStatus.INTERNAL_SERVER_ERROR,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    QuotaExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyTransfers: HTTPStatus.TOO_MANY_REQUESTS,
    Invalid: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler. What it does not know stays an error of the server, logged."""
    found = _understood(error)
    if found is None:
        return None
    if transaction.get_connection().in_atomic_block:
        transaction.set_rollback(True)  # what a refused request began is not kept
    response = problem(found)
    if isinstance(error, exceptions.ValidationError):
        response = problem(found, errors=list(_field_errors(error.detail)))
    if isinstance(error, exceptions.MethodNotAllowed):
        response.status_code = HTTPStatus.METHOD_NOT_ALLOWED
        view = context.get("view")
        response.headers["Allow"] = ", ".join(view.allowed_methods) if view else ""
    return response


def problem(error: SouvenirError, *, errors: list[dict[str, str]] | None = None) -> JsonResponse:
    """One of our errors as an answer."""
    status = status_of(error)
    reasons = [
        {"code": code, "detail": gettext(REASONS[code])} for code in error.params.get("reasons", ())
    ]
    params = error.params | {"reasons": "; ".join(reason["detail"] for reason in reasons)}
    body: dict[str, Any] = {
        "type": f"urn:souvenir:problem:{error.code}",
        "title": gettext(status.phrase),
        "status": status.value,
        "code": error.code,
        "detail": gettext(error.message).format(**_in_words(params)),
    }
    if reasons:
        body["reasons"] = reasons
    if errors is not None:
        body["errors"] = errors
    response = JsonResponse(body, status=status, content_type="application/problem+json")
    response.headers["Content-Language"] = get_language() or "en-ca"
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    wait = error.params.get("retry_after_seconds", error.retry_after_seconds)
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def status_of(error: SouvenirError) -> HTTPStatus:
    """The status of the nearest class in the error's ancestry that has one."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def _understood(error: Exception) -> SouvenirError | None:
    """Django's and DRF's own errors as ours; None: a defect, which is not the caller's business."""
    if isinstance(error, SouvenirError):
        return error
    for kind, make in _FOREIGN:
        if isinstance(error, kind):
            return make(error)
    return None


# In this order: the last one is the ancestor of the others.
_FOREIGN: tuple[tuple[type[Exception], Callable[[Any], SouvenirError]], ...] = (
    (exceptions.ValidationError, lambda _: RequestInvalid()),
    (exceptions.NotAuthenticated, lambda _: KeyMissing()),
    (exceptions.NotFound, lambda _: AddressNotFound()),
    (Http404, lambda _: AddressNotFound()),
    (RequestDataTooBig, lambda _: BodyTooLarge(limit_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)),
    (exceptions.APIException, lambda error: NotAcceptable(detail=str(error.detail))),
)


def _in_words(params: dict[str, Any]) -> dict[str, Any]:
    """An error's parameters; those that are words of ours, in the caller's language."""
    ours = {name: gettext(params[name]) for name in ("format", "target") if params.get(name)}
    return params | ours


def _field_errors(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested details as a flat list, each with a JSON pointer (RFC 6901)."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            suffix = "" if name == "non_field_errors" else f"/{escaped}"
            yield from _field_errors(inner, pointer + suffix)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_errors(inner, pointer)
    else:
        yield {"pointer": pointer, "code": detail.code, "detail": str(detail)}


def error_summary(code: str, params: dict[str, str]) -> dict[str, str]:
    """An error that a job wrote down, told again in the reader's language."""
    known = {kind.code: kind for kind in _leaves(SouvenirError)}
    message = known[code].message if code in known else code
    return {"code": code, "detail": gettext(message).format_map(Told(_in_words(params)))}


def _leaves(kind: type[SouvenirError]) -> Iterator[type[SouvenirError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _leaves(child)
