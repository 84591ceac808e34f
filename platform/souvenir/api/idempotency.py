"""Idempotency-Key: whatever changes something does it once, however often it is sent.

A view does nothing about it. What each view may say is whom its answer is about, so that erasing
one person does not cost everyone else their answers.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils.crypto import salted_hmac
from django.views import View
from rest_framework.request import Request

from souvenir.api.caller import presented_key
from tenants.idempotency.errors import IdempotencyKeyInvalid
from tenants.idempotency.services import Answer, Claim, Sent, claim_or_replay

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
CHANGING = ("post", "put", "patch", "delete")
MOST_CHARACTERS = 255
_BODY_DIGEST = "souvenir.body-digest"  # in request.META
_ABOUT = "souvenir.answer-is-about"
_NO_CONTENT = "souvenir.answer-holds-no-content"
_WRAPPED = "souvenir_once"  # an attribute of a wrapped method
_NOT_FREE = 0xF << 76 | 0b11 << 62  # the version and the variant of a UUID
_VERSION_8 = 0x8 << 76 | 0b10 << 62  # RFC 9562, §5.8: a digest of ours
_PRINTABLE = range(0x20, 0x7F)
Handler = Callable[..., HttpResponse]


def asks_for_once(request: HttpRequest) -> bool:
    """Whether a request carries a key and can change something."""
    return HEADER in request.headers and (request.method or "").lower() in CHANGING


def take_digest(request: HttpRequest) -> None:
    """Digest a body that has been read, before any transaction: a file may be large."""
    request.META[_BODY_DIGEST] = _body_digest(request)


def answer_is_about(request: Request, person_id: UUID | None) -> None:
    """Say whom the answer tells of. Unsaid, or None, it goes with whoever is erased."""
    request.META[_ABOUT] = person_id


def answer_holds_no_content(request: Request) -> None:
    """Say that the answer is ids, times and counts: it stays, whoever is erased."""
    request.META[_NO_CONTENT] = True


def organization_to_make(request: HttpRequest) -> UUID:
    """The id of the organization that a request with a key is to make: the same each time."""
    said = f"{presented_key(request)} {request.headers[HEADER]}"
    digest = salted_hmac("souvenir.organization-to-make", said, algorithm="sha256").digest()
    return UUID(int=int.from_bytes(digest[:16], "big") & ~_NOT_FREE | _VERSION_8)


def run_once(view: type[View], *, but: frozenset[str] = frozenset()) -> None:
    """Wrap each method of a view that changes something."""
    for name in CHANGING:
        if name in vars(view) and name.upper() not in but:
            setattr(view, name, _once(vars(view)[name]))


def is_run_once(handler: object) -> bool:
    """Whether a view's method was wrapped so."""
    return getattr(handler, _WRAPPED, False)


def _once(handler: Handler) -> Handler:
    """A view's method that, with an Idempotency-Key, is run once and then answers alike."""

    @wraps(handler)
    def run(view: View, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not asks_for_once(request):
            return handler(view, request, *args, **kwargs)
        found = claim_or_replay(sent=_sent(request))
        if isinstance(found, Answer):
            return _again(found)
        response = handler(view, request, *args, **kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response.add_post_render_callback(lambda rendered: _keep(found, request, rendered))
        return response

    setattr(run, _WRAPPED, True)
    return run


def _sent(request: Request) -> Sent:
    key = request.headers[HEADER]
    if not 0 < len(key) <= MOST_CHARACTERS or any(ord(letter) not in _PRINTABLE for letter in key):
        raise IdempotencyKeyInvalid(most=MOST_CHARACTERS)
    match = request.resolver_match
    return Sent(
        secret=presented_key(request) or "",
        operation=f"{request.method} {match.route if match else request.path}",
        key=key,
        path=request.get_full_path(),
        body_digest=request.META.get(_BODY_DIGEST) or _body_digest(request._request),
    )


def _body_digest(request: HttpRequest) -> bytes:
    """SHA-256 of a body. Of a form, of its parts: the line between them is new each time."""
    if request.content_type != "multipart/form-data":
        return hashlib.sha256(request.body).digest()
    whole = hashlib.sha256()
    for name, values in sorted(request.POST.lists()):
        for value in values:
            _tell(whole, b"field", str(name).encode(), str(value).encode("utf-8", "surrogatepass"))
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            named = (file.name or "").encode("utf-8", "surrogatepass")
            _tell(whole, b"file", str(name).encode(), named, _file_digest(file))
    return whole.digest()


def _tell(whole: "hashlib._Hash", *parts: bytes) -> None:
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)


def _file_digest(file: "UploadedFile[Any]") -> bytes:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.digest()


def _keep(claim: Claim, request: Request, rendered: HttpResponse) -> None:
    """Keep what was rendered; an error is not kept, for what led to it is rolled back."""
    if rendered.status_code < HTTPStatus.BAD_REQUEST:
        claim.keep(
            answer=Answer(rendered.status_code, dict(rendered.headers.items()), rendered.content),
            person_id=request.META.get(_ABOUT),
            holds_content=bool(rendered.content) and _NO_CONTENT not in request.META,
        )


def _again(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response
