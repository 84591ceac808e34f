"""A person reads and changes the metadata of a memory, a line for each entry."""

import re
from typing import Any

import pytest

from souvenir.console.errors import MetadataLineInvalid
from souvenir.console.metadata_lines import change_to, lines_of, metadata_of
from souvenir.ingestion.services import remember
from souvenir.memories.metadata import Metadata
from souvenir.memories.models import Memory, MemoryVersion, Store
from souvenir.memories.selectors import reachable_stores
from souvenir.memories.services import Statement
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant
from tests.souvenir.console.visitors import XSS, Visitor, make_member

ANY: Metadata = {
    "plain": "de l’érable",
    "number": 1,
    "exact": 1.0,
    "truth": False,
    "looks like a number": "12",
    "looks true": "true",
    "quoted": '"oui"',
    "a: colon": "b: c",
    '"begins': "x",
    "two lines": "a\nb",
    "strange lines": "a\u2028b",
    "spaces": " a ",
    "empty": "",
    "null": "null",
    "list": "[1]",
}


def test_lines_say_what_the_map_says() -> None:
    again = metadata_of(lines_of(ANY))

    assert again == ANY
    assert {name: type(value) for name, value in again.items()} == {
        name: type(value) for name, value in ANY.items()
    }
    assert lines_of({"room": "kitchen", "level": 3}) == "level: 3\nroom: kitchen"


@pytest.mark.parametrize("text", ["kitchen", ": kitchen", '"room', '"room" kitchen', "a: 1\na: 2"])
def test_a_line_that_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(MetadataLineInvalid):
        metadata_of(text)


def test_what_no_line_names_is_taken_away() -> None:
    assert change_to("a: 2", {"a": 1, "b": 1}) == {"a": 2, "b": None}


def _keep(tenant: Tenant, member: Visitor, metadata: Metadata) -> Memory:
    with tenant_scope(tenant.id):
        (store_id,) = reachable_stores(bound_to=member.person_id)
        said = Statement("Une clé", method="agent", metadata=metadata)
        return remember(store=Store.objects.get(id=store_id), statement=said)


def _versions(tenant: Tenant) -> list[tuple[str, Any, str]]:
    with tenant_scope(tenant.id):
        found = MemoryVersion.objects.order_by("number")
        return [(one.text, one.metadata, one.method) for one in found]


def test_it_is_shown_and_changed_with_the_memory(acme: Tenant) -> None:
    member = make_member(acme)
    memory = _keep(acme, member, {"lieu": XSS, "fois": 2})
    address = f"/fr/my/memories/{memory.id}/"

    page = member.browser.get(address).content.decode()
    form = {"text": "Une clé", "metadata": "fois: 3", "version": 1, "reason": ""}
    changed = member.browser.post(address, form)
    corrected = member.browser.post(address, form | {"text": "Deux clés", "version": 2})

    assert "fois: 2" in page
    assert re.search(r"<dt[^>]*>fois</dt><dd[^>]*>2</dd>", page)
    assert XSS not in page
    assert (changed.status_code, corrected.status_code) == (302, 302)
    assert _versions(acme) == [
        ("Une clé", {"lieu": XSS, "fois": 2}, "agent"),
        ("Une clé", {"fois": 3}, "agent"),
        ("Deux clés", {"fois": 3}, "user_typed"),
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [("fois", "Ligne 1 des métadonnées"), ("a: 1e999", "Entrée 1 des métadonnées")],
)
def test_what_cannot_be_used_is_told_above_the_form(acme: Tenant, lines: str, told: str) -> None:
    member = make_member(acme)
    memory = _keep(acme, member, {})

    form = {"text": "Une clé", "metadata": lines, "version": 1}
    answer = member.browser.post(f"/fr/my/memories/{memory.id}/", form)

    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert len(_versions(acme)) == 1
