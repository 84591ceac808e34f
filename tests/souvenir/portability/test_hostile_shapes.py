"""Whatever JSON stands where something else is expected, it is read or refused, never a crash."""

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from souvenir.core.errors import Invalid
from souvenir.portability.documents import ConversationDocument, JsonValue, ObjectRead
from souvenir.portability.fidelity import Fidelity
from souvenir.portability.reading import inspect, read

SAMPLES = Path(__file__).parents[2] / "samples"
BARE = ["chatgpt-classic.json", "claude-2024.json", "lechat.json"]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1e308, 10**30, "", "a\x00b", "\ud800", [], {}, [None], [[]], {"": {}}, [{}],
     {"parts": 1}, {"content_type": []}, "2025-01-01T00:00:00Z", {"type": {}}, {"type": "text"}]
)  # fmt: skip
STEPS = st.lists(st.integers(0, 2**16), min_size=1, max_size=12)


def places(value: Any, around: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside `value`: keys and indexes."""
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)  # type: ignore[assignment]  # pairs, as the items above
    else:
        return [around]
    found = [around] if around else []
    return found + [place for key, item in inner for place in places(item, (*around, key))]


def replaced(value: Any, place: tuple[Any, ...], new: JsonValue) -> None:
    for key in place[:-1]:
        value = value[key]
    value[place[-1]] = new


def read_whole(path: Path) -> Fidelity:
    fidelity = Fidelity(inspect(path))
    for item in read(path):
        fidelity.add(item)
        if isinstance(item, ObjectRead) and item.conversation:
            assert_sound(item.conversation)
    json.dumps(fidelity.as_json())
    return fidelity


def assert_sound(conversation: ConversationDocument) -> None:
    """What documents.py promises of every conversation."""
    ids = [message.provider_id for message in conversation.messages]
    assert len(set(ids)) == len(ids)
    seen: set[str | None] = {None}
    for message in conversation.messages:
        assert message.parent_id in seen
        seen.add(message.provider_id)
    assert conversation.current_leaf in seen
    text = json.dumps(asdict(conversation), default=str, ensure_ascii=False, allow_nan=False)
    assert "\x00" not in text
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()


@pytest.mark.parametrize("name", BARE)
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_sample_with_odd_values_in_it_is_read_whole_or_refused(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    value = deepcopy(json.loads((SAMPLES / "good" / name).read_bytes()))
    for _ in range(data.draw(st.integers(1, 4))):
        replaced(value, data.draw(st.sampled_from(places(value))), deepcopy(data.draw(ODD)))
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps(value), encoding="ascii")

    with suppress(Invalid):
        assert read_whole(path).is_complete


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=80),
    prefix=st.sampled_from([b"", b"[", b"[{", b'[{"mapping":', b"PK\3\4"]),
)
def test_any_bytes_at_all_are_read_or_refused(tmp_path: Path, body: bytes, prefix: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(prefix + body)

    with suppress(Invalid):
        assert read_whole(path).is_complete


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', '{"mapping":{"a":{"message":'])
@pytest.mark.parametrize("depth", [150, 100_000])
def test_endless_nesting_is_read_or_refused(tmp_path: Path, opening: str, depth: int) -> None:
    closing = "".join("]" if bracket == "[" else "}" for bracket in opening if bracket in "[{")
    body = opening * depth + "1" + closing[::-1] * depth
    path = tmp_path / "conversations.json"
    path.write_text(f'[{{"title": "T", "mapping": {{}}}}, {body}]', encoding="ascii")

    assert read_whole(path).is_complete


# What is told by something else than a value: the type of a block, a place in the tree.
TOLD_BY_SHAPE = {"content_type", "type", "children", "parent", "parent_message_uuid"}


def leaves(value: JsonValue) -> set[str]:
    """Every text and number in `value`, but those told by shape, as text; keys too."""
    if isinstance(value, dict):
        told = [item for key, item in value.items() if key not in TOLD_BY_SHAPE]
        return set[str]().union(*(leaves(item) for item in told))
    if isinstance(value, list):
        return set[str]().union(*(leaves(item) for item in value))
    return set() if value is None or isinstance(value, bool) else {json.dumps(value)}


@pytest.mark.parametrize(
    "name",
    [
        path.name
        for path in sorted((SAMPLES / "good").iterdir())
        if path.name != "claude-memories.json"
    ],
)
def test_no_value_of_a_conversation_is_lost(name: str) -> None:
    for item in read(SAMPLES / "good" / name):
        if not isinstance(item, ObjectRead) or not item.conversation:
            continue
        source = json.loads(item.raw.body)
        document = asdict(item.conversation)
        kept = leaves(json.loads(json.dumps(document, default=str)))
        kept |= {message.time_original for message in item.conversation.messages}

        # Nodes without a message are links only; the two roots have no other trace.
        assert leaves(source) - kept <= {'"root"', '"hole"', '"client-created-root"', '"human"'}
