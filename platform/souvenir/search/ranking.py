"""Orders what may answer: the mix of meaning and words, and what neither of them sees.

Pure, but for the texts that candidates open when they are read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from souvenir.search.candidates import Candidate

_WORD = re.compile(r"\w+")
_NEAR_WITHOUT_WORDS = 0.3  # up to here, what is near has hardly a word of the question
_MOST_OF_A_SOURCE = 0.6  # of an answer: no conversation fills it while others have something too


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate and its score, between 0 and 1."""

    candidate: Candidate
    score: float


def ranked(candidates: Iterable[Candidate], *, language: str, dense_weight: float) -> list[Ranked]:
    """All of them, best first; equals in a fixed order.

    Args:
        language: of the question; "" if it is not known.
        dense_weight: of meaning against words, 0 to 1.
    """
    found = [Ranked(c, mixed(c, language, dense_weight)) for c in candidates]
    return sorted(found, key=lambda item: (-item.score, item.candidate.passage_id))


def mixed(candidate: Candidate, language: str, dense_weight: float) -> float:
    """One score of meaning and words.

    Nearness counts by its third power: models are sure of what is very near, and of little else.
    A passage in another language cannot have the question's words: it gets what a passage that is
    as near usually has of them. One that is not embedded yet is taken to be as near as its words
    say, so that what was just stored is not buried.
    """
    words = candidate.words
    if candidate.nearness is None:
        meaning = words
    else:
        meaning = candidate.nearness**3
        if _differ(candidate.language, language):
            words = max(words, candidate.nearness - _NEAR_WITHOUT_WORDS)
    return dense_weight * meaning + (1 - dense_weight) * words


def answers(items: list[Ranked], *, limit: int) -> list[Ranked]:
    """The first `limit` of them, each text once, and no source more often than its share.

    What a source has beyond its share comes last, if there is room: an answer is never shorter for
    it.
    """
    share = max(1, round(limit * _MOST_OF_A_SOURCE))
    chosen: list[Ranked] = []
    held_back: list[Ranked] = []
    counts: Counter[object] = Counter()
    for item in _folded(items):
        source = item.candidate.conversation_id or item.candidate.memory_id
        counts[source] += 1
        (chosen if counts[source] <= share else held_back).append(item)
        if len(chosen) == limit:
            return chosen
    return (chosen + held_back)[:limit]


def _folded(items: Iterable[Ranked]) -> Iterator[Ranked]:
    """The items without those whose words were there already, in the same order."""
    seen = set()
    for item in items:
        words = tuple(_WORD.findall(item.candidate.text.casefold()))
        if not words or words not in seen:
            seen.add(words)
            yield item


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other
