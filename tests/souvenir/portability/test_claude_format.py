"""Claude: lines and trees, every block type, artifacts of three generations."""

from pathlib import Path

from souvenir.portability.documents import (
    ConversationDocument,
    JsonObject,
    JsonValue,
    MessageDocument,
    ObjectRead,
)
from souvenir.portability.formats.claude import normalise
from souvenir.portability.notices import NoticeLog
from souvenir.portability.reading import read

SAMPLES = Path(__file__).parents[2] / "samples"


def conversation(name: str, provider_id: str) -> ConversationDocument:
    items = (item for item in read(SAMPLES / name) if isinstance(item, ObjectRead))
    found = [item.conversation for item in items if item.conversation]
    return next(document for document in found if document.provider_id == provider_id)


def message(**fields: JsonValue) -> MessageDocument:
    source: JsonObject = {"uuid": "m", "sender": "human", **fields}
    return normalise({"chat_messages": [source]}, "c", NoticeLog("c")).messages[0]


def test_a_list_in_no_order_becomes_a_line_in_order_of_time() -> None:
    line = conversation("good/claude-2024.json", "conv-2024")

    assert [m.provider_id for m in line.messages] == ["q1", "a1", "q2", "a2"]
    assert [m.parent_id for m in line.messages] == [None, "q1", "a1", "q2"]
    assert line.extra["array_order"] == ["q2", "q1", "a1", "a2"]


def test_a_list_with_an_unknown_time_stays_in_its_own_order() -> None:
    source: JsonObject = {
        "chat_messages": [
            {"uuid": "late", "created_at": "2025-01-02T00:00:00Z"},
            {"uuid": "unknown", "created_at": None},
            {"uuid": "early", "created_at": "2025-01-01T00:00:00Z"},
        ]
    }

    line = normalise(source, "c", NoticeLog("c"))

    assert [m.provider_id for m in line.messages] == ["late", "unknown", "early"]


def test_an_artifact_in_the_text_is_told_again_and_the_text_stays_whole() -> None:
    answer = conversation("good/claude-2024.json", "conv-2024").messages[1]

    text, artifact = answer.blocks
    assert "<antThinking>Simple enough.</antThinking>" in text.text
    assert artifact.text == "<button>OK</button>"
    assert artifact.text in text.text
    assert artifact.fields == {
        "artifact_id": "bouton",
        "mime": "text/html",
        "title": "Un bouton",
        "op": "create",
    }


def test_pasted_text_is_the_text_of_its_file() -> None:
    question = conversation("good/claude-2024.json", "conv-2024").messages[0]

    pasted, picture = question.blocks[1:]
    assert (pasted.type, pasted.text, pasted.fields["name"]) == (
        "file",
        "Bouton bleu.",
        "notes.txt",
    )
    assert (picture.type, picture.text, picture.fields["name"]) == ("file", "", "croquis.png")


def test_each_block_type_gives_its_block() -> None:
    answer = conversation("good/claude-2025.zip", "conv-2025").messages[1]

    assert [block.type for block in answer.blocks] == [
        "thinking",
        "text",
        "tool_call",
        "tool_result",
        "tool_call",
        "artifact",
        "tool_result",
        "tool_call",
        "artifact",
        "unknown",
        "unknown",
    ]
    thinking, text, call, result = answer.blocks[:4]
    assert thinking.fields["signature"] == "c2lnbmVk"
    assert "citations" in text.fields
    assert call.fields["call_id"] == result.fields["call_id"] == "t1"
    assert call.fields["input"] == {"query": "tuque"}
    assert result.text == "Tuque"


def test_an_export_of_2026_is_a_tree() -> None:
    tree = conversation("good/claude-2026-split.zip", "conv-tree")

    parents = {m.provider_id: m.parent_id for m in tree.messages}
    assert parents == {"h1": None, "a1": "h1", "h2": "a1", "a1b": "h1"}
    assert (tree.current_leaf, tree.current_leaf_origin) == ("h2", "inferred")


def test_a_design_chat_is_a_conversation_too() -> None:
    chat = conversation("good/claude-2026-split.zip", "design-1")

    question, answer = chat.messages
    assert (question.role, question.blocks[0].text) == ("user", "Une affiche rouge")
    assert [block.type for block in answer.blocks] == [
        "thinking",
        "tool_call",
        "tool_result",
        "text",
    ]
    assert chat.title == "Affiche"


def test_text_that_repeats_the_content_is_not_told_twice() -> None:
    read_message = message(text="Bonjour", content=[{"type": "text", "text": "Bonjour"}])

    assert [block.text for block in read_message.blocks] == ["Bonjour"]
    assert "text" not in read_message.extra


def test_text_that_differs_from_the_content_is_kept_beside_it() -> None:
    read_message = message(text="Autre", content=[{"type": "text", "text": "Bonjour"}])

    assert read_message.extra["text"] == "Autre"


def test_text_without_content_is_the_text() -> None:
    assert [block.text for block in message(text="Bonjour", content=[]).blocks] == ["Bonjour"]


def test_content_without_text_is_the_content() -> None:
    blocks = message(text="", content=[{"type": "text", "text": "Bonjour"}]).blocks

    assert [block.text for block in blocks] == ["Bonjour"]


def test_the_note_that_a_block_cannot_be_shown_is_not_taken_for_text() -> None:
    note = "```\nThis block is not supported on your current device yet.\n```"
    thought: JsonObject = {"type": "thinking", "thinking": "Hm."}

    read_message = message(text=note, content=[thought])

    assert [block.type for block in read_message.blocks] == ["thinking"]
    assert read_message.extra["text"] == note


def test_a_told_leaf_is_the_leaf() -> None:
    source: JsonObject = {
        "current_leaf_message_uuid": "a",
        "chat_messages": [
            {"uuid": "a", "parent_message_uuid": "00000000-0000-4000-8000-000000000000"},
            {"uuid": "b", "parent_message_uuid": "a"},
        ],
    }

    tree = normalise(source, "c", NoticeLog("c"))

    assert (tree.current_leaf, tree.current_leaf_origin) == ("a", "native")
