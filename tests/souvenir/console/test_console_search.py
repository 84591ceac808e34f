"""Searching one's own memory in a page: filters, what is told of a result, and what is refused."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import correct, remember
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.souvenir.console.visitors import XSS, make_member

SPRING, AUTUMN = datetime(2026, 3, 14, 16, tzinfo=UTC), datetime(2026, 10, 2, 16, tzinfo=UTC)
PART = {"hx-request": "true", "hx-target": "results"}


def _text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def _results(browser: Client, **asked: object) -> str:
    return _text(browser.post("/en/my/", asked, headers=PART))


@pytest.fixture
def browser(acme: Tenant) -> Client:
    return make_member(acme).browser


@pytest.fixture
def told(acme: Tenant, browser: Client) -> Client:
    """Alice has a memory of spring, one of autumn by an agent, and a conversation between them."""
    import_bytes(acme, chatgpt_export("Le canot est rouge", "Le canot va à l’eau.", title="Canot"))
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        spring = Statement(text="The canoe of spring", author="a", occurred_at=SPRING)
        remember(store=store, statement=spring, kind="preference")
        autumn = Statement(
            text="Le canot d’automne", author="a", occurred_at=AUTUMN, method="agent"
        )
        remember(store=store, statement=autumn, kind="goal")
    return browser


ALL = {"Le canot est rouge", "Le canot va à l’eau.", "The canoe of spring", "Le canot d’automne"}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ALL),
        ({"kinds": ["message"]}, {"Le canot est rouge", "Le canot va à l’eau."}),
        ({"kinds": ["preference", "goal"]}, {"The canoe of spring", "Le canot d’automne"}),
        ({"sources": ["souvenir"]}, {"The canoe of spring", "Le canot d’automne"}),
        ({"sources": ["chatgpt"]}, {"Le canot est rouge", "Le canot va à l’eau."}),
        ({"roles": ["assistant"]}, {"Le canot va à l’eau."}),
        ({"trust": "3"}, {"Le canot est rouge", "The canoe of spring"}),
        ({"trust": "2"}, ALL),
        ({"language": "en"}, {"The canoe of spring"}),
        ({"since": "2026-10-02"}, {"Le canot d’automne"}),
        ({"until": "2026-03-14", "since": "2026-03-14"}, {"The canoe of spring"}),
        ({"until": "2026-03-13", "since": "2026-01-01"}, set()),
    ],
)
def test_a_filter_leaves_out_what_is_something_else(
    told: Client, filters: dict[str, object], found: set[str]
) -> None:
    page = _results(told, question="canot canoe", **filters)

    assert {text for text in ALL if text in page} == found
    assert ("in force" in page) is bool(filters)


def test_a_person_looks_back_to_what_was_said_then(acme: Tenant, browser: Client) -> None:
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        first = Statement(
            text="Elle habite Laval", author="a", valid_from=datetime(2020, 1, 1, tzinfo=UTC)
        )
        memory = remember(store=store, statement=first)
        later = Statement(
            text="Elle habite Hull", author="a", valid_from=datetime(2025, 1, 1, tzinfo=UTC)
        )
        correct(memory_id=memory.id, statement=later)

    then = _results(browser, question="habite", as_of="2024-06-30")
    now = _results(browser, question="habite")
    unknown = _results(browser, question="habite", known_at="2024-06-30")

    assert "Elle habite Laval" in then
    assert "it says something else now" in then
    assert "Elle habite Hull" in now
    assert "something else now" not in now
    assert "Nothing found" in unknown


def test_a_result_says_when_whence_whose_words_and_why_in_both_languages(told: Client) -> None:
    english = _results(told, question="canoe of spring")
    french = _text(told.post("/fr/my/", {"question": "canot"}, headers=PART))

    assert "A memory of yours, March 14, 2026" in english
    assert "Your own words" in english
    assert "found by its words" in english
    assert "Un de vos souvenirs, 2 octobre 2026" in french
    assert "Les mots d’un assistant" in french
    assert "trouvé par ses mots" in french
    assert "De ChatGPT, 9 octobre 2025, conversation «\xa0Canot\xa0»" in french


def test_once_it_is_embedded_a_result_is_found_by_its_meaning_too(
    acme: Tenant, told: Client
) -> None:
    run_jobs(acme, Kind.EMBED_PASSAGES)

    page = _results(told, question="canoe of spring")

    assert "found by its words and by its meaning" in page
    assert "still being prepared" not in page


def test_a_day_is_one_of_the_person_s_own_time_zone(acme: Tenant, browser: Client) -> None:
    late = datetime(2026, 3, 15, 5, 30, tzinfo=UTC)  # 22:30 on the 14th in Vancouver
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice", time_zone="America/Vancouver")
        statement = Statement(text="Le ferry de Nanaimo", author="a", occurred_at=late)
        remember(store=personal_store(person=person), statement=statement)

    then = _results(browser, question="ferry", since="2026-03-14", until="2026-03-14")
    later = _results(browser, question="ferry", since="2026-03-15", until="2026-03-15")

    assert "A memory of yours, March 14, 2026" in then
    assert "Nothing found" in later


def test_a_result_of_the_time_asked_about_says_so(told: Client) -> None:
    page = _results(told, question="canoe in March 2026")

    [spring] = [item for item in page.split("<li>") if "The canoe of spring" in item]
    assert "of the time you ask about" in spring


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("since", "soon", "Ce n’est pas une date."),
        ("until", "2026-02-30", "Ce n’est pas une date."),
        ("since", "0001-01-01", "Cette année est hors de portée"),
        ("until", "9999-12-31", "Cette année est hors de portée"),
        ("as_of", "13", "Ce n’est pas une date."),
        ("known_at", XSS, "Ce n’est pas une date."),
        ("kinds", "gossip", "Ce choix n’est pas dans la liste."),
        ("sources", "globex", "Ce choix n’est pas dans la liste."),
        ("roles", "boss", "Ce choix n’est pas dans la liste."),
        ("language", "de", "Ce choix n’est pas dans la liste."),
        ("trust", "9", "Ce choix n’est pas dans la liste."),
        ("question", "x" * 501, "C’est trop long"),
        ("question", "  ", "Écrivez une question"),
    ],
)
def test_what_cannot_be_asked_is_said_by_its_field_and_what_was_typed_stays(
    told: Client, field: str, value: str, sentence: str
) -> None:
    asked = {"question": "le canot", "since": "2026-01-01", "roles": ["user"], field: value}

    whole = told.post("/fr/my/", asked)
    part = told.post("/fr/my/", asked, headers=PART)

    assert (whole.status_code, part.status_code) == (400, 200)
    assert part.headers["HX-Retarget"] == "#asking"
    assert "<html" not in _text(part)
    for page in (_text(whole), _text(part)):
        error = page.split(f'id="id_{field}_error"')[1].split("</div>")[0]
        assert sentence in error
        assert "passage trouvé" not in page
        assert XSS not in page
        if field != "question":
            assert 'value="le canot"' in page
        if field != "roles":
            assert re.search(r'name="roles" value="user"[^>]*checked', page)


def test_days_in_the_wrong_order_are_refused(told: Client) -> None:
    page = _text(
        told.post("/en/my/", {"question": "x", "since": "2026-03-02", "until": "2026-03-01"})
    )

    assert "This is before the first day." in page
    assert 'value="2026-03-02"' in page


def test_after_it_was_mended_the_form_shows_no_error_any_more(told: Client) -> None:
    mended = told.post(
        "/en/my/", {"question": "canoe"}, headers={"hx-request": "true", "hx-target": "asking"}
    )

    page = _text(mended)
    assert mended.headers["HX-Retarget"] == "#asking"
    assert "There is a problem" not in page
    assert "The canoe of spring" in page


def test_no_address_holds_what_was_asked(told: Client) -> None:
    page = _text(told.post("/en/my/", {"question": "canoe", "kinds": ["goal"]}))

    addresses = re.findall(r'(?:href|action|hx-[a-z]+)="([^"]*)"', page)
    assert addresses
    assert not any("canoe" in address or "goal" in address for address in addresses)
    assert 'method="get"' not in page


def test_nothing_found_says_what_to_do(told: Client) -> None:
    plain = _results(told, question="zzyzx")
    filtered = _results(told, question="zzyzx", kinds=["goal"])

    assert "Try other words, or fewer." in plain
    assert "Search without filters" not in plain
    assert "Search without filters" in filtered
    assert 'name="question" value="zzyzx"' in filtered
    assert 'name="kinds"' not in filtered


def test_nothing_found_says_how_many_passages_are_still_being_read(told: Client) -> None:
    page = _results(told, question="zzyzx")

    assert re.search(r"\d+ passages are still being read", page)


def test_more_is_shown_where_there_is_more_and_never_more_than_a_hundred(
    acme: Tenant, browser: Client
) -> None:
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        for number in range(12):
            remember(store=store, statement=Statement(text=f"Kayak number {number}", author="a"))

    first = _results(browser, question="kayak")
    more = _results(browser, question="kayak", limit="20")
    absurd = _results(browser, question="kayak", limit="1000000")

    assert first.count('<p class="passage"') == 10
    assert 'name="limit" value="20"' in first
    assert more.count('<p class="passage"') == 12
    assert 'name="limit"' not in more
    assert absurd.count('<p class="passage"') == 10


@pytest.mark.parametrize("named", ["person", "store", "stores"])
def test_naming_another_s_store_reaches_nothing(acme: Tenant, named: str) -> None:
    import_bytes(acme, chatgpt_export("Le code de Bob est 4417"), person="bob")
    browser = make_member(acme).browser

    page = _results(browser, **{"question": "le code de Bob", named: "bob"})

    assert "Nothing found" in page


def test_globex_s_filters_reach_nothing_of_acme_s(told: Client, globex: Tenant) -> None:
    page = _results(make_member(globex).browser, question="canot canoe", sources=["souvenir"])

    assert "Nothing found" in page
    assert not any(text in page for text in ALL)
