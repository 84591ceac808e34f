"""A second look by a reranker: used where it answers well, and never needed."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from souvenir.ingestion.services import remember
from souvenir.memories.selectors import get_person
from souvenir.memories.services import Statement, ensure_shared_store
from souvenir.search.rerank import Rerank
from souvenir.search.rerank_pause import OPENS_AT, PAUSE_SECONDS, Pause
from tenants.egress import send
from tenants.isolation.scope import has_transaction, tenant_scope
from tenants.keyring.services import destroy_subject_keys
from tests.builders import Tenant
from tests.souvenir.search.rerankers import FakeReranker, scored

NOTES = [
    "Le jardin",
    "Le jardin de Nadine donne sur la rivière",
    "Le jardin de Nadine, au chalet, donne sur la rivière et sur la forêt",
]


@pytest.fixture
def noted(acme: Tenant) -> Tenant:
    for text in NOTES:
        body = {"text": text, "person": "alice"}
        acme.http.post("/api/v1/memories", body, content_type="application/json")
    return acme


def _ask(tenant: Tenant, path: str = "memories/search") -> Any:
    answer = tenant.http.post(
        f"/api/v1/{path}",
        {"query": "Nadine rivière forêt", "asked_at": "2026-11-26T08:00:00Z"},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


def _texts(answer: Any) -> list[str]:
    return [found["text"] for found in answer.get("results", answer.get("items"))]


def test_without_a_reranker_none_is_asked(noted: Tenant) -> None:
    assert _ask(noted)["rerank"] == "off"


@pytest.mark.parametrize("kind", ["tei", "cohere"])
def test_the_answer_comes_in_the_reranker_s_order(
    noted: Tenant, reranker: FakeReranker, settings: Settings, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    settings.SOUVENIR_RERANK_KEY_FILE = tmp_path / "key"
    settings.SOUVENIR_RERANK_KIND = kind
    settings.SOUVENIR_RERANK_MODEL = "m"

    found = _ask(noted)

    shortest_first = [text for text in NOTES if text in _texts(found)]
    assert (_texts(found), found["rerank"]) == (shortest_first, "done")
    [(path, headers, body)] = reranker.asked
    assert (path, headers["authorization"]) == ("/rerank", "Bearer s3cret")
    assert body["query"] == "Nadine rivière forêt"
    assert set(body.get("texts") or body["documents"]) == set(shortest_first)
    assert body.get("model") == ("m" if kind == "cohere" else None)


def test_a_block_comes_in_the_reranker_s_order(noted: Tenant, reranker: FakeReranker) -> None:
    found = _ask(noted, "context")

    assert found["rerank"] == "done"
    assert _texts(found) == [text for text in NOTES if text in _texts(found)]


def test_it_is_shown_the_best_passages_and_no_more(
    noted: Tenant, reranker: FakeReranker, settings: Settings
) -> None:
    settings.SOUVENIR_RERANK_URL, url = "", settings.SOUVENIR_RERANK_URL
    best = _texts(_ask(noted))
    settings.SOUVENIR_RERANK_URL, settings.SOUVENIR_RERANK_PASSAGES = url, 1

    found = _ask(noted)

    [(_, _, body)] = reranker.asked
    assert body["texts"] == best[:1]
    assert _texts(found) == best


def test_it_is_not_shown_what_nobody_can_open_any_more(
    noted: Tenant, reranker: FakeReranker, settings: Settings
) -> None:
    """As between an erasure's first step, which ends the keys, and its last."""
    settings.SOUVENIR_RERANK_PASSAGES = 2
    with tenant_scope(noted.id):
        store = ensure_shared_store(slug="chalet")
        for text in ("Nadine, rivière, forêt", "Nadine à la rivière et à la forêt"):
            remember(store=store, statement=Statement(text), about=["bob"])
        destroy_subject_keys(get_person(external_id="bob").id)

    found = _ask(noted)

    [(_, _, body)] = reranker.asked
    assert len(body["texts"]) == 2
    assert set(body["texts"]) <= set(NOTES)
    assert set(_texts(found)) <= set(NOTES)
    assert found["rerank"] == "done"


def _first_twice(body: dict[str, Any]) -> object:
    return [{"index": 0, "score": 0.5} for _ in body["texts"]]


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: b"",
        lambda _: b"<html>",
        lambda _: b"[" * 100_000,
        lambda _: b"\xff\xfe",
        lambda _: [],
        lambda _: {"results": []},
        lambda _: None,
        lambda _: [1, 2, 3],
        lambda body: scored(body)[1:],  # type: ignore[index]  # a list in this dialect
        lambda body: [*scored(body), {"index": 99, "score": 1.0}],  # type: ignore[misc]  # likewise
        lambda body: [{**entry, "index": entry["index"] + 7} for entry in scored(body)],  # type: ignore[attr-defined]  # likewise
        lambda body: [{**entry, "index": -1 - entry["index"]} for entry in scored(body)],  # type: ignore[attr-defined]  # likewise
        _first_twice,
        lambda body: [{"index": n, "score": "high"} for n in range(len(body["texts"]))],
        lambda body: [{"index": n, "score": None} for n in range(len(body["texts"]))],
        lambda body: json.dumps(scored(body)).replace("0.", "NaN,0.").encode(),
        lambda body: [{"index": n, "score": float("nan")} for n in range(len(body["texts"]))],
        lambda body: [{"index": [n], "score": 1} for n in range(len(body["texts"]))],
    ],
)
def test_an_answer_that_cannot_be_used_changes_nothing(
    noted: Tenant, reranker: FakeReranker, settings: Settings, answer: Any
) -> None:
    settings.SOUVENIR_RERANK_URL, url = "", settings.SOUVENIR_RERANK_URL
    plain = _ask(noted)
    settings.SOUVENIR_RERANK_URL = url
    reranker.answer = answer

    found = _ask(noted)

    assert (found["results"], found["rerank"]) == (plain["results"], "unavailable")
    assert len(reranker.asked) == 1


@pytest.mark.parametrize("status", [302, 401, 429, 500, 503])
def test_a_status_that_is_no_success_changes_nothing(
    noted: Tenant, reranker: FakeReranker, status: int
) -> None:
    reranker.status = status

    assert _ask(noted)["rerank"] == "unavailable"


def test_one_that_is_slow_is_not_waited_for(
    noted: Tenant, reranker: FakeReranker, settings: Settings
) -> None:
    settings.SOUVENIR_RERANK_TIMEOUT_SECONDS = 0.2
    reranker.seconds = 5.0

    assert _ask(noted)["rerank"] == "unavailable"


def test_one_that_is_not_there_changes_nothing(
    noted: Tenant, reranker: FakeReranker, settings: Settings
) -> None:
    settings.SOUVENIR_RERANK_URL = "https://localhost:1/rerank"
    settings.SOUVENIR_EGRESS_INSIDE = ["localhost:1"]

    assert _ask(noted)["rerank"] == "unavailable"


def test_after_failures_in_a_row_it_is_left_alone(noted: Tenant, reranker: FakeReranker) -> None:
    reranker.status = 500

    outcomes = [_ask(noted)["rerank"] for _ in range(OPENS_AT + 2)]

    assert outcomes == ["unavailable"] * (OPENS_AT + 2)
    assert len(reranker.asked) == OPENS_AT


def test_after_a_pause_one_tries_for_all() -> None:
    now = [0.0]
    pause = Pause(clock=lambda: now[0])
    for _ in range(OPENS_AT):
        pause.note_failure()
    assert pause.holds()

    now[0] += PAUSE_SECONDS

    assert [pause.holds(), pause.holds()] == [False, True]
    pause.note_success()
    assert not pause.holds()


def test_a_place_that_the_policy_refuses_is_not_called(
    noted: Tenant, reranker: FakeReranker, settings: Settings
) -> None:
    settings.SOUVENIR_RERANK_PLACEMENT = "aws-ca-central-1"

    assert _ask(noted)["rerank"] == "refused"
    assert reranker.asked == []


def test_a_place_that_the_registry_does_not_know_is_not_called(
    noted: Tenant, reranker: FakeReranker, settings: Settings
) -> None:
    settings.SOUVENIR_RERANK_PLACEMENT = "nowhere"

    assert _ask(noted)["rerank"] == "refused"
    assert reranker.asked == []


def test_a_private_address_is_not_called_unless_the_operator_names_it(
    noted: Tenant, reranker: FakeReranker, settings: Settings
) -> None:
    settings.SOUVENIR_EGRESS_INSIDE = []

    assert _ask(noted)["rerank"] == "unavailable"
    assert reranker.asked == []


def test_it_is_called_outside_any_transaction(
    noted: Tenant, reranker: FakeReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def watched(call: Any) -> Any:
        seen.append(has_transaction() or connection.in_atomic_block)
        return send(call)

    monkeypatch.setattr("souvenir.search.rerank.send", watched)

    _ask(noted)
    _ask(noted, "context")

    assert seen == [False, False]


def test_no_log_says_what_was_asked_or_found(
    noted: Tenant, reranker: FakeReranker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _ask(noted)
    reranker.answer = lambda body: json.dumps(body).encode()

    _ask(noted)

    assert "did not help" in caplog.text
    assert "rivière" not in caplog.text


def test_a_key_is_needed_all_the_same(
    noted: Tenant, globex: Tenant, reranker: FakeReranker
) -> None:
    assert _texts(_ask(globex)) == []
    assert reranker.asked == []
    wrong = Tenant(noted.organization, noted.key[:-3] + "xxx")

    answer = wrong.http.post(
        "/api/v1/memories/search", {"query": "Nadine"}, content_type="application/json"
    )

    assert answer.status_code == 401


def test_outcomes_are_words_that_the_document_tells() -> None:
    assert {outcome.value for outcome in Rerank} == {"off", "done", "refused", "unavailable"}
