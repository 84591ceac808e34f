"""The objects of one JSON file, parsed one by one, and what each of them is."""

from collections.abc import Iterator
from dataclasses import dataclass

from souvenir.portability.detection import UNKNOWN, Kind, kind_of
from souvenir.portability.documents import JsonValue, RawObject
from souvenir.portability.errors import NotJson, ObjectTooLarge
from souvenir.portability.json_stream import Bookmark, Element, split
from souvenir.portability.json_values import parse
from souvenir.portability.limits import MIB, Limits
from souvenir.portability.upload import Member

_RAW_KINDS = ("conversation", "account", "feedback", "project", "memory")
_CHAT = Kind("lechat", "conversation", codec="lechat")


@dataclass(frozen=True, slots=True)
class ParsedObject:
    """An object as it stands, and as it reads."""

    raw: RawObject
    value: JsonValue  # None where the object is too deep to be read
    kind: Kind
    oddities: frozenset[str]  # codes of notices
    end: Bookmark | None = None  # where its file goes on; None: it ends with this object


def parsed_objects(
    member: Member, limits: Limits, *, after: Bookmark | None = None
) -> Iterator[ParsedObject]:
    """The elements of a top-level array, or a top-level object; with `after`, from there on.

    Raises:
        Invalid: the errors of `json_stream.split`; NotJson for an element that is not JSON.
    """
    with member.open() as stream:
        for element in split(stream, path=member.path, limits=limits, after=after):
            yield _parsed(element, member.path, limits)


def parsed_chat(member: Member, limits: Limits) -> ParsedObject:
    """A whole file as one object: a Le Chat conversation is a file, and a list.

    Raises:
        Invalid: as `parsed_objects`.
    """
    elements = list(parsed_objects(member, limits))
    with member.open() as stream:
        body = stream.read(limits.object_bytes + 1)
    if len(body) > limits.object_bytes:
        raise ObjectTooLarge(path=member.path, limit_mib=limits.object_bytes // MIB)
    oddities = frozenset[str]().union(*(element.oddities for element in elements))
    return ParsedObject(
        raw=RawObject(kind="conversation", path=member.path, ordinal=0, body=body),
        value=[element.value for element in elements],
        kind=_CHAT,
        oddities=oddities,
    )


def _parsed(element: Element, path: str, limits: Limits) -> ParsedObject:
    value, oddities = _value(element, path, limits)
    kind = kind_of(value) if isinstance(value, dict) else UNKNOWN
    raw_kind = kind.kind if kind.kind in _RAW_KINDS else "other"
    raw = RawObject(kind=raw_kind, path=path, ordinal=element.ordinal, body=element.body)
    return ParsedObject(raw=raw, value=value, kind=kind, oddities=oddities, end=element.end)


def _value(element: Element, path: str, limits: Limits) -> tuple[JsonValue, frozenset[str]]:
    if element.depth > limits.object_depth:
        return None, frozenset({"object-too-deep"})
    try:
        parsed = parse(element.body)
    except RecursionError:  # the caller's own stack was deep already
        return None, frozenset({"object-too-deep"})
    except ValueError as error:
        raise NotJson(path=path, position=element.offset + getattr(error, "pos", 0)) from error
    if isinstance(parsed.value, dict):
        return parsed.value, parsed.oddities
    return parsed.value, parsed.oddities | {"not-an-object"}
