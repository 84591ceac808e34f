"""Visits of the matrix: built from the addresses of the console and the page table, in process."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver

from souvenir.console import urls
from tests.adversarial.asking import UPLOAD, Answer, answer_of
from tests.adversarial.kinds import Slot
from tests.adversarial.page_table import PAGES

FORM = "application/x-www-form-urlencoded"
# What is new at each answer: the token against forged forms, in a form and in its cookie.
_TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*')
_CLIENT = Client(raise_request_exception=False)


@dataclass(frozen=True)
class Address:
    """One named address of the console; `path` has {names} where an id stands."""

    name: str
    path: str
    parameters: frozenset[str]
    has_language: bool


@cache
def addresses() -> dict[str, Address]:
    """Every named address of the console."""
    return {address.name: address for address in _walk(urls.urlpatterns, "", within=False)}


def _walk(patterns: list[Any], before: str, *, within: bool) -> Iterator[Address]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, before, within=True)
        elif isinstance(pattern, URLPattern) and pattern.name:
            path = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
            names = frozenset(pattern.pattern.converters)
            yield Address(pattern.name, before + path, names, within)


@dataclass(frozen=True)
class Visit:
    """One request of a browser."""

    method: str
    session: str  # the key of the session; "": none
    ids: Mapping[Slot, object]
    language: str = "en"
    is_part: bool = False  # of a page: htmx asks


def visit(address: Address, what: Visit) -> Answer:
    """Call an address with some ids in their places. What no slot fills is left out."""
    path, query = address.path, {}
    for slot, sent in what.ids.items():
        if slot.where == "path":
            path = path.replace(f"{{{slot.name}}}", quote(str(sent), safe=""))
        elif slot.where == "query":
            query[slot.name] = str(sent)
    body, content_type = b"", FORM
    if what.method != "GET":
        body, content_type = _form(address.name, what.ids)
    headers = {"accept-language": what.language, "x-request-id": "of-the-matrix"}
    if what.is_part:
        headers["hx-request"] = "true"
    _CLIENT.cookies = SimpleCookie()
    if what.session:
        _CLIENT.cookies[settings.SESSION_COOKIE_NAME] = what.session
    prefix = f"/{what.language}/" if address.has_language else "/"
    response = _CLIENT.generic(
        what.method,
        prefix + path,
        body,
        content_type,
        headers=headers,
        QUERY_STRING=urlencode(query, errors="surrogatepass"),
    )
    return _without_tokens(answer_of(response), response.cookies)


def _form(name: str, ids: Mapping[Slot, object]) -> tuple[bytes, str]:
    page = PAGES[name]
    said = dict(page.body)
    if "slug" in said:
        said["slug"] = f"t-{uuid4().hex}"
    for slot, sent in ids.items():
        if slot.where == "form":
            said |= slot.beside | {slot.name: sent}
    if page.is_upload:
        said["file"] = SimpleUploadedFile("c.json", UPLOAD)
        return encode_multipart(BOUNDARY, said), MULTIPART_CONTENT
    return urlencode(said, errors="surrogatepass").encode(), FORM


def _without_tokens(answer: Answer, cookies: SimpleCookie) -> Answer:
    """The same, and the cookies that were set, but for what a browser keeps to itself."""
    kept = [
        # Of a signed one what it says, not when.
        f"Set-Cookie: {name}={'' if name in _SECRET else morsel.value.partition(':')[0]}"
        for name, morsel in sorted(cookies.items())
    ]
    headers = "\n".join([answer.headers, *kept])
    return Answer(answer.status, _TOKEN.sub(r"\1", answer.text), headers)


_SECRET = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
