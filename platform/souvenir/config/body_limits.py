"""How large a request may be, before anything of its body is read; and how many large ones."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from souvenir.api.errors import RequestTooSlow
from souvenir.core.transfers import TooManyTransfers, TransfersBusy, transfers

_UPLOAD_PAGE = "/my/imports/"  # of the console; the REST door has its own limit, by key


class BodyLimitMiddleware:
    """Refuses what is declared too large: only whoever has signed in may send a file.

    It stands before the check of forged forms, which reads a whole body of whoever sends one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_upload = request.path.endswith(_UPLOAD_PAGE)
        may_upload = is_upload and settings.SESSION_COOKIE_NAME in request.COOKIES
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if may_upload or request.path.startswith("/api/"):
            limit = settings.SOUVENIR_UPLOAD_MAX_BYTES + limit
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            return HttpResponse(gettext("This is too large to be taken."), status=413)
        refusal = _take_in(request) if may_upload and request.method == "POST" else None
        return refusal or self._get_response(request)


def _take_in(request: HttpRequest) -> HttpResponse | None:
    """Read a form with a file, which takes a thread. Gives what is answered where that fails."""
    try:
        # Who it is shows only once it is read: all of them are one owner.
        with transfers.taken(owner=_UPLOAD_PAGE):
            _ = request.POST
    except UnreadablePostError:
        return HttpResponse(gettext(RequestTooSlow.message), status=408)
    except (TransfersBusy, TooManyTransfers) as busy:
        headers = {"Retry-After": str(busy.retry_after_seconds)}
        return HttpResponse(gettext(busy.message), status=503, headers=headers)
    return None
