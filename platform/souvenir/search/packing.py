"""Chooses what fits into a budget of tokens, best first, and says why the rest does not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from souvenir.ingestion.models import Trust
from souvenir.search.block import (
    Heading,
    Record,
    day_line,
    heading_of,
    record_lines,
    source_line,
)
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
_SHARES = frozenset({SOURCE_SHARE, THIRD_PARTY_SHARE})


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
        self._used = 0
        self._sizes: dict[Key, int] = {}  # without what stands above
        self._numbers: dict[Key, int] = {}  # as they came in: as long as those they will bear
        self._above: set[Heading] = set()
        self._of_sources: Counter[object] = Counter()
        self._of_third_parties = 0

    def fill(self, items: Sequence[Ranked]) -> None:
        """Take what fits. What lies beyond a share comes last, if there is room.

        A share is why something is left out only where it would be in without the shares.
        """
        held_back: list[tuple[Ranked, str]] = []
        without = self._used  # tokens that would be used by now if there were no shares
        for place, item in enumerate(items):
            self.places.setdefault(record_of(item.candidate), place)
            reason, tokens = self._offer(item, shares=True)
            if reason and reason not in _SHARES:
                self.leave(item, reason)
                continue
            fits = without + tokens <= self._room
            without += tokens if fits else 0
            if reason:
                held_back.append((item, reason if fits else BUDGET))
        for item, why in held_back:
            reason, _ = self._offer(item, shares=False)
            if reason:
                self.leave(item, why if reason == BUDGET else reason)

    def fill_some(self, items: Sequence[Ranked], *, share: float) -> list[Ranked]:
        """Take the best, until a share of the room is taken. Gives those that are not in."""
        left = []
        for place, item in enumerate(items):
            self.places.setdefault(record_of(item.candidate), place)
            has_room = self._used < self._room * share
            if not has_room or self._offer(item, shares=True)[0]:
                left.append(item)
        return left

    def fill_beside(self, items: Sequence[Ranked]) -> None:
        """Take what stands beside what is in, as long as there is room."""
        for item in items:
            if item.candidate.passage_id in self._taken:
                continue
            self.places.setdefault(record_of(item.candidate), _BESIDE)
            if self._offer(item, shares=False)[0] == BUDGET:
                self.leave(item, BUDGET)

    def leave(self, item: Ranked, reason: str) -> None:
        """Say why a passage is not in, unless that was said."""
        self.left.setdefault(item.candidate.passage_id, Left(item, reason))

    @property
    def _free(self) -> int:
        return self._room - self._used

    def _offer(self, item: Ranked, *, shares: bool) -> tuple[str, int]:
        """Why it is not taken; "" if it is. And the tokens that it takes, or would."""
        passage = item.candidate
        if passage.passage_id in self._taken or not passage.text:  # "": nobody can open it now
            return "", 0
        if self._said.holds(passage.text):
            return DUPLICATE, 0
        if len(passage.text.split()) >= self._free:  # each word is a token at least
            return BUDGET, 0
        key = record_of(passage)
        is_new = key not in self.records
        parts = Parts((passage,)) if is_new else self.records[key].with_more(passage)
        record = self._written(parts)
        size = self._size(key, record)
        more = size - self._sizes.get(key, 0) + (self._size_above(record) if is_new else 0)
        if more > self._free:
            return BUDGET, more
        if shares and (reason := self._beyond_a_share(passage, more)):
            return reason, more
        self._used += more
        self._sizes[key] = size
        self._above.add(heading_of(record))
        self._take(key, parts, more)
        self.scores.setdefault(key, item.score)
        return "", more

    def _take(self, key: Key, parts: Parts, more: int) -> None:
        passage = parts.passages[-1]
        self._numbers.setdefault(key, len(self.records) + 1)
        self.records[key] = parts
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

    def _written(self, parts: Parts) -> Record:
        talk = parts.best.conversation_id
        is_titled = any(heading.talk == talk for heading in self._above)
        return written(parts, with_title=not is_titled)

    def _size(self, key: Key, record: Record) -> int:
        number = self._numbers.get(key, len(self.records) + 1)
        return self._counter.lines("\n".join(record_lines(number, record)))

    def _size_above(self, record: Record) -> int:
        """What of its heading no other record has brought in."""
        heading = heading_of(record)
        lines = []
        if all(other.source != heading.source for other in self._above):
            lines.append(source_line(heading))
        if heading not in self._above:
            lines.append(day_line(heading, record.title))
        return sum(map(self._counter.lines, lines))


def written(parts: Parts, *, with_title: bool) -> Record:
    """A record as the block writes it."""
    best = parts.best
    return Record(
        occurred_at=best.occurred_at,
        source=best.provider,
        trust=best.trust,
        text=parts.text,
        talk=best.conversation_id,
        title=best.title if with_title else "",
    )


def _source(passage: Candidate) -> object:
    return passage.conversation_id or passage.memory_id
