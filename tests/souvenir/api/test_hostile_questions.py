"""Bodies of search and context as a hostile client sends them: refused, or answered; never 500."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.builders import chatgpt_export, import_bytes, make_tenant

_ROOT = Path(__file__).parents[3]
_PATHS = ("/api/v1/memories/search", "/api/v1/context")
_FIELDS = (
    "query", "limit", "budget", "expand", "language", "person", "store", "stores", "since", "until",
    "sources", "roles", "kinds", "languages", "as_of", "known_at", "trust", "asked_at", "timezone",
    "metadata", "no-such-field", "__proto__", "",
)  # fmt: skip
_NASTY_TEXTS = st.sampled_from(
    [
        "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e", "\ufeff", "é" * 9_000,
        "🦔" * 300, "%s%n%(tenant)s", "' OR 1=1 --", "{0}{tenant}", "«" * 500, "« »" * 400,
        '"' * 801, "“x”" * 200, "../../etc/passwd", "9" * 400, "-0", "NaN", "null",
        "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00-23:59",
        "0001-01-01T00:00:00+14:00", "2026-11-26", "2026-13-01T00:00:00Z", "1e5", "hier", "en 9999",
        "il y a 999999999999 ans", "99999 years ago", "in 0000", "America/Toronto", "localtime",
        "posixrules", "neighbours", "fr", "person", "message", "person:nobody", "𝓺\u0301" * 50,
    ]
)  # fmt: skip
_NASTY_NUMBERS = st.sampled_from(
    [0, -1, 1, 2**31, 2**63, -(2**63), 2**64, 10**400, 1e308, -0.0, 0.5, float("nan"), float("inf")]
)
_SCALARS = st.none() | st.booleans() | _NASTY_NUMBERS | _NASTY_TEXTS | st.text(max_size=40)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_NASTY_TEXTS | st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@cache
def _client() -> Client:
    tenant = make_tenant()
    import_bytes(tenant, chatgpt_export("Où est la clé?", "Sous le pot « bleu »."))
    headers = {"authorization": f"Bearer {tenant.key}"}
    return Client(headers=headers, raise_request_exception=False)


@cache
def _codes() -> frozenset[str]:
    """Every code that docs/errors.md has a heading for."""
    page = (_ROOT / "docs" / "errors.md").read_text()
    return frozenset(re.findall(r"^#+ `?([a-z0-9-]+)`?$", page, re.MULTILINE))


def _send(path: str, body: bytes) -> None:
    answer = _client().post(path, body, content_type="application/json")

    assert answer.status_code < 500, body[:500]
    if answer.status_code != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] in _codes(), answer.content[:500]


@pytest.mark.parametrize("path", _PATHS)
@settings(max_examples=120, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=5))
def test_any_values_in_any_fields_are_refused_or_answered(
    path: str, fields: dict[str, Any]
) -> None:
    _send(path, json.dumps({"query": "Où est la clé?", **fields}).encode())


@pytest.mark.parametrize("path", _PATHS)
@settings(max_examples=120, deadline=None)
@given(field=st.sampled_from(_FIELDS), value=_VALUES)
@example(field="query", value="\ud800 la clé")
@example(field="limit", value=10**400)
@example(field="asked_at", value="0001-01-01T00:00:00Z")
def test_one_odd_field_is_refused_or_answered(path: str, field: str, value: Any) -> None:
    _send(path, json.dumps({"query": "hier, « la clé »", field: value}).encode())


@pytest.mark.parametrize("path", _PATHS)
@settings(max_examples=80, deadline=None)
@given(query=_NASTY_TEXTS | st.text(max_size=300), zone=st.sampled_from(["America/Toronto", "UTC"]))
def test_any_text_is_a_question_or_refused(path: str, query: str, zone: str) -> None:
    moments = {"asked_at": "0001-01-01T00:00:00Z", "as_of": "9999-12-31T23:59:59Z"}
    for body in ({}, moments, {"asked_at": "9999-12-31T23:59:59Z"}):
        _send(path, json.dumps({"query": query, "timezone": zone, **body}).encode())


@pytest.mark.parametrize("path", _PATHS)
@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_what_is_no_json_is_refused(path: str, body: bytes) -> None:
    _send(path, body)


_WHOLE = {
    "a list": b"[]",
    "a text": b'"query"',
    "a number": b"1e400",
    "null": b"null",
    "nothing": b"",
    "a name twice": b'{"query": "a", "query": {"b": 1}, "limit": 1, "limit": []}',
    "no number": b'{"query": "a", "limit": NaN}',
    "a number without end": b'{"query": "a", "limit": ' + b"9" * 5_000 + b"}",
    "a huge exponent": b'{"query": "a", "limit": 1e99999999}',
    "deep lists": b'{"query": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": b'{"metadata": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
    "half a surrogate": b'{"query": "\\ud800", "person": "\\udfff"}',
    "a NUL in a name": b'{"query": "a", "\\u0000": 1}',
    "UTF-16": '{"query": "a"}'.encode("utf-16"),
    "a mark before it": b"\xef\xbb\xbf" + b'{"query": "a"}',
    "a long question": json.dumps({"query": "clé " * 100_000}).encode(),
    "many stores": json.dumps({"query": "a", "stores": [str(n) for n in range(5_000)]}).encode(),
    "many kinds": json.dumps({"query": "a", "kinds": ["fact"] * 5_000}).encode(),
    "many sources": json.dumps({"query": "a", "sources": ["x" * 999] * 500}).encode(),
    "much metadata": json.dumps(
        {"query": "a", "metadata": {str(n): str(n) for n in range(5_000)}}
    ).encode(),
}


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize("what", _WHOLE)
def test_a_body_made_to_break_something_breaks_nothing(path: str, what: str) -> None:
    _send(path, _WHOLE[what])
