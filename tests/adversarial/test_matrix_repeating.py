"""An Idempotency-Key of one organization, or of one key, opens no answer to another's."""

from typing import Any

import pytest
from django.test import Client

from tests.adversarial.asking import DOCUMENT, operations
from tests.adversarial.case_table import CASES
from tests.adversarial.filled import Filled
from tests.adversarial.judging import forbidden_to
from tests.adversarial.kinds import Role

NAMES = ("acme", "globex", "initech")
ASKING = {"searchMemories", "filterMemories", "getContext"}  # a POST that changes nothing
BODY = {"text": "A plain statement.", "person": "someone"}


def _post(filled: Filled, role: Role, key: str) -> Any:
    headers = {"authorization": f"Bearer {filled.keys[role]}", "idempotency-key": key}
    return Client(headers=headers).post("/api/v1/memories", BODY, "application/json")


def test_every_operation_that_changes_something_takes_a_key() -> None:
    document = Client().get(DOCUMENT).json()
    taking = {
        described["operationId"]
        for methods in document["paths"].values()
        for described in methods.values()
        if any(p["name"] == "Idempotency-Key" for p in described.get("parameters", []))
    }
    changing = {name for name, found in operations().items() if found.method != "GET"}

    assert taking == changing - ASKING, (
        "TenantView and PlatformView see to it; a view that only asks says `changes_nothing`, and "
        "is named here."
    )
    assert CASES.keys() >= ASKING


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_s_key_is_a_new_one(three: dict[str, Filled], name: str, unique: str) -> None:
    me, other = three[name], three[NAMES[NAMES.index(name) - 1]]
    forbidden = forbidden_to(me, [other], Role.OWNER)
    theirs = _post(other, Role.OWNER, unique)

    mine = _post(me, Role.OWNER, unique)

    assert (theirs.status_code, mine.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in mine.headers
    assert mine.json()["id"] != theirs.json()["id"]
    words = [word for word in forbidden.words if word in mine.content.decode()]
    assert words == []


@pytest.mark.parametrize("name", NAMES)
def test_another_key_of_one_s_own_organization_is_answered_anew(
    three: dict[str, Filled], name: str, unique: str
) -> None:
    me = three[name]
    first = _post(me, Role.OWNER, unique)

    answers = {role: _post(me, role, unique) for role in (Role.READER, Role.WRITER, Role.BOUND)}

    assert {role: answer.status_code for role, answer in answers.items()} == {
        Role.READER: 403,
        Role.WRITER: 201,
        Role.BOUND: 404,  # it names someone else than the person whom the key is bound to
    }
    for answer in answers.values():
        assert first.json()["id"] not in answer.content.decode()
