"""Every address of the console is tried, and everything in it that can be an id."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.forms import Form

from souvenir import console
from tests.adversarial.kinds import Slot
from tests.adversarial.page_table import METHODS, PAGES, PLAIN, Visitor
from tests.adversarial.visiting import Visit, addresses, visit

TABLE = "tests/adversarial/page_table.py"
each_page = pytest.mark.parametrize("name", PAGES)


def test_every_page_is_in_the_table() -> None:
    missing = [
        f"/en/{address.path} has no case: add “{name}” to PAGES in {TABLE}, with who may enter, "
        "what each method answers, a valid form, and a Slot for every id it takes."
        for name, address in addresses().items()
        if name not in PAGES
    ]

    assert missing == [], "\n".join(missing)


def test_every_entry_has_a_page() -> None:
    left_over = sorted(PAGES.keys() - addresses().keys())

    assert left_over == [], f"No address has these names any more; remove them from {TABLE}."


@each_page
def test_every_parameter_of_an_address_is_a_slot(name: str) -> None:
    slots = {slot.name for slot in PAGES[name].slots if slot.where == "path"}

    assert slots == addresses()[name].parameters, (
        f"Give “{name}” in {TABLE} a Slot in the path for each of its parameters, and for no other."
    )


def test_every_field_of_a_form_is_a_slot_or_plain() -> None:
    modules = [
        import_module(f"{console.__name__}.{path.stem}")
        for path in Path(console.__path__[0]).glob("*forms.py")
    ]
    fields = {
        field
        for module in modules
        for _, form in inspect.getmembers(module, inspect.isclass)
        if issubclass(form, Form) and form.__module__ == module.__name__
        for field in form.base_fields
    }
    tried = {slot.name for page in PAGES.values() for slot in page.slots}

    untried = sorted(fields - tried - PLAIN)
    assert untried == [], (
        f"Give the page of each of these a Slot in {TABLE}; or, if it can name nothing that is "
        f"kept, add it to PLAIN there: {untried}"
    )


def test_no_view_reads_what_is_no_slot_and_not_plain() -> None:
    folder = Path(console.__path__[0])
    read = {
        (path.name, name)
        for path in folder.rglob("*.py")
        for name in re.findall(r"(?:GET|POST)(?:\.get\(|\[)\s*[\"'](\w+)", path.read_text())
    }
    tried = {slot.name for page in PAGES.values() for slot in page.slots}

    assert {(file, name) for file, name in read if name not in tried | PLAIN} == set(), (
        f"Give its page a Slot in {TABLE}; or, if it can name nothing that is kept, add it to "
        "PLAIN there."
    )


@each_page
def test_every_other_method_is_refused(name: str) -> None:
    refused = [method for method in METHODS if method not in PAGES[name].answers]

    statuses = {
        method: visit(addresses()[name], Visit(method, session="", ids=_any_ids(name))).status
        for method in refused
    }

    assert statuses == dict.fromkeys(refused, 405), (
        f"Let “{name}” refuse them, or say in {TABLE} what they answer."
    )


def test_every_visitor_may_enter_something() -> None:
    assert {visitor for page in PAGES.values() for visitor in page.who} == set(Visitor)


def _any_ids(name: str) -> dict[Slot, object]:
    nobody = "00000000-0000-7000-8000-000000000000"
    return {slot: nobody for slot in PAGES[name].slots if slot.where == "path"}
