"""A fidelity report (docs/formats.md), told as a person reads it."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from souvenir.console.words import BLOCKS, RAW_KINDS
from souvenir.portability.notices import NOTICES

_COMPARED: dict[str, Promise] = {
    "conversations": _("Conversations"),
    "messages": _("Messages"),
    "objects": _("Objects in the file"),
    "assets": _("Files that came along"),
}
_ADDED: dict[str, Promise] = {
    "conversations": _("Conversations"),
    "messages": _("Messages"),
    "raw_objects": _("Objects kept word for word"),
    "assets": _("Files that came along"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """What the file shows, and what was read from it."""

    name: str
    expected: int
    read: int


@dataclass(frozen=True, slots=True)
class Counted:
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Told:
    """A notice: what happened, how often, and the first places (ids and paths, never content)."""

    sentence: str
    count: int
    places: list[str]


@dataclass(frozen=True, slots=True)
class ReadableReport:
    """Empty lists where the report says nothing of it."""

    is_complete: bool | None  # None: the report does not say
    compared: list[Compared]
    added: list[Counted]
    kinds: list[Counted]
    blocks: list[Counted]
    unknown: list[Counted]
    notices: list[Told]
    branches: int
    hidden: int


def readable(report: dict[str, Any]) -> ReadableReport:
    """The report of an import, in the reader's language."""
    expected = report.get("expected", {})
    return ReadableReport(
        is_complete=report.get("complete"),
        compared=[
            Compared(str(name), expected[key], report.get(key, 0))
            for key, name in _COMPARED.items()
            if key in expected
        ],
        added=[
            Counted(str(name), report["added"][key])
            for key, name in _ADDED.items()
            if key in report.get("added", {})
        ],
        kinds=_counted(report.get("objects_by_kind", {}), RAW_KINDS),
        blocks=_counted(report.get("blocks", {}), BLOCKS),
        unknown=_counted(report.get("unknown_types", {}), {}),
        notices=[_told(code, entry) for code, entry in report.get("notices", {}).items()],
        branches=report.get("branches", 0),
        hidden=report.get("hidden", 0),
    )


def _counted(counts: dict[str, int], names: dict[str, Any]) -> list[Counted]:
    """Largest first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [Counted(str(names.get(code, code)), count) for code, count in ordered]


def _told(code: str, entry: dict[str, Any]) -> Told:
    sentence = gettext(NOTICES[code]) if code in NOTICES else code
    return Told(sentence, entry["count"], list(entry.get("where", [])))
