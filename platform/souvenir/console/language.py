"""The language stands in the address: the same pages under /en/ and /fr/."""

import re
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls.resolvers import RegexPattern
from django.utils.translation import get_language, override

View = Callable[..., HttpResponseBase]

LANGUAGES = {"en": "en-ca", "fr": "fr-ca"}  # in the address → as Django names it
_PREFIX = re.compile(f"/({'|'.join(LANGUAGES)})/")


class LanguagePrefix(RegexPattern):
    """Matches either prefix; an address is made with that of the language in force."""

    def __init__(self) -> None:
        super().__init__(f"^(?:{'|'.join(LANGUAGES)})/")

    @property
    def regex(self) -> re.Pattern[str]:  # type: ignore[override]  # Django's is a descriptor
        """Read when an address is made; Django keeps the result once per language."""
        return re.compile(f"^{prefix_of(get_language())}/")

    def match(self, path: str) -> tuple[str, tuple[object, ...], dict[str, str]] | None:
        prefix, slash, rest = path.partition("/")
        return (rest, (), {}) if slash and prefix in LANGUAGES else None


def prefix_of(language: str | None) -> str:
    """`en` or `fr`, for any code of Django's. English where there is none."""
    prefix = (language or "").split("-")[0]
    return prefix if prefix in LANGUAGES else "en"


def language_of(path: str) -> str | None:
    """The language that an address is in, as Django names it; None: it is in none."""
    found = _PREFIX.match(path)
    return LANGUAGES[found[1]] if found else None


def same_page_in(language: str, path: str) -> str:
    """The address of the same page in another language, query and all."""
    return _PREFIX.sub(f"/{prefix_of(language)}/", path, count=1)


def in_its_language(view: View) -> View:
    """Run a view, and render what it gives, in the language of the address."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        language = language_of(request.path) or get_language() or LANGUAGES["en"]
        with override(language):
            response = view(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        response.headers["Content-Language"] = language
        return response

    return wrapper
