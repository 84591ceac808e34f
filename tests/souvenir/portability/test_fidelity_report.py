"""The report counts what was read, and notices what was not."""

from dataclasses import replace
from pathlib import Path

import pytest

from souvenir.portability.documents import (
    Block,
    ConversationDocument,
    Inspection,
    MessageDocument,
    ObjectRead,
    RawObject,
)
from souvenir.portability.fidelity import Fidelity
from souvenir.portability.reading import inspect, read

SAMPLES = Path(__file__).parents[2] / "samples"
EXPECTED = Inspection("chatgpt", "classic", objects=1, conversations=1, messages=1, assets=0)


def read_object(*blocks: Block) -> ObjectRead:
    message = MessageDocument("m", None, "user", blocks)
    conversation = ConversationDocument("chatgpt", "c", "T", (message,))
    return ObjectRead(RawObject("conversation", "a.json", 0, b"{}"), conversation)


def test_the_report_of_a_whole_export() -> None:
    path = SAMPLES / "good/chatgpt-classic.zip"
    fidelity = Fidelity(inspect(path))

    for item in read(path):
        fidelity.add(item)

    report = fidelity.as_json()
    assert report["complete"] is True
    assert report["objects_by_kind"] == {
        "account": 1,
        "conversation": 2,
        "feedback": 1,
        "other": 2,
    }
    assert (report["branches"], report["hidden"], report["assets"]) == (1, 2, 1)
    assert report["unknown_types"] == {"super_widget": 1}
    assert report["notices"] == {
        "copy-left-out": {"count": 1, "where": ["chat.html"]},
        "time-unknown": {"count": 1, "where": ["conv-kinds/c-sys"]},
        "unknown-block": {"count": 1, "where": ["conv-kinds/c-widget"]},
    }


@pytest.mark.parametrize("field", ["objects", "conversations", "messages", "assets"])
def test_one_thing_missing_is_not_complete(field: str) -> None:
    more = replace(EXPECTED, **{field: getattr(EXPECTED, field) + 1})
    fidelity = Fidelity(more)

    fidelity.add(read_object())

    assert not fidelity.is_complete


def test_all_things_there_is_complete() -> None:
    fidelity = Fidelity(EXPECTED)

    fidelity.add(read_object())

    assert fidelity.is_complete


def test_a_thousand_invented_types_do_not_swell_the_report() -> None:
    invented = [Block("unknown", "", {"provider_type": f"{n}" + "x" * 1000}) for n in range(1000)]
    fidelity = Fidelity(EXPECTED)

    fidelity.add(read_object(*invented))

    unknown = fidelity.as_json()["unknown_types"]
    assert isinstance(unknown, dict)
    assert len(unknown) == 101
    assert unknown["…"] == 900
    assert all(len(name) <= 100 for name in unknown)
