"""How large a request may be, before anything of its body is read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

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
        return self._get_response(request)
