"""The matrix of the console can fail: defects planted on purpose, each of which it must find."""

import pytest

from souvenir.console.errors import PageNotYours
from souvenir.console.views import my_conversations
from souvenir.memories.errors import ConversationNotFound
from souvenir.memories.models import Conversation
from tests.adversarial.break_in import BreakIn
from tests.adversarial.conftest import SEED
from tests.adversarial.filled import Filled
from tests.adversarial.judging import Tally
from tests.adversarial.kinds import Kind
from tests.adversarial.planted_faults import forgets_the_stores, tells_of
from tests.adversarial.values import Depth


def _findings(three: dict[str, Filled], *names: str) -> str:
    others = [three["globex"], three["initech"]]
    break_in = BreakIn(three["acme"], others, seed=SEED, tally=Tally(), depth=Depth.PLAIN)
    return "\n".join(break_in.findings(*names))


def test_a_page_that_forgets_the_stores_is_found(
    three: dict[str, Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = forgets_the_stores(Conversation, ConversationNotFound, "conversation_id")
    monkeypatch.setattr(my_conversations, "get_conversation", forgetful)

    found = _findings(three, "my-conversation")
    assert "as member, of someone else" in found
    assert "succeeds: 200" in found


def test_a_page_that_tells_that_something_is_there_is_found(
    three: dict[str, Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = three["globex"].mine[Kind.CONVERSATION]

    telling = tells_of({theirs: PageNotYours()}, ConversationNotFound)
    monkeypatch.setattr(my_conversations, "get_conversation", telling)

    assert "differs from a missing one in status" in _findings(three, "my-conversation")
