"""The matrix can fail: defects planted on purpose, each of which it must find."""

from typing import Any
from uuid import UUID

import pytest

from souvenir.api import conversations, exports, memories
from souvenir.api.errors import PlatformKeyNeeded
from souvenir.memories.errors import ConversationNotFound, MemoryNotFound
from souvenir.memories.selectors import memories as everybody_s
from tests.adversarial.attack import Attack
from tests.adversarial.conftest import SEED
from tests.adversarial.filled import Filled
from tests.adversarial.judging import Tally
from tests.adversarial.kinds import Kind
from tests.adversarial.planted_faults import tells_of
from tests.adversarial.row_state import differences, state_of
from tests.adversarial.values import Depth


def _findings(three: dict[str, Filled], *names: str) -> str:
    others = [three["globex"], three["initech"]]
    attack = Attack(three["acme"], others, seed=SEED, tally=Tally(), depth=Depth.THOROUGH)
    return "\n".join(attack.findings(*names))


def test_a_selector_that_forgets_the_stores_is_found(
    three: dict[str, Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(*, store_ids: list[UUID] | None) -> Any:
        return everybody_s(store_ids=None)

    monkeypatch.setattr(memories, "memories", forgetful)

    found = _findings(three, "getMemory")
    assert "as bound, of someone else" in found
    assert "succeeds: 200" in found
    assert f"tells a stranger's {three['acme'].shared_secret}" in found


def test_a_refusal_that_tells_that_something_is_there_is_found(
    three: dict[str, Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = three["globex"].mine[Kind.CONVERSATION]

    telling = tells_of({theirs: PlatformKeyNeeded()}, ConversationNotFound)
    monkeypatch.setattr(conversations, "get_conversation", telling)

    assert "differs from a missing one in status" in _findings(three, "getConversation")


def test_an_error_that_tells_a_stranger_s_word_is_found(
    three: dict[str, Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    globex = three["globex"]

    def telling(*, memory_id: UUID, store_ids: list[UUID]) -> Any:
        raise MemoryNotFound(memory_id=f"{memory_id}, which {globex.secret} has")

    monkeypatch.setattr(memories, "get_memory", telling)

    assert f"tells a stranger's {globex.secret}" in _findings(three, "getMemoryHistory")


def test_an_answer_that_breaks_is_found(
    three: dict[str, Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = UUID(three["initech"].mine[Kind.EXPORT])

    def breaking(*, export_id: UUID, person_id: UUID | None) -> Any:
        return {theirs: "there"}[export_id]

    monkeypatch.setattr(exports, "get_export", breaking)

    assert "breaks: 500" in _findings(three, "getExport")


def test_a_row_that_changed_is_found(three: dict[str, Filled]) -> None:
    globex = three["globex"]
    before = state_of(globex.id)

    globex.tenant.http.post("/api/v1/people", {"external_id": "newcomer"}, "application/json")

    assert differences(before, state_of(globex.id)) == ["memories_person", "memories_store"]
