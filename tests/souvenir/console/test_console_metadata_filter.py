"""Searching one's own memory by metadata: rows of a name and a value."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from souvenir.ingestion.services import remember
from souvenir.memories.metadata import Metadata
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes
from tests.souvenir.console.visitors import XSS, make_member

PART = {"hx-request": "true", "hx-target": "results"}
KEPT: dict[str, Metadata] = {
    "Canot rouge": {"lieu": "chalet", "fois": 2, "payé": True},
    "Canot vert": {"lieu": "chalet", "fois": "2"},
    "Canot bleu": {"lieu": "ville", "fois": 3, "vide": ""},
}


def _text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def _rows(*pairs: tuple[str, str]) -> dict[str, list[str]]:
    return {
        "metadata_name": [name for name, _ in pairs],
        "metadata_value": [value for _, value in pairs],
    }


def _keep(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        for text, metadata in KEPT.items():
            remember(store=store, statement=Statement(text, author="a", metadata=metadata))


@pytest.fixture
def told(acme: Tenant) -> Client:
    """Three memories with metadata, and a message without."""
    import_bytes(acme, chatgpt_export("Canot jaune"))
    browser = make_member(acme).browser
    _keep(acme)
    return browser


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([], {*KEPT, "Canot jaune"}),
        ([("", ""), (" ", "")], {*KEPT, "Canot jaune"}),
        ([("lieu", "chalet")], {"Canot rouge", "Canot vert"}),
        ([(" lieu ", " chalet "), ("", "")], {"Canot rouge", "Canot vert"}),
        ([("lieu", "Chalet")], set()),
        ([("fois", "2")], {"Canot rouge"}),
        ([("fois", "2.0")], {"Canot rouge"}),
        ([("fois", '"2"')], {"Canot vert"}),
        ([("payé", "true")], {"Canot rouge"}),
        ([("paye\u0301", "true")], {"Canot rouge"}),
        ([("payé", '"true"')], set()),
        ([("vide", '""')], {"Canot bleu"}),
        ([("lieu", "chalet"), ("fois", "2")], {"Canot rouge"}),
        ([("lieu", "chalet"), ("fois", "3")], set()),
        ([("fois", "2"), ("fois", "3")], {"Canot rouge", "Canot bleu"}),
    ],
)
def test_a_memory_is_found_by_all_of_the_entries(
    told: Client, pairs: list[tuple[str, str]], found: set[str]
) -> None:
    page = _text(told.post("/en/my/", {"question": "canot", **_rows(*pairs)}, headers=PART))
    block = _text(told.post("/en/my/context/", {"question": "canot", **_rows(*pairs)}))

    everything = {*KEPT, "Canot jaune"}
    assert {text for text in everything if text in page} == found
    assert {text for text in everything if text in block} == found
    entries = sum(bool(name.strip()) for name, _ in pairs)
    assert (f"{entries} filter" in page) is bool(entries)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("lieu", "")], "L’entrée 1 des métadonnées a un nom et pas de valeur."),
        ([("lieu", "x"), ("", "chalet")], "L’entrée 2 des métadonnées a une valeur et pas de nom."),
        ([("a" * 65, "x")], "Entrée 1 des métadonnées"),
        ([("lieu", "x"), ("long", "x" * 501)], "Entrée 2 des métadonnées"),
        ([("fois", "1e999")], "Entrée 1 des métadonnées"),
        ([(f"n{number}", "x") for number in range(33)], "au plus 32"),
        ([("n", str(number)) for number in range(51)], "Entrée 1 du filtre"),
    ],
)
def test_what_cannot_be_asked_is_said_and_what_was_typed_stays(
    told: Client, pairs: list[tuple[str, str]], sentence: str
) -> None:
    asked = {"question": "canot", **_rows(*pairs)}

    whole, part = told.post("/fr/my/", asked), told.post("/fr/my/", asked, headers=PART)

    assert (whole.status_code, part.status_code) == (400, 200)
    assert part.headers["HX-Retarget"] == "#asking"
    for page in (_text(whole), _text(part)):
        assert sentence in page.split('id="id_metadata_error"')[1].split("</div>")[0]
        assert "passage trouvé" not in page
        for name, value in pairs:
            assert f'name="metadata_name" value="{name}"' in page
            assert f'name="metadata_value" value="{value}"' in page
        assert '<details class="filters" open>' in page


def test_only_the_rows_that_are_wrong_are_marked(told: Client) -> None:
    page = _text(told.post("/en/my/", {"question": "x", **_rows(("a", "1"), ("b", ""))}))

    rows = re.findall(r"<li(?: class=\"(\w+)\")?>\s*<label>Name", page)
    assert rows == ["", "wrong", ""], "and an empty one for the next"
    assert page.count('aria-invalid="true" aria-describedby="id_metadata_error"') == 2


def test_no_name_and_no_value_stands_in_an_address(told: Client) -> None:
    page = _text(told.post("/en/my/", {"question": "canot", **_rows(("lieu", "chalet"))}))

    addresses = re.findall(r'(?:href|action|hx-[a-z]+)="([^"]*)"', page)
    assert addresses
    assert not any("lieu" in address or "chalet" in address for address in addresses)


def test_the_entries_go_along_to_the_context(told: Client) -> None:
    entries = _rows(("lieu", "chalet"), ("fois", "2"))
    page = _text(told.post("/en/my/", {"question": "canot", **entries}))

    handed = page.split('action="/en/my/context/"')[1].split("</form>")[0]
    fields = re.findall(r'type="hidden" name="(metadata_\w+)" value="([^"]*)"', handed)
    assert fields == [
        ("metadata_name", "lieu"),
        ("metadata_value", "chalet"),
        ("metadata_name", "fois"),
        ("metadata_value", "2"),
    ]


def test_what_was_typed_is_shown_as_text(told: Client) -> None:
    page = _text(told.post("/en/my/", {"question": "canot", **_rows((XSS, XSS))}))

    assert XSS not in page
    assert "&lt;script&gt;" in page


def test_globex_finds_nothing_by_acme_s_metadata(told: Client, globex: Tenant) -> None:
    stranger = make_member(globex).browser

    page = _text(stranger.post("/en/my/", {"question": "canot", **_rows(("lieu", "chalet"))}))

    assert "Nothing found" in page
    assert not any(text in page for text in KEPT)


def test_another_person_s_metadata_finds_nothing(acme: Tenant, told: Client) -> None:
    bob = make_member(acme, external_id="bob").browser

    page = _text(bob.post("/en/my/", {"question": "canot", **_rows(("lieu", "chalet"))}))

    assert "Nothing found" in page
