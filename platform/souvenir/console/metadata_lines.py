"""Metadata as people read and write it: a line for each entry, `name: value`.

A text that reads like something else (a number, true, a quotation) stands in quotes, as in JSON.
"""

import json
from collections.abc import Mapping

from souvenir.console.errors import MetadataLineInvalid
from souvenir.memories.metadata import Metadata

_JSON = json.JSONDecoder()


def lines_of(metadata: Metadata) -> str:
    """A line for each entry, in the order of the names."""
    return "\n".join(f"{_name(name)}: {shown(metadata[name])}" for name in sorted(metadata))


def metadata_of(text: str) -> dict[str, object]:
    """What the lines say; empty ones are passed over.

    Raises:
        MetadataLineInvalid: a line has no name and value, or a name that stands above already.
    """
    found: dict[str, object] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        name, value = _split(line.strip())
        if not name or name in found:
            raise MetadataLineInvalid(line=number)
        found[name] = value_of(value)
    return found


def change_to(text: str, before: Mapping[str, object]) -> dict[str, object]:
    """The change that leaves of a map what the lines say, and nothing else.

    Raises:
        MetadataLineInvalid
    """
    return dict.fromkeys(before) | metadata_of(text)


def value_of(text: str) -> object:
    """A number, true, false or a quotation as JSON has them; anything else is a text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str | int | float) else text


def shown(value: object) -> str:
    """A value as it is read again."""
    is_plain = isinstance(value, str) and value.strip().splitlines() == [value]
    if is_plain and value_of(str(value)) == value:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _name(name: str) -> str:
    return name if _split(f"{name}: ") == (name, "") else json.dumps(name, ensure_ascii=False)


def _split(line: str) -> tuple[str, str]:
    """Name and value; no name: it is not a line of both."""
    name, colon, value = line.partition(":")
    if line.startswith('"'):
        name, end = _quoted(line)
        colon, value = line[end : end + 1], line[end + 1 :]
    return (name.strip(), value.strip()) if colon == ":" else ("", "")


def _quoted(line: str) -> tuple[str, int]:
    try:
        name, end = _JSON.raw_decode(line)
    except ValueError:
        return "", 0
    return str(name), end
