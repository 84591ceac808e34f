"""Judging answers: a stranger's id answers like nobody's, and no answer holds a stranger's word."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from tests.adversarial.asking import Answer
from tests.adversarial.filled import Filled
from tests.adversarial.kinds import Kind, Role
from tests.adversarial.row_state import ids_of
from tests.adversarial.values import Value

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_KEY = re.compile(r'"(key|hint)":"[^"]*"')


@dataclass(frozen=True)
class Forbidden:
    """Words and ids that a caller must never read."""

    words: tuple[str, ...]
    ids: frozenset[str]

    def found_in(self, answer: Answer, value: Value | None = None) -> list[str]:
        """Those that stand in an answer, apart from what the caller itself has sent."""
        whole = f"{answer.text}\n{answer.headers}"
        if value is not None:
            whole = without(whole, value)
        whole = whole.lower()
        words = [word for word in self.words if word in whole]
        return words + sorted(self.ids.intersection(_UUID.findall(whole)))


def forbidden_to(me: Filled, others: list[Filled], role: Role) -> Forbidden:
    """What a caller must not read: all of the strangers; and for a bound key, all but Alice's."""
    if role is Role.PLATFORM:  # the directory names every organization, and nothing in it
        named = {str(whose.id) for whose in (me, *others)}
        ids = frozenset().union(*(ids_of(whose.id) for whose in (me, *others))) - named
        return Forbidden(tuple(whose.shared_secret for whose in (me, *others)), ids)
    words = [word for other in others for word in (other.secret, other.shared_secret)]
    ids = frozenset().union(*(ids_of(other.id) for other in others))
    if role is Role.BOUND:
        words.append(me.shared_secret)
        own = {me.siblings[kind] for kind in (Kind.MEMORY, Kind.CONVERSATION, Kind.IMPORT)}
        ids |= own | {me.siblings[Kind.PERSON], me.siblings[Kind.KEY], me.siblings[Kind.JOB]}
    return Forbidden(tuple(words), ids)


def without(text: str, value: Value) -> str:
    """A text where the id that was sent is replaced, however it is spelled and escaped."""
    return _spellings(str(value.sent), value.base).sub("{sent}", text)


@lru_cache(maxsize=4096)
def _spellings(sent: str, base: str) -> re.Pattern[str]:
    spelled = {sent, json.dumps(sent)[1:-1], base, base.replace("-", "")} - {""}
    longest_first = sorted(spelled, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)", re.IGNORECASE)


def comparable(answer: Answer, value: Value) -> tuple[int, str, str]:
    """An answer without the id that was sent; of a success, also without what is new each time."""
    text, headers = without(answer.text, value), without(answer.headers, value)
    if answer.status < 300:
        text, headers = _without_the_new(text), _without_the_new(headers)
    return answer.status, text, headers


def _without_the_new(text: str) -> str:
    text = _TIME.sub("{time}", _UUID.sub("{id}", text))
    return _KEY.sub("{key}", text)


@dataclass
class Tally:
    """What was tried, for the line at the end of the run."""

    routes: set[str] = field(default_factory=set)
    cases: set[tuple[str, ...]] = field(default_factory=set)
    requests: int = 0
    leaks: int = 0
    seeds: set[int] = field(default_factory=set)

    def count(self, route: str, *what: str) -> None:
        """One request, on a route; `what` tells it from the others, but not from its like."""
        self.routes.add(route)
        self.cases.add((route, *map(str, what)))
        self.requests += 1

    def add(self, other: "Tally") -> None:
        """What another process has counted."""
        self.routes |= other.routes
        self.cases |= other.cases
        self.requests += other.requests
        self.leaks += other.leaks
        self.seeds |= other.seeds

    def line(self) -> str:
        """The table: one line and its heading."""
        heading = "routes   cases  requests  leaks  seeds"
        counts = f"{len(self.routes):6}  {len(self.cases):6}  {self.requests:8}  {self.leaks:5}  "
        return f"{heading}\n{counts}{', '.join(map(str, sorted(self.seeds)))}"


def judge(answer: Answer, value: Value, reference: Answer | None) -> Iterator[str]:
    """What is wrong with an answer by itself, and beside the answer to nobody's id."""
    if answer.status >= 500:
        yield f"breaks: {answer.status}"
    if value.must_fail and answer.status < 400:
        yield f"succeeds: {answer.status}"
    if reference is None or value.like is None:
        return
    here, there = comparable(answer, value), comparable(reference, value.like)
    if here != there:
        parts = [
            n for n, a, b in zip(("status", "body", "headers"), here, there, strict=True) if a != b
        ]
        yield f"differs from a missing one in {', '.join(parts)}: {here} / {there}"
