"""The time that a question speaks of, in English or French: "two weeks ago", « en mars dernier ».

Relative to who asks: their day, in their time zone. Questions are about what was, so "in March" is
the last March that has begun. What is not understood is left alone; nothing here raises.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from souvenir.search.time_rules import Named, named_times

_LOOKED_AT = 1_000  # characters of a question
_FIRST_YEAR, _LAST_YEAR = 1_950, 9_900  # of whoever asks: so that no calendar ends
_FILLER = r"(?:(?:the|le|la|les|l'|mois de|month of|early) ?)*$"
_RELATIONS = tuple(
    (name, re.compile(rf"(?<![\w-])(?:{words}) ?{_FILLER}"))
    for name, words in (
        ("before", "before|prior to|avant|d'avant"),
        ("until", "until|till|up to|jusqu'a|jusqu'en|jusqu'au|d'ici"),
        ("since", "since|depuis|a partir de|a partir du|starting|starting in"),
        ("after", "after|apres"),
    )
)
_BETWEEN = re.compile(rf"(?<![\w-])(?:between|from|entre|de|du|d') ?{_FILLER}")
_AND = re.compile(
    r"^ ?(?:and|to|until|through|et|a|au|jusqu'a|jusqu'en|-|–) ?(?:the |le |la |l')?$"
)


@dataclass(frozen=True, slots=True)
class Understood:
    """From when to when, and the words that said so. None: no end on that side."""

    since: datetime | None
    until: datetime | None  # exclusive
    words: str

    @property
    def last_moment(self) -> datetime | None:
        """For people, to whom a time ends on its last day."""
        return self.until - timedelta(microseconds=1) if self.until else None


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    since: date | None
    until: date | None


def time_in(text: str, *, asked_at: datetime, zone: tzinfo) -> Understood | None:
    """The first time that a text names; None: it names none.

    Args:
        asked_at: with its time zone.
        zone: of who asks: their midnight begins a day.
    """
    text = text[:_LOOKED_AT]
    if not _FIRST_YEAR < asked_at.year < _LAST_YEAR:
        return None
    folded = _folded(text)
    span = _span(folded, asked_at.astimezone(zone).date())
    if span is None:
        return None
    return Understood(
        since=_midnight(span.since, zone),
        until=_midnight(span.until, zone),
        words=" ".join(text[span.start : span.end].split()),
    )


def _span(folded: str, today: date) -> _Span | None:
    named = list(named_times(folded, today))
    for first, second in pairwise(named):
        opening = _BETWEEN.search(folded[: first.start])
        if opening and _AND.match(folded[first.end : second.start]):
            return _between(opening.start(), first, second)
    for found in named:
        if (span := _related(folded, found)) is not None:
            return span
    return None


def _between(start: int, first: Named, second: Named) -> _Span | None:
    """From the one to the other: one that has no year takes it from the other."""
    a, b = first.days, second.days
    if second.yearless and not first.yearless:
        b = b.later(a.since.year - b.since.year)
        b = b.later(1) if b.since < a.since else b
    elif first.yearless:
        a = a.later(b.since.year - a.since.year)
        a = a.later(-1) if a.since > b.since else a
    span = _Span(start, second.end, a.since, b.until)
    return span if a.since < b.until else None


def _related(folded: str, found: Named) -> _Span | None:
    """What a named time means after the little words before it; None: it means something else."""
    before = folded[: found.start]
    span = _Span(found.start, found.end, found.days.since, found.days.until)
    for name, pattern in _RELATIONS:
        if relation := pattern.search(before):
            return _one_sided(name, replace(span, start=relation.start()))
    if not found.needs:
        return span
    needed = re.search(rf"(?<![\w-])(?:{found.needs}) ?{_FILLER}", before)
    return replace(span, start=needed.start()) if needed else None


def _one_sided(relation: str, span: _Span) -> _Span:
    if relation == "before":
        return replace(span, since=None, until=span.since)
    if relation == "until":
        return replace(span, since=None)
    if relation == "since":
        return replace(span, until=None)
    return replace(span, since=span.until, until=None)


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return datetime.combine(day, time.min, tzinfo=zone) if day else None


def _folded(text: str) -> str:
    """The text small and without accents, each character where it was."""
    return "".join(_folded_character(char) for char in text)


def _folded_character(char: str) -> str:
    if char in "’ʼ":
        return "'"
    if char.isspace():
        return " "
    bare = unicodedata.normalize("NFD", char)[0].lower()
    return bare if len(bare) == 1 else char
