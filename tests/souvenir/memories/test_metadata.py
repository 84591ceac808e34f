"""What metadata can be, when two values are the same, and what a filter can ask."""

from typing import Any

import pytest

from souvenir.core.errors import Invalid
from souvenir.memories.metadata import (
    MAX_ANY_OF,
    MAX_ENTRIES,
    MAX_NAME_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    changed,
    entry_of,
    is_metadata,
    wanted_in,
)


def _refused(change: object) -> str:
    with pytest.raises(Invalid) as caught:
        changed({}, change)
    return caught.value.code


def test_a_change_sets_what_it_names_and_null_takes_it_away() -> None:
    before = changed({}, {"project": "érable", "level": 3, "done": False, "gone": None})

    assert before == {"project": "érable", "level": 3, "done": False}
    assert changed(before, {"level": None, "done": True, "ratio": 0.5}) == {
        "project": "érable",
        "done": True,
        "ratio": 0.5,
    }


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (1, 1.0, True),
        (0, -0.0, True),
        (2**53, float(2**53), True),
        (0.1, 0.10000000000000002, False),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        ("true", True, False),
        ("Maple", "maple", False),
        ("", 0, False),
    ],
)
def test_values_are_told_apart_by_what_they_are(one: Any, other: Any, is_same: bool) -> None:  # noqa: FBT001 (a column of the table)
    assert (entry_of("n", one) == entry_of("n", other)) == is_same


def test_a_name_and_a_value_cannot_run_into_each_other() -> None:
    assert entry_of("a", "b,c") != entry_of("a,b", "c")
    assert entry_of('a","b', "c") != entry_of("a", 'b","c')


def test_letters_that_can_be_written_in_two_ways_are_one() -> None:
    composed, in_two = "caf\u00e9", "cafe\u0301"

    assert changed({}, {in_two: in_two}) == {composed: composed}
    assert _refused({composed: 1, in_two: 2}) == "metadata-name-twice"
    assert wanted_in({in_two: in_two}) == wanted_in({composed: composed})


@pytest.mark.parametrize("given", [None, [], "text", 3, [["a", 1]]])
def test_it_is_an_object(given: object) -> None:
    assert _refused(given) == "metadata-invalid"


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a\nb", "a\x00b", "\ud800", "n" * (MAX_NAME_CHARACTERS + 1)]
)
def test_a_name_is_a_few_visible_characters(name: str) -> None:
    assert _refused({"fine": 1, name: 1}) == "metadata-name-invalid"
    assert changed({}, {"n" * MAX_NAME_CHARACTERS: 1})


@pytest.mark.parametrize(
    "value",
    [
        {"nested": 1},
        [1],
        "v" * (MAX_VALUE_CHARACTERS + 1),
        "a\x00b",
        "\ud800",
        float("nan"),
        float("inf"),
        2**53 + 1,
        -(2**60),
    ],
)
def test_a_value_is_plain(value: object) -> None:
    assert _refused({"fine": 1, "n": value}) == "metadata-value-invalid"


def test_an_error_says_which_entry_and_nothing_of_it() -> None:
    with pytest.raises(Invalid) as caught:
        changed({}, {"fine": 1, "secret name": {"secret": "value"}})

    assert caught.value.params["position"] == 2
    assert "secret" not in str(caught.value)


def test_there_are_only_so_many_entries() -> None:
    most: dict[str, Any] = {f"n{place}": place for place in range(MAX_ENTRIES)}
    full = changed({}, most)

    assert len(full) == MAX_ENTRIES
    assert _refused(most | {"more": 1}) == "metadata-too-large"
    assert changed(full, {"n0": None, "more": 1})


@pytest.mark.parametrize(
    "asked",
    [
        {"level": {"gte": 3}},
        {"level": None},
        {"level": []},
        {"level": [[1]]},
        {"level": [1, None]},
        {"level": list(range(MAX_ANY_OF + 1))},
    ],
)
def test_a_filter_asks_for_values_and_nothing_else(asked: object) -> None:
    with pytest.raises(Invalid) as caught:
        wanted_in(asked)

    assert caught.value.code == "metadata-filter-unsupported"


def test_a_filter_asks_for_one_of_several_values() -> None:
    (wanted,) = wanted_in({"level": [1, 2.0, "x", True]})

    assert wanted.entries() == [entry_of("level", one) for one in (1, 2, "x", True)]


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ({}, True),
        ({"a": 1.0, "b": "c", "d": False}, True),
        ({"a": None}, False),
        ({"cafe\u0301": 1}, False),
        ({"a": "cafe\u0301"}, False),
        ({"a": [1]}, False),
        ([], False),
        (None, False),
    ],
)
def test_only_what_a_change_leaves_is_metadata(value: object, holds: bool) -> None:  # noqa: FBT001 (a column of the table)
    assert is_metadata(value) == holds
