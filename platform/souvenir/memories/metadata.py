"""What clients say about a memory besides its text: a flat map of names to values.

Kept as it was given, in normal form C, and told apart by value: 1, 1.0 and 1e0 are one number; "1"
is a text and `true` is neither. Names and values are content: no error holds one, only its place.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from math import isfinite
from typing import TypeAlias

from souvenir.core.canonical_json import canonical_json
from souvenir.core.errors import Invalid
from souvenir.memories.errors import (
    MetadataFilterUnsupported,
    MetadataInvalid,
    MetadataNameInvalid,
    MetadataNameTwice,
    MetadataTooLarge,
    MetadataValueInvalid,
)

Value: TypeAlias = str | int | float | bool
Metadata: TypeAlias = dict[str, Value]

MAX_ENTRIES = 32
MAX_NAME_CHARACTERS = 64
MAX_VALUE_CHARACTERS = 500
MAX_ANY_OF = 50  # values that a filter may name for one entry
_LARGEST_WHOLE = 2**53  # beyond, readers of JSON disagree about which number it is
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One entry that a filter asks for: the memory has this name with one of these values."""

    name: str
    values: tuple[Value, ...]

    def entries(self) -> list[str]:
        """What is looked for, as `entry_of` writes it."""
        return [entry_of(self.name, value) for value in self.values]


def changed(before: Metadata, change: object) -> Metadata:
    """The map after a change: what it names is set, or taken away by None; the rest stays.

    Raises:
        MetadataInvalid, MetadataNameInvalid, MetadataNameTwice, MetadataValueInvalid
        MetadataTooLarge
    """
    after = dict(before)
    for place, name, value in _entries(change):
        if value is None:
            after.pop(name, None)
        else:
            after[name] = _value(value, place)
    if len(after) > MAX_ENTRIES:
        raise MetadataTooLarge(limit=MAX_ENTRIES)
    return after


def is_metadata(value: object) -> bool:
    """Whether this is a map as `changed` leaves it."""
    try:
        return changed({}, value) == value
    except Invalid:
        return False


def wanted_in(asked: object) -> list[Wanted]:
    """What a filter asks for: all of its entries. A list is any of its values.

    Raises:
        MetadataInvalid, MetadataNameInvalid, MetadataNameTwice, MetadataValueInvalid
        MetadataFilterUnsupported: it asks for something else, such as a range.
        MetadataTooLarge
    """
    found = []
    for place, name, value in _entries(asked):
        values = value if isinstance(value, list) else [value]
        if not 0 < len(values) <= MAX_ANY_OF or any(_is_more(one) for one in values):
            raise MetadataFilterUnsupported(position=place, limit=MAX_ANY_OF)
        found.append(Wanted(name, tuple(_value(one, place) for one in values)))
    if len(found) > MAX_ENTRIES:
        raise MetadataTooLarge(limit=MAX_ENTRIES)
    return found


def entry_of(name: str, value: Value) -> str:
    """A name and a value as one text: the same for values that are the same."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_WHOLE:
        value = int(value)
    return canonical_json([name, value]).decode()


def entries_of(metadata: Metadata) -> set[str]:
    """A whole map as texts: equal where all values are the same."""
    return {entry_of(name, value) for name, value in metadata.items()}


def _is_more(value: object) -> bool:
    return value is None or isinstance(value, list | dict)


def _entries(asked: object) -> Iterator[tuple[int, str, object]]:
    """(place from 1, name, value) of each entry of a map that was sent."""
    if not isinstance(asked, Mapping):
        raise MetadataInvalid
    seen: set[str] = set()
    for place, (given, value) in zip(count(1), asked.items(), strict=False):
        name = unicodedata.normalize("NFC", given) if isinstance(given, str) else ""
        printable = name.isprintable() and name == name.strip()
        if not printable or not 0 < len(name) <= MAX_NAME_CHARACTERS:
            raise MetadataNameInvalid(position=place, limit=MAX_NAME_CHARACTERS)
        if name in seen:
            raise MetadataNameTwice(position=place)
        seen.add(name)
        yield place, name, value


def _value(value: object, place: int) -> Value:
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value)
        if len(text) <= MAX_VALUE_CHARACTERS and not _UNCLEAN.search(text):
            return text
    elif isinstance(value, bool | int | float) and _is_sound(value):
        return value
    raise MetadataValueInvalid(position=place, limit=MAX_VALUE_CHARACTERS)


def _is_sound(number: float) -> bool:
    return isfinite(number) if isinstance(number, float) else abs(number) <= _LARGEST_WHOLE
