"""What a person reads when something goes wrong. The one place that maps categories to statuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.forms import BaseForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from souvenir.console.errors import PageNotFound
from souvenir.console.language import in_its_language
from souvenir.console.words import in_words
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
from tenants.keyring.errors import ContentGone, KeyRefused

_CATEGORIES: dict[type[SouvenirError], tuple[HTTPStatus, Promise]] = {
    ContentGone: (HTTPStatus.GONE, gettext_lazy("This was erased")),
    KeyRefused: (HTTPStatus.LOCKED, gettext_lazy("This is locked")),
    SealBroken: (HTTPStatus.INTERNAL_SERVER_ERROR, gettext_lazy("This cannot be shown")),
    QuotaExceeded: (
        HTTPStatus.TOO_MANY_REQUESTS,
        gettext_lazy("This is not possible right now"),
    ),
    TooManyTransfers: (
        HTTPStatus.TOO_MANY_REQUESTS,
        gettext_lazy("This is not possible right now"),
    ),
    Invalid: (HTTPStatus.BAD_REQUEST, gettext_lazy("This cannot be used")),
    NotFound: (HTTPStatus.NOT_FOUND, gettext_lazy("This is not here")),
    Forbidden: (HTTPStatus.FORBIDDEN, gettext_lazy("You cannot enter here")),
    Conflict: (HTTPStatus.CONFLICT, gettext_lazy("This does not fit any more")),
    Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, gettext_lazy("This is not possible right now")),
}


def told(error: SouvenirError) -> str:
    """An error's sentence, in the reader's language."""
    return gettext(error.message).format(**in_words(error.params))


def told_by_code(code: str, params: dict[str, str]) -> str:
    """The sentence of an error that a job wrote down; its code, if nothing raises it any more."""
    known = {kind.code: kind for kind in _leaves(SouvenirError)}
    if code not in known:
        return code
    return gettext(known[code].message).format_map(Told(in_words(params)))


def failure_page(request: HttpRequest, error: SouvenirError) -> HttpResponseBase:
    """What happened, what was not lost, what to do."""
    status, title = next(_CATEGORIES[kind] for kind in type(error).__mro__ if kind in _CATEGORIES)
    context = {"title": title, "explanation": told(error)}
    return TemplateResponse(request, "console/failure.html", context, status=status)


@in_its_language
def nothing_here(request: HttpRequest) -> HttpResponseBase:
    """Any other address of the console."""
    return failure_page(request, PageNotFound())


@contextmanager
def telling(form: BaseForm, *more: type[SouvenirError]) -> Iterator[None]:
    """Show what the body raises above the form, if the person can do something about it there."""
    kinds: tuple[type[SouvenirError], ...] = (Invalid, Conflict, QuotaExceeded, *more)
    try:
        yield
    except kinds as error:
        form.add_error(None, told(error))


def _leaves(kind: type[SouvenirError]) -> Iterator[type[SouvenirError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _leaves(child)
