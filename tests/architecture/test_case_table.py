"""Every operation of the OpenAPI document is tried, and everything in it that can be an id."""

import re
from pathlib import Path

import pytest

from souvenir import api
from tests.adversarial.asking import Operation, operations
from tests.adversarial.case_table import CASES, PLAIN
from tests.adversarial.kinds import Slot

TABLE = "tests/adversarial/case_table.py"
_PLAIN_IN_QUERY = {("query", name) for name in PLAIN}
each_operation = pytest.mark.parametrize("name", CASES)


def test_every_operation_has_a_case() -> None:
    missing = [
        f"{operation.method} {operation.path} has no case: add “{name}” to CASES in {TABLE}, with "
        "the scope it asks for, a valid body, and a Slot for every id it takes."
        for name, operation in operations().items()
        if name not in CASES
    ]

    assert missing == [], "\n".join(missing)


def test_every_case_has_an_operation() -> None:
    left_over = sorted(CASES.keys() - operations().keys())

    assert left_over == [], f"No route has these names any more; remove them from {TABLE}."


@each_operation
def test_every_text_parameter_is_a_slot(name: str) -> None:
    operation = operations()[name]
    slots = {(slot.where, slot.name) for slot in CASES[name].slots}

    untried = {(w, n) for w, n in operation.parameters - slots if (w, n) not in _PLAIN_IN_QUERY}
    assert untried == set(), (
        f"Give “{name}” in {TABLE} a Slot for each of {sorted(untried)}; or, if it can name "
        "nothing that is kept, add it to PLAIN there."
    )


@each_operation
def test_every_property_of_a_body_is_a_slot_or_plain(name: str) -> None:
    in_body = {slot.name for slot in CASES[name].slots if slot.where in {"body", "form"}}

    untried = operations()[name].properties - in_body - PLAIN
    assert untried == frozenset(), (
        f"Give “{name}” in {TABLE} a Slot for each of {sorted(untried)}; or, if it can name "
        "nothing that is kept, add it to PLAIN there."
    )


@each_operation
def test_every_slot_stands_in_the_document(name: str) -> None:
    gone = [slot for slot in CASES[name].slots if not _is_told(operations()[name], slot)]

    assert gone == [], f"“{name}” takes these no more; remove them from {TABLE}."


def test_no_view_reads_a_query_parameter_that_the_document_does_not_tell() -> None:
    folder = Path(api.__path__[0])
    read = {
        (path.name, name)
        for path in folder.glob("*.py")
        for name in re.findall(r"query_params(?:\.get\(|\[)\s*[\"'](\w+)", path.read_text())
    }
    told = {name for operation in operations().values() for _, name in operation.parameters}

    assert {(file, name) for file, name in read if name not in told} == set(), (
        "Name it in extend_schema(parameters=…), so that it is documented and tried."
    )


def _is_told(operation: Operation, slot: Slot) -> bool:
    if slot.where in {"body", "form"}:
        return slot.name in operation.properties
    return (slot.where, slot.name) in operation.parameters
