"""From the bytes of one JSON value to Python values, whatever stands in them; and a safe way in."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from souvenir.portability.clean_text import clean, may_need_cleaning
from souvenir.portability.documents import JsonObject, JsonValue
from souvenir.portability.limits import DEFAULT_LIMITS

_LONGEST_NUMBER = 1000  # digits; Python refuses to convert over 4300


@dataclass(frozen=True, slots=True)
class Parsed:
    """A value, and the codes of the notices that reading it gave."""

    value: JsonValue
    oddities: frozenset[str]


class _Hooks:
    """What json calls back for the things that JSON's own rules leave open."""

    def __init__(self) -> None:
        self.oddities: set[str] = set()

    def whole_number(self, digits: str) -> int | str:
        if len(digits) <= _LONGEST_NUMBER:
            return int(digits)
        self.oddities.add("number-too-long")
        return digits

    def decimal_number(self, digits: str) -> float | str:
        number = float(digits)
        if math.isfinite(number):
            return number
        self.oddities.add("number-not-finite")
        return digits

    def constant(self, name: str) -> str:
        self.oddities.add("number-not-finite")
        return name

    def members(self, pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        members = dict(pairs)
        if len(members) != len(pairs):
            self.oddities.add("duplicate-key")
        return members


def parse(body: bytes) -> Parsed:
    """Read one JSON value; its text comes back clean.

    Control characters inside strings are let through. Numbers that are not finite, or of over a
    thousand digits, come back as text. Of a key that stands twice, the last one holds.

    Raises:
        ValueError: `body` is not JSON.
        RecursionError: `body` is nested too deeply; `Element.depth` tells beforehand.
    """
    hooks = _Hooks()
    value: JsonValue = json.JSONDecoder(
        parse_int=hooks.whole_number,
        parse_float=hooks.decimal_number,
        parse_constant=hooks.constant,
        object_pairs_hook=hooks.members,
        strict=False,
    ).decode(_decoded(body, hooks.oddities))
    if may_need_cleaning(body):
        value = clean(value, hooks.oddities)
    return Parsed(value=value, oddities=frozenset(hooks.oddities))


def _decoded(body: bytes, oddities: set[str]) -> str:
    try:
        return body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        oddities.add("invalid-utf8")
        return body.decode("utf-8", "replace")


def parse_inner(text: str) -> JsonValue:
    """The JSON value that stands as text inside another, e.g. a tool's arguments.

    None if `text` is no JSON, or so deep that what writes it later might not cope.
    """
    try:
        value = parse(text.encode()).value
    except (ValueError, RecursionError):
        return None
    return value if _is_shallow(value) else None


def _is_shallow(value: JsonValue) -> bool:
    level = [value]
    for _ in range(DEFAULT_LIMITS.object_depth):
        level = [inner for outer in level for inner in _items(outer)]
    return not level


def _items(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def as_object(value: JsonValue) -> JsonObject:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: JsonValue) -> str:
    """`value` if it is text, else ""."""
    return value if isinstance(value, str) else ""


def as_id(value: JsonValue) -> str:
    """`value` if it can name something (text, a whole number), else ""."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return as_text(value)


def without(value: JsonObject, *keys: str) -> JsonObject:
    return {key: item for key, item in value.items() if key not in keys}


def take_text(value: JsonObject, key: str) -> tuple[str, JsonObject]:
    """The text at `key`, and the rest. What is not text stays in the rest: nothing is lost."""
    text = value.get(key)
    return (text, without(value, key)) if isinstance(text, str) else ("", dict(value))


def renamed(value: JsonObject, names: dict[str, str]) -> JsonObject:
    """`value` with the keys of `names` (theirs to ours) renamed, unless ours is already taken."""
    return {
        names[key] if key in names and names[key] not in value else key: item
        for key, item in value.items()
    }


def to_json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
