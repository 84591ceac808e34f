"""Le Chat: a file is a conversation, and a list in no order."""

import json
from pathlib import Path

import pytest

from souvenir.portability.documents import ObjectRead
from souvenir.portability.reading import read

SAMPLES = Path(__file__).parents[2] / "samples"


def test_a_file_is_one_object_byte_for_byte_and_one_conversation() -> None:
    path = SAMPLES / "good/lechat.json"

    (item,) = read(path)

    assert isinstance(item, ObjectRead)
    assert item.raw.body == path.read_bytes()
    assert item.conversation is not None
    assert item.conversation.provider_id == "chat-0001"
    assert item.conversation.title == "Quel temps fait-il à Gaspé?"


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("mot " * 30, "mot " * 18 + "mot…"),
        ("mot " * 19 + "mots", "mot " * 19 + "mots"),
        ("x" * 200, "x" * 79 + "…"),
        ("Une ligne\nune autre", "Une ligne"),
    ],
)
def test_a_title_is_made_of_the_first_whole_words(
    question: str, title: str, tmp_path: Path
) -> None:
    path = tmp_path / "chat-1.json"
    message = {"id": "m", "role": "user", "content": question, "chatId": "1"}
    path.write_text(json.dumps([message | {"createdAt": "2026-03-01T12:00:00Z"}]))

    (item,) = read(path)

    assert isinstance(item, ObjectRead)
    assert item.conversation is not None
    assert item.conversation.title == title


def test_messages_come_in_order_of_time_with_their_blocks() -> None:
    (item,) = read(SAMPLES / "good/lechat.json")

    assert isinstance(item, ObjectRead)
    assert item.conversation is not None
    question, answer = item.conversation.messages
    assert [block.type for block in question.blocks] == ["text", "image", "file"]
    assert [block.type for block in answer.blocks] == [
        "tool_call",
        "tool_result",
        "text",
        "citation",
        "unknown",
    ]
    assert answer.parent_id == question.provider_id == "l1"
    assert answer.blocks[1].text == "Neige"
