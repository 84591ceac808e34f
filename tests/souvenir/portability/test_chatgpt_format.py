"""ChatGPT: what each content type becomes, and where messages stand in the tree."""

import json
from pathlib import Path

import pytest

from souvenir.portability.documents import (
    Block,
    ConversationDocument,
    JsonObject,
    JsonValue,
    MessageDocument,
    ObjectRead,
)
from souvenir.portability.formats.chatgpt import normalise
from souvenir.portability.notices import NoticeLog
from souvenir.portability.reading import read

SAMPLES = Path(__file__).parents[2] / "samples"


def conversations(path: Path) -> dict[str, ConversationDocument]:
    items = (item for item in read(path) if isinstance(item, ObjectRead))
    found = [item.conversation for item in items if item.conversation]
    return {conversation.provider_id: conversation for conversation in found}


def messages(conversation: ConversationDocument) -> dict[str, MessageDocument]:
    return {message.provider_id: message for message in conversation.messages}


@pytest.fixture(scope="module")
def kinds() -> dict[str, MessageDocument]:
    return messages(conversations(SAMPLES / "good/chatgpt-classic.json")["conv-kinds"])


def said(content: JsonValue, **message: JsonValue) -> tuple[Block, ...]:
    """The blocks of the one message of a conversation."""
    source: JsonObject = {"author": {"role": "user"}, "content": content, **message}
    mapping: JsonObject = {"a": {"id": "a", "parent": None, "message": source}}
    (read_message,) = normalise({"mapping": mapping}, "c", NoticeLog("c")).messages
    return read_message.blocks


@pytest.mark.parametrize(
    ("message_id", "types", "text"),
    [
        ("c-text", ["text"], "Bonjour! Ça va?"),
        ("c-multi", ["text", "image", "transcript", "audio", "audio", "video", "file"], "Qu’est"),
        ("c-code", ["code"], "print(1 + 1)"),
        ("c-call", ["tool_call"], '{"query": "tuque"}'),
        ("c-exec", ["tool_result"], "2"),
        ("c-browse", ["search_result"], "# Tuque"),
        ("c-quote", ["citation"], "Une tuque est un bonnet."),
        ("c-web", ["search_result"], "Bienvenue"),
        ("c-error", ["error"], "Error: it broke"),
        ("c-think", ["thinking", "thinking"], "First, think."),
        ("c-recap", ["reasoning_recap"], "Thought for 12 s"),
        ("c-instr", ["user_context"], "Je vis à Rimouski.\n\nRéponds en français."),
        ("c-saved", ["user_context"], "1. Aime le sirop d’érable."),
        ("c-computer", ["tool_result"], ""),
        ("c-citable", ["tool_result"], "42"),
        ("c-bio", ["memory_write"], "User prefers maple syrup."),
        ("c-canvas", ["tool_call", "artifact"], '{"name": "Plan"'),
        ("c-widget", ["unknown"], ""),
    ],
)
def test_each_content_type_gives_its_blocks(
    kinds: dict[str, MessageDocument], message_id: str, types: list[str], text: str
) -> None:
    blocks = kinds[message_id].blocks

    assert [block.type for block in blocks] == types
    assert blocks[0].text.startswith(text)


def test_a_canvas_call_is_kept_word_for_word_and_as_an_artifact(
    kinds: dict[str, MessageDocument],
) -> None:
    call, artifact = kinds["c-canvas"].blocks

    assert json.loads(call.text) == {"name": "Plan", "type": "document", "content": artifact.text}
    assert artifact.fields == {"title": "Plan", "mime": "document", "op": "create"}


def test_an_unknown_type_is_kept_whole(kinds: dict[str, MessageDocument]) -> None:
    (block,) = kinds["c-widget"].blocks

    raw = {"content_type": "super_widget", "widget": {"rows": [1, 2.5, None]}}
    assert block.fields == {"provider_type": "super_widget", "raw": raw}


def test_an_attachment_that_a_picture_points_to_is_not_told_twice(
    kinds: dict[str, MessageDocument],
) -> None:
    files = [block for block in kinds["c-multi"].blocks if block.type == "file"]

    assert [block.fields["name"] for block in files] == ["notes.pdf"]


def test_old_custom_instructions_are_read_from_the_metadata(
    kinds: dict[str, MessageDocument],
) -> None:
    assert [block.type for block in kinds["c-sys"].blocks] == ["text", "user_context"]
    assert kinds["c-sys"].blocks[1].text == "Student\n\nBe brief"


def test_what_the_interface_did_not_show_is_marked_hidden(
    kinds: dict[str, MessageDocument],
) -> None:
    hidden = [message_id for message_id, message in kinds.items() if message.hidden]

    assert hidden == ["c-instr", "c-saved"]


def test_an_empty_node_is_skipped_and_its_child_answers_the_message_above() -> None:
    branches = conversations(SAMPLES / "good/chatgpt-classic.json")["conv-branches"]

    assert {m.provider_id: m.parent_id for m in branches.messages} == {
        "q": None,
        "a": "q",
        "b": "q",
        "c": "b",
    }
    assert branches.branches == 1


def test_the_branch_shown_is_the_one_the_source_tells() -> None:
    branches = conversations(SAMPLES / "good/chatgpt-classic.json")["conv-branches"]

    assert (branches.current_leaf, branches.current_leaf_origin) == ("a", "native")


def test_without_a_told_branch_the_newest_leaf_is_taken() -> None:
    gone = conversations(SAMPLES / "repaired/current-node-gone.json")["conv-1"]

    assert (gone.current_leaf, gone.current_leaf_origin) == ("m2", "inferred")


def test_a_slim_conversation_has_the_same_tree_as_its_classic_twin() -> None:
    classic = conversations(SAMPLES / "good/chatgpt-classic.json")["conv-branches"]
    slim = conversations(SAMPLES / "good/chatgpt-slim-sharded.zip")["conv-branches"]

    assert [(m.provider_id, m.parent_id, m.role, m.blocks) for m in slim.messages] == [
        (m.provider_id, m.parent_id, m.role, m.blocks) for m in classic.messages
    ]
    assert slim.current_leaf == classic.current_leaf


def test_a_conversation_without_an_id_gets_the_same_one_each_time() -> None:
    (first,) = conversations(SAMPLES / "repaired/no-id.json")
    (again,) = conversations(SAMPLES / "repaired/no-id.json")

    assert first == again
    assert first.startswith("sha256:")


def test_times_that_are_none_are_kept_as_they_were_written() -> None:
    times = messages(conversations(SAMPLES / "repaired/times.json")["conv-1"])

    told = {m.time_original: m.occurred_at and m.occurred_at.isoformat() for m in times.values()}
    assert told == {
        "0": None,
        "null": None,
        '"1718000000.5"': "2024-06-10T06:13:20.500000+00:00",
        '"2024-06-10T06:13:20Z"': "2024-06-10T06:13:20+00:00",
        '"soon"': None,
        "-5": None,
        "1718000000123": "2024-06-10T06:13:20.123000+00:00",
        '{"$date": 1}': None,
        "true": None,
        "1e+300": None,
    }


def test_what_stands_beside_the_parts_is_kept() -> None:
    (block,) = said({"content_type": "text", "parts": ["Oui"], "language": "fr"})

    assert block == Block("text", "Oui", {"beside": {"language": "fr"}})


@pytest.mark.parametrize("content", [None, {"content_type": "text", "parts": [None]}, {}])
def test_an_empty_content_has_no_known_block(content: JsonValue) -> None:
    assert [block for block in said(content) if block.type != "unknown"] == []


def test_a_canvas_edit_that_is_no_json_stays_a_call() -> None:
    content: JsonObject = {"content_type": "code", "language": "json", "text": "{oops"}

    (block,) = said(content, recipient="canmore.update_textdoc")

    assert (block.type, block.text) == ("tool_call", "{oops")


def test_a_canvas_edit_cannot_smuggle_in_what_is_not_text() -> None:
    content: JsonObject = {"content_type": "code", "text": '{"content": "a\\ud800\\u0000"}'}

    artifact = said(content, recipient="canmore.create_textdoc")[1]

    assert artifact.text == "a�␀"
