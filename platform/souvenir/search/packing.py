"""Chooses what fits into a budget of tokens, best first, and says why the rest does not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from souvenir.ingestion.models import Trust
from souvenir.search.block import Record, record_lines
from souvenir.search.merging import Key, Parts, Said, record_of
from souvenir.search.ranking import Ranked
from souvenir.search.records import Candidate
from souvenir.search.tokens import TokenCounter

_MOST_OF_A_SOURCE = 0.6  # of the tokens: a conversation, as in ranking.py
_MOST_OF_THIRD_PARTIES = 0.5
_BESIDE = 10**6  # the place of what was not found by itself

BUDGET, DUPLICATE = "budget", "duplicate"
SOURCE_SHARE, THIRD_PARTY_SHARE = "source-share", "third-party-share"
LEFT_OUT = (BUDGET, DUPLICATE, SOURCE_SHARE, THIRD_PARTY_SHARE)


@dataclass(frozen=True, slots=True)
class Left:
    """A passage that is not in, and why."""

    item: Ranked
    reason: str


class Packing:
    """Records within `room` tokens. What was offered first goes in first."""

    def __init__(self, *, room: int, counter: TokenCounter) -> None:
        self.records: dict[Key, Parts] = {}
        self.scores: dict[Key, float] = {}
        self.places: dict[Key, int] = {}  # among all that was offered, of the best of each
        self.left: dict[UUID, Left] = {}  # by passage: what was offered and is not in
        self._room, self._counter = room, counter
        self._said = Said()
        self._taken: set[UUID] = set()
        self._sizes: Counter[Key] = Counter()
        self._numbers: dict[Key, int] = {}  # as they came in: as long as those they will bear
        self._titled: dict[object, Key] = {}  # of each conversation the record that bears its title
        self._of_sources: Counter[object] = Counter()
        self._of_third_parties = 0

    def fill(self, items: Sequence[Ranked]) -> None:
        """Take what fits. What lies beyond a share comes last, if there is room."""
        held_back: list[tuple[Ranked, str]] = []
        for place, item in enumerate(items):
            self.places.setdefault(record_of(item.candidate), place)
            reason = self._offer(item, shares=True)
            if reason in {SOURCE_SHARE, THIRD_PARTY_SHARE}:
                held_back.append((item, reason))
            elif reason:
                self.leave(item, reason)
        for item, why in held_back:
            if reason := self._offer(item, shares=False):
                self.leave(item, why if reason == BUDGET else reason)

    def fill_some(self, items: Sequence[Ranked], *, share: float) -> list[Ranked]:
        """Take the best, until a share of the room is taken. Gives those that are not in."""
        left = []
        for place, item in enumerate(items):
            self.places.setdefault(record_of(item.candidate), place)
            has_room = sum(self._sizes.values()) < self._room * share
            if not has_room or self._offer(item, shares=True):
                left.append(item)
        return left

    def fill_beside(self, items: Sequence[Ranked]) -> None:
        """Take what stands beside what is in, as long as there is room."""
        for item in items:
            if item.candidate.passage_id in self._taken:
                continue
            self.places.setdefault(record_of(item.candidate), _BESIDE)
            if self._offer(item, shares=False) == BUDGET:
                self.leave(item, BUDGET)

    def leave(self, item: Ranked, reason: str) -> None:
        """Say why a passage is not in, unless that was said."""
        self.left.setdefault(item.candidate.passage_id, Left(item, reason))

    def _offer(self, item: Ranked, *, shares: bool) -> str:
        """Why it is not taken; "" if it is."""
        passage = item.candidate
        if passage.passage_id in self._taken or not passage.text:  # "": nobody can open it now
            return ""
        free = self._room - sum(self._sizes.values())
        if self._said.holds(passage.text):
            return DUPLICATE
        if len(passage.text.split()) >= free:  # each word is a token at least
            return BUDGET
        key = record_of(passage)
        parts = self.records[key].with_more(passage) if key in self.records else Parts((passage,))
        more = self._size(key, parts) - self._sizes[key]
        if shares and (reason := self._beyond_a_share(passage, more)):
            return reason
        if more > free:
            return BUDGET
        self._take(key, parts, more)
        self.scores.setdefault(key, item.score)
        return ""

    def _take(self, key: Key, parts: Parts, more: int) -> None:
        passage = parts.passages[-1]
        self._numbers.setdefault(key, len(self.records) + 1)
        self._titled.setdefault(_source(passage), key)
        self.records[key] = parts
        self._sizes[key] += more
        self._taken.add(passage.passage_id)
        self.left.pop(passage.passage_id, None)
        self._said.add(passage.text)
        self._of_sources[_source(passage)] += more
        if passage.trust <= Trust.BROUGHT:
            self._of_third_parties += more

    def _beyond_a_share(self, passage: Candidate, more: int) -> str:
        of_source = self._of_sources[_source(passage)]
        if of_source and of_source + more > self._room * _MOST_OF_A_SOURCE:
            return SOURCE_SHARE
        third = self._of_third_parties
        is_third = passage.trust <= Trust.BROUGHT
        if is_third and third and third + more > self._room * _MOST_OF_THIRD_PARTIES:
            return THIRD_PARTY_SHARE
        return ""

    def _size(self, key: Key, parts: Parts) -> int:
        """Of a record as the block will have it: a title stands with one of its conversation."""
        number = self._numbers.get(key, len(self.records) + 1)
        with_title = self._titled.get(_source(parts.best), key) == key
        lines = record_lines(number, written(parts, with_title=with_title))
        return self._counter.lines("\n".join(lines))


def written(parts: Parts, *, with_title: bool) -> Record:
    """A record as the block writes it."""
    best = parts.best
    return Record(
        occurred_at=best.occurred_at,
        source=best.provider,
        trust=best.trust,
        title=best.title if with_title else "",
        text=parts.text,
    )


def _source(passage: Candidate) -> object:
    return passage.conversation_id or passage.memory_id
