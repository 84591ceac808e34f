"""A reranker, asked from the console: outside any transaction, and told of in words."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tenants.egress import send
from tenants.isolation.scope import has_transaction
from tests.builders import Tenant
from tests.souvenir.console.visitors import make_member
from tests.souvenir.search.rerankers import FakeReranker

LONG = "Le jardin de Nadine, au chalet, donne sur la rivière et sur la forêt"
SHORT = "Le jardin de Nadine"
ASKED = {"question": "le jardin de Nadine au chalet, la rivière, la forêt"}
PAGES = pytest.mark.parametrize("page", ["my/", "my/context/"])


@pytest.fixture
def browser(acme: Tenant) -> Client:
    browser = make_member(acme).browser
    for text in (LONG, SHORT):
        browser.post("/fr/my/memories/", {"text": text, "kind": "fact"})
    return browser


def _found(browser: Client, page: str, language: str = "fr") -> str:
    answer = browser.post(f"/{language}/{page}", ASKED, headers={"hx-request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


@PAGES
def test_what_is_found_comes_in_the_reranker_s_order(
    browser: Client, reranker: FakeReranker, settings: Settings, page: str
) -> None:
    found = _found(browser, page)
    settings.SOUVENIR_RERANK_URL = ""
    plain = _found(browser, page)

    assert found.index(f"{SHORT}<") < found.index(LONG) if page == "my/" else SHORT in found
    assert "Un second modèle a mis les meilleurs en ordre." in found
    assert plain.index(LONG) < plain.rindex(SHORT)
    assert "second modèle" not in plain
    assert len(reranker.asked) == 1


@PAGES
def test_no_transaction_is_open_while_it_is_asked(
    browser: Client, reranker: FakeReranker, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    open_then: list[bool] = []

    def watched(call: Any) -> Any:
        open_then.append(has_transaction() or connection.in_atomic_block)
        return send(call)

    monkeypatch.setattr("souvenir.search.rerank.send", watched)

    _found(browser, page)
    browser.post(f"/fr/{page}", ASKED)

    assert open_then == [False, False]


@PAGES
def test_one_that_may_not_or_does_not_answer_is_told_of(
    browser: Client, reranker: FakeReranker, settings: Settings, page: str
) -> None:
    reranker.status = 503
    silent = _found(browser, page, "en")
    settings.SOUVENIR_RERANK_PLACEMENT = "aws-ca-central-1"
    refused = _found(browser, page, "en")

    assert "The second model does not answer right now" in silent
    assert "the residency policy does not allow the place" in refused
    assert len(reranker.asked) == 1
    assert LONG in silent
    assert LONG in refused


@PAGES
def test_a_page_that_is_refused_is_refused_all_the_same(
    browser: Client, reranker: FakeReranker, page: str
) -> None:
    answer = browser.post(f"/fr/{page}", {**ASKED, "since": "hier"})

    assert answer.status_code == 400
    assert reranker.asked == []


@PAGES
def test_globex_s_question_shows_it_nothing_of_acme_s(
    browser: Client, globex: Tenant, reranker: FakeReranker, page: str
) -> None:
    found = _found(make_member(globex).browser, page)

    assert "Nadine</p>" not in found
    assert reranker.asked == []
