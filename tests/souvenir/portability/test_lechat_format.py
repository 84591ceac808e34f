"""Le Chat: a file is a conversation, and a list in no order."""

from pathlib import Path

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
