"""The demo archive is what it says: whole, invented, in two languages, inside its year."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from souvenir.config.demo.archive import DemoExport, demo_exports
from souvenir.portability.documents import ConversationDocument, MessageDocument, ObjectRead
from souvenir.portability.reading import inspect, read

FIRST, LAST = datetime(2025, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
EXPORTS = {export.provider: export for export in demo_exports()}
FOLDER = EXPORTS["chatgpt"].path.parent
FILES = sorted(FOLDER.rglob("*.json"))
# A few small words that the other language does not have.
FRENCH = re.compile(r"\b(le|la|les|des|est|une|pour|que|qui|dans|je|pas|et|du|au)\b", re.IGNORECASE)
ENGLISH = re.compile(r"\b(the|and|is|of|to|you|that|it|in|was|with|my|we)\b", re.IGNORECASE)
EVEN_SHARE = 15  # questions of each pair of languages, at least


def texts_of(value: Any) -> Iterator[str]:
    """Every text within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def language_of(message: MessageDocument) -> str:
    text = " ".join(block.text for block in message.blocks)
    return "fr" if len(FRENCH.findall(text)) > len(ENGLISH.findall(text)) else "en"


def objects_of(export: DemoExport, folder: Path) -> list[ObjectRead]:
    upload = folder / export.file_name
    upload.write_bytes(export.packed())
    return [item for item in read(upload) if isinstance(item, ObjectRead)]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[ObjectRead]]:
    folder = tmp_path_factory.mktemp("demo")
    return {provider: objects_of(export, folder) for provider, export in EXPORTS.items()}


@pytest.fixture(scope="module")
def conversations(objects: dict[str, list[ObjectRead]]) -> list[ConversationDocument]:
    return [item.conversation for items in objects.values() for item in items if item.conversation]


@pytest.fixture(scope="module")
def questions() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((FOLDER / "questions.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_is_readable_json_of_a_modest_size(file: Path) -> None:
    text = file.read_text("utf-8")

    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n"
    assert len(text.encode()) < 600_000


@pytest.mark.parametrize("export", EXPORTS.values(), ids=lambda export: export.provider)
def test_packing_twice_gives_the_same_bytes_and_the_reader_takes_them(
    export: DemoExport, tmp_path: Path
) -> None:
    upload = tmp_path / export.file_name
    upload.write_bytes(export.packed())

    assert export.packed() == upload.read_bytes()
    assert inspect(upload).provider == export.provider


def test_there_is_a_year_of_it(conversations: list[ConversationDocument]) -> None:
    assert 24 <= len(conversations) <= 36
    assert 260 <= sum(len(one.messages) for one in conversations) <= 400


def test_every_time_is_inside_the_year(conversations: list[ConversationDocument]) -> None:
    times = [
        message.occurred_at
        for one in conversations
        for message in one.messages
        if message.occurred_at is not None
    ]

    assert all(FIRST <= time < LAST for time in times)
    assert len({time.month for time in times}) == 12


def test_only_the_intended_oddities_are_noticed(objects: dict[str, list[ObjectRead]]) -> None:
    codes = {
        provider: sorted(notice.code for item in items for notice in item.notices)
        for provider, items in objects.items()
    }

    assert codes == {
        "chatgpt": ["time-unknown", "time-unknown"],  # the card for Sam
        "claude": [],
        "lechat": ["order-by-time"],  # the start of school
    }


def test_parents_and_children_of_chatgpt_agree() -> None:
    file = EXPORTS["chatgpt"].path / "conversations.json"
    for conversation in json.loads(file.read_text("utf-8")):
        mapping = conversation["mapping"]
        for node_id, node in mapping.items():
            assert node["id"] == node_id
            assert all(mapping[child]["parent"] == node_id for child in node["children"])
            assert node["parent"] is None or node_id in mapping[node["parent"]]["children"]
        assert not mapping[conversation["current_node"]]["children"]


def test_no_answer_comes_before_its_question(conversations: list[ConversationDocument]) -> None:
    for one in conversations:
        by_id = {message.provider_id: message for message in one.messages}
        for message in one.messages:
            branch = [message]
            while branch[-1].parent_id is not None:
                branch.append(by_id[branch[-1].parent_id])
            times = [step.occurred_at for step in reversed(branch) if step.occurred_at]
            assert all(earlier < later for earlier, later in pairwise(times))


def test_both_languages_are_spoken_about_evenly(
    conversations: list[ConversationDocument],
) -> None:
    spoken = [
        language_of(message)
        for one in conversations
        for message in one.messages
        if message.role in {"user", "assistant"}
    ]

    assert 0.35 < spoken.count("fr") / len(spoken) < 0.65


def test_every_kind_of_thing_that_people_bring_is_there(
    conversations: list[ConversationDocument],
) -> None:
    kinds = {
        block.type for one in conversations for message in one.messages for block in message.blocks
    }
    branches = sum(one.branches for one in conversations)

    assert branches >= 3
    assert kinds >= {
        "text", "thinking", "reasoning_recap", "tool_call", "tool_result", "artifact", "image",
        "file", "transcript", "citation", "search_result", "user_context", "memory_write",
    }  # fmt: skip
    assert [one.provider for one in conversations if not one.title] == ["claude"]
    assert any(message.hidden for one in conversations for message in one.messages)


def test_the_wrong_nut_is_corrected_months_later(
    conversations: list[ConversationDocument],
) -> None:
    writes = [
        (message.occurred_at, block.text)
        for one in conversations
        for message in one.messages
        for block in message.blocks
        if block.type == "memory_write" and message.occurred_at
    ]
    dates = {
        word: min(time for time, text in writes if word in text)
        for word in ("allergique aux noix de Grenoble", "NOT allergic to walnuts", "Forget: ")
    }

    assert (dates["NOT allergic to walnuts"] - dates["allergique aux noix de Grenoble"]).days > 90
    assert len(dates) == 3


def test_the_page_that_gives_orders_is_only_an_attachment(
    conversations: list[ConversationDocument],
) -> None:
    holders = [
        (message.role, block.type)
        for one in conversations
        for message in one.messages
        for block in message.blocks
        if "ignore all previous instructions" in block.text
    ]

    assert holders == [("user", "file")]


def test_nothing_points_to_a_real_person_or_page() -> None:
    for file in FILES:
        for text in texts_of(json.loads(file.read_text("utf-8"))):
            for host in re.findall(r"(?:https?://|[\w.]+@)([\w.-]+\w)", text):
                assert host == "example.org" or host.endswith((".example", ".example.org")), host
            for middle in re.findall(r"\b(?:\+?1-?)?\d{3}-(\d{3})-\d{4}\b", text):
                assert middle == "555"


def test_every_question_has_its_evidence(
    conversations: list[ConversationDocument], questions: list[dict[str, Any]]
) -> None:
    messages = {
        (one.provider, one.provider_id, message.provider_id): message
        for one in conversations
        for message in one.messages
    }

    assert len({question["id"] for question in questions}) == len(questions)
    for question in questions:
        assert question["evidence"], question["id"]
        for evidence in question["evidence"]:
            key = (evidence["provider"], evidence["conversation_id"], evidence["message_id"])
            assert language_of(messages[key]) == question["evidence_lang"], question["id"]


def test_each_pair_of_languages_has_its_share_of_questions(
    questions: list[dict[str, Any]],
) -> None:
    pairs = [(question["lang"], question["evidence_lang"]) for question in questions]

    assert len(pairs) >= 60
    for pair in (("fr", "fr"), ("en", "en"), ("fr", "en"), ("en", "fr")):
        assert pairs.count(pair) >= EVEN_SHARE
