"""Serializers that are built once say and take what those that are built anew do."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from souvenir.api.memory_shapes import AnswerOut, MemoryOut, QuestionIn
from souvenir.api.plain_shapes import plainly, said
from souvenir.api.views import WhoseIn

_ID = UUID("0199f7a0-4a5e-7cc3-8f5e-3f0b7f0e9a11")
_WHEN = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=-5)))
_FOUND = {
    **dict.fromkeys(("conversation_id", "message_id", "bm25", "occurred_at")),
    "passage_id": _ID,
    "memory_id": _ID,
    "text": "l’été",
    "score": 0.5,
    "similarity": 0.25,
    "conversation_title": "",
    "block": 0,
    "start": 1,
    "end": 4,
    "kind": "fact",
    "role": "",
    "language": "fr",
    "trust": "person",
    "source": "souvenir",
    "past_version": 0,
}
_ANSWER = {
    "results": [_FOUND, _FOUND | {"occurred_at": _WHEN, "conversation_id": _ID}],
    "pending": 2,
    "by_meaning": True,
    "rerank": "off",
    "time": SimpleNamespace(since=_WHEN, until=None, words="in March"),
}
_SPAN = SimpleNamespace(
    message=SimpleNamespace(conversation_id=_ID),
    message_id=_ID,
    block=0,
    start=2,
    end=9,
    quote_sha256="ab",
)
_VERSION = {
    **dict.fromkeys(("occurred_at", "valid_from", "valid_to")),
    "number": 1,
    "text": "l’été",
    "observed_at": _WHEN,
    "recorded_at": _WHEN.astimezone(UTC),
    "origin": "provided",
    "method": "agent",
    "author": "key:1",
    "reason": "",
    "metadata": {"a": [1, "b"]},
    "evidence": [_SPAN],
}
_MEMORY = {
    "id": _ID,
    "store_id": _ID,
    "person_id": None,
    "kind": "fact",
    "about": ["bob"],
    "version": 1,
    "recorded_at": _WHEN,
    "current": _VERSION,
}


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        (AnswerOut, _ANSWER),
        (AnswerOut, _ANSWER | {"time": None, "results": []}),
        (MemoryOut, _MEMORY),
        (MemoryOut, _MEMORY | {"current": _VERSION | {"evidence": []}}),
    ],
)
def test_a_row_is_shown_as_its_serializer_would_show_it(
    shape: type[serializers.Serializer[Any]], row: dict[str, Any]
) -> None:
    assert plainly(shape())(row) == shape().to_representation(row)


@pytest.mark.parametrize(
    "body",
    [
        {"query": "where?", "limit": 3, "since": "2026-01-01T00:00:00Z", "kinds": ["fact"]},
        {"query": "où?"},
        {},
        {"query": "x", "limit": 1000, "nobody": 1},
        [],
        "words",
    ],
)
def test_a_body_is_taken_or_refused_as_its_serializer_would(body: Any) -> None:
    anew = QuestionIn(data=body)

    if anew.is_valid():
        assert said(QuestionIn, body) == anew.validated_data
        return
    with pytest.raises(ValidationError) as refused:
        said(QuestionIn, body)
    assert refused.value.detail == anew.errors


def test_a_refusal_is_in_the_language_of_whoever_asks() -> None:
    told: dict[str, list[str]] = {}
    for language in ("fr-ca", "en-ca", "fr-ca"):
        with translation.override(language), pytest.raises(ValidationError) as refused:
            said(QuestionIn, {"query": "x", "limit": 1000})
        told.setdefault(language, []).append(str(refused.value.detail["limit"][0]))  # type: ignore[index,call-overload]

    assert told["fr-ca"][0] == told["fr-ca"][1] != told["en-ca"][0]


def test_two_bodies_do_not_meet() -> None:
    first = said(WhoseIn, {"person": "alice"})

    assert said(WhoseIn, {"store": "team"}) == {"store": "team"}
    assert first == {"person": "alice"}
