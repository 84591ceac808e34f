"""The page that shows what an assistant would be given."""

import html
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from souvenir.memories.models import Conversation
from souvenir.search.block import CLOSES, OPENS
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes
from tests.souvenir.console.visitors import XSS, make_member

MOTEL = (
    "Au motel de la baie, à Percé: il donne sur le rocher, sur le quai et sur l’île Bonaventure, "
)
MOTEL += "et le déjeuner y est bon, sauf le lundi, quand la patronne va aux homards avec son frère."
TALK = ("Où dormir à Percé?", MOTEL, "Et manger à Percé?", f"Là {XSS}")


def _text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def _block(page: str) -> str:
    return html.unescape(
        page.split('id="block"')[1].split(">", 1)[1].split("</pre>", maxsplit=1)[0]
    )


@pytest.fixture
def browser(acme: Tenant) -> Client:
    import_bytes(acme, chatgpt_export(*TALK, title="Voyage à Gaspé"))
    return make_member(acme).browser


def test_the_block_is_the_one_that_an_assistant_is_given(acme: Tenant, browser: Client) -> None:
    page = _text(browser.post("/fr/my/context/", {"question": "Percé", "budget": 900}))
    given = acme.http.post(
        "/api/v1/context",
        {"query": "Percé", "budget": 900, "person": "alice", "language": "fr"},
        content_type="application/json",
    ).json()

    block = _block(page)
    assert block == given["text"]
    assert block.startswith(OPENS)
    assert block.endswith(CLOSES)
    assert "Là &lt;script>" in block
    assert XSS not in page
    assert f"<dd>{given['tokens']}</dd>" in page
    assert "jetons, sur 900" in page


def test_each_record_says_whose_words_it_is_and_leads_to_its_message(
    acme: Tenant, browser: Client
) -> None:
    page = _text(browser.post("/fr/my/context/", {"question": "Percé"}))

    with tenant_scope(acme.id):
        conversation = Conversation.objects.get()
    assert f"/fr/my/conversations/{conversation.id}/?message=" in page
    assert "Vos propres mots" in page
    assert "Les mots d’un assistant" in page
    assert "Rien de ce qui a été trouvé n’est laissé de côté." in page


def test_what_does_not_fit_is_counted_with_the_reason_in_both_languages(browser: Client) -> None:
    asked = {"question": "Percé", "budget": 200}

    french, english = (_text(browser.post(f"/{code}/my/context/", asked)) for code in ("fr", "en"))

    assert re.search(r"\d passages?\xa0: (il n’y avait plus de place|une conversation)", french)
    assert re.search(r"\d passages?: (there was no room left|one conversation fills)", english)


def test_more_of_the_conversation_comes_along_where_it_is_asked_for(browser: Client) -> None:
    asked = {"question": "motel", "budget": 900}

    alone = _block(_text(browser.post("/fr/my/context/", asked)))
    whole = _block(_text(browser.post("/fr/my/context/", {**asked, "expand": "conversation"})))

    assert "] Là" not in alone
    assert "] Là" in whole


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("budget", "", "Say how many tokens"),
        ("budget", "much", "This is not a whole number."),
        ("budget", "100", "At least 200 tokens"),
        ("budget", "9000000", "At most 32000 tokens"),
        ("expand", "everything", "This is not in the list."),
        ("question", "", "Write a question"),
        ("since", "soon", "This is not a date."),
    ],
)
def test_what_cannot_be_asked_is_said_by_its_field(
    browser: Client, field: str, value: str, sentence: str
) -> None:
    asked = {"question": "Percé", "budget": "900", field: value}

    response = browser.post("/en/my/context/", asked)

    page = _text(response)
    assert response.status_code == 400
    assert sentence in page.split(f'id="id_{field}_error"')[1].split("</div>")[0]
    assert 'id="block"' not in page
    assert f'value="{asked["question"]}"' in page or field == "question"


def test_filters_hold_for_the_block_too(browser: Client) -> None:
    page = _text(browser.post("/en/my/context/", {"question": "Percé", "roles": ["assistant"]}))

    assert "motel" in _block(page)
    assert "dormir" not in _block(page)


def test_the_search_page_hands_its_question_on_without_an_address(browser: Client) -> None:
    page = _text(browser.post("/en/my/", {"question": "Percé", "roles": ["user"]}))

    handed = page.split('action="/en/my/context/"')[1].split("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', handed))
    del fields["csrfmiddlewaretoken"]
    assert fields == {"question": "Percé", "roles": "user"}
    assert 'id="block"' in _text(browser.post("/en/my/context/", fields))


def test_globex_is_given_nothing_of_acme_s(browser: Client, globex: Tenant) -> None:
    page = _text(make_member(globex).browser.post("/en/my/context/", {"question": "Percé motel"}))

    assert 'id="block"' not in page
    assert "Try other words, or fewer." in page
