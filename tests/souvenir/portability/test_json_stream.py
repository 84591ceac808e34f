"""Splitting a stream of JSON gives what parsing the whole of it gives, byte for byte."""

import io
import json
import tracemalloc
from dataclasses import replace
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souvenir.portability.documents import JsonValue
from souvenir.portability.errors import NotJson, ObjectTooLarge, TruncatedJson
from souvenir.portability.json_stream import Element, split
from souvenir.portability.limits import DEFAULT_LIMITS, MIB

TEXTS = st.text(alphabet=st.sampled_from('a"\\[]{},:\n é😀/u0'))
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
CHUNKS = st.integers(min_value=1, max_value=40)


def elements(body: bytes, chunk_bytes: int = 7) -> list[Element]:
    return list(split(io.BytesIO(body), path="a.json", chunk_bytes=chunk_bytes))


def values(body: bytes, chunk_bytes: int = 7) -> list[JsonValue]:
    return [json.loads(element.body) for element in elements(body, chunk_bytes)]


@given(
    array=st.lists(VALUES, max_size=5),
    indent=st.sampled_from([None, 0, 2]),
    is_ascii=st.booleans(),
    chunk_bytes=CHUNKS,
)
def test_an_array_splits_into_its_elements_whatever_the_chunks(
    *, array: list[JsonValue], indent: int | None, is_ascii: bool, chunk_bytes: int
) -> None:
    body = json.dumps(array, indent=indent, ensure_ascii=is_ascii).encode()

    found = elements(body, chunk_bytes)

    assert [json.loads(element.body) for element in found] == array
    assert [element.ordinal for element in found] == list(range(len(array)))
    for element in found:
        assert body[element.offset : element.offset + len(element.body)] == element.body


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.lists(VALUES, max_size=4), CHUNKS)
def test_a_wrapped_array_splits_and_its_wrapper_comes_last(
    beside: dict[str, JsonValue], array: list[JsonValue], chunk_bytes: int
) -> None:
    wrapper = {**beside, "conversations": array}

    found = values(json.dumps(wrapper, indent=1).encode(), chunk_bytes)

    assert found == [*array, *([{**beside, "conversations": []}] if beside else [])]


@given(VALUES, CHUNKS)
def test_a_single_object_is_one_element(value: JsonValue, chunk_bytes: int) -> None:
    body = json.dumps({"mapping": value}).encode()

    assert [element.body for element in elements(body, chunk_bytes)] == [body]


@given(st.lists(VALUES, min_size=1, max_size=3), st.data(), CHUNKS)
def test_an_array_cut_anywhere_is_known_to_be_cut(
    array: list[JsonValue], data: st.DataObject, chunk_bytes: int
) -> None:
    body = json.dumps(array).encode()
    length = data.draw(st.integers(min_value=0, max_value=len(body) - 1))

    with pytest.raises(TruncatedJson):
        elements(body[:length], chunk_bytes)


@given(st.binary(max_size=60), CHUNKS)
def test_any_bytes_at_all_split_or_are_refused(body: bytes, chunk_bytes: int) -> None:
    try:
        elements(body, chunk_bytes)
    except (NotJson, TruncatedJson):
        return


@given(VALUES)
def test_the_depth_told_is_never_less_than_the_true_one(value: JsonValue) -> None:
    (element,) = elements(json.dumps([value]).encode())

    true_depth = depth(value)
    assert true_depth <= element.depth <= true_depth + 1


def depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize(
    "body",
    [b"hello", b"[1 2]", b"[1,,2]", b"[1,]", b"[,1]", b"[1] 2", b'{"a" 1}', b"[1]]", b"{1: 2}"],
)
def test_what_stands_between_elements_is_checked(body: bytes) -> None:
    with pytest.raises(NotJson):
        elements(body)


def test_an_error_says_where_it_is() -> None:
    with pytest.raises(NotJson) as refusal:
        elements(b'[{"a": 1} {"b": 2}]')

    assert refusal.value.params == {"path": "a.json", "position": 10}


def test_a_byte_order_mark_and_white_space_are_passed_over() -> None:
    assert values(b"\xef\xbb\xbf \r\n\t [ 1 , 2 ] \n") == [1, 2]


def test_brackets_a_hundred_thousand_deep_are_one_element() -> None:
    (element,) = elements(b"[" + b"[" * 100_000 + b"]" * 100_000 + b"]", chunk_bytes=1000)

    assert element.depth >= 100_000


def test_an_element_over_the_limit_is_refused_before_it_is_held() -> None:
    limits = replace(DEFAULT_LIMITS, object_bytes=MIB)
    body = io.BytesIO(b'["' + b"a" * (2 * MIB) + b'"]')

    with pytest.raises(ObjectTooLarge):
        list(split(body, path="a.json", limits=limits))


class Repeated(io.RawIOBase):
    """An array of one element many times over, which is never whole in memory."""

    def __init__(self, element: bytes, times: int) -> None:
        self.pieces = iter([b"[", *([element + b","] * (times - 1)), element, b"]"])

    def read(self, size: int = -1, /) -> bytes:
        return next(self.pieces, b"")


def test_memory_is_bounded_by_the_largest_element() -> None:
    element = json.dumps({"text": "é" * 100_000, "more": ["a"] * 1000}).encode()
    stream: BinaryIO = Repeated(element, 200)  # type: ignore[assignment]  # only read() is used
    size_bytes = 0

    tracemalloc.start()
    for found in split(stream, path="a.json"):
        size_bytes += len(found.body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size_bytes == 200 * len(element)
    assert peak_bytes < 8 * len(element)


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a": 1}, [2], "three", 4 ]',
        b'\xef\xbb\xbf [ {"a": "]"} ,{"b": {}}]\n',
        b'{"x": [1, {"y": 2}], "conversations": [{"a": 1}, {"b": [2]}], "z": {"deep": [[]]}}',
        b'{"conversations": [{"a": 1}, {"b": 2}]}',
        b'{"only": "one"}',
        b"[]",
    ],
)
def test_what_comes_after_any_element_can_be_read_alone(body: bytes) -> None:
    whole = list(split(io.BytesIO(body), path="a.json"))

    for number, element in enumerate(whole):
        rest = (
            list(split(io.BytesIO(body), path="a.json", after=element.end)) if element.end else []
        )
        assert rest == whole[number + 1 :]


def test_a_stream_that_cannot_seek_is_read_up_to_the_place() -> None:
    body = b'[{"a": 1}, {"b": 2}]'
    (first, second) = split(io.BytesIO(body), path="a.json")

    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert list(split(OneWay(body), path="a.json", after=first.end)) == [second]
