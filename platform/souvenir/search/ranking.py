"""Orders what may answer: the mix of meaning and words, and what neither of them sees.

Pure, but for the texts that candidates open when they are read.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from uuid import UUID

from souvenir.search.phrases import Had, worth_of_phrases
from souvenir.search.records import Candidate

_WORD = re.compile(r"\w+")
_POWER = 3  # the one by which nearness counts
_NEAR_WITHOUT_WORDS = 0.15  # up to here, what is near has hardly a word of the question
_STRANGE, _SLOPE = 0.35, 10  # as near are texts that have nothing in common; and from there on
_TELLING, _LEFT_IF_SHORT = 120, 0.7  # characters: a turn of one word keeps this of its score
_LEFT_TO_OTHERS = 0.65  # of its score, where somebody is named and another says it
_LIFT = 0.3  # how much it counts that the same conversation says something else that fits
_LIFTED_BY = 2  # other messages
_FURTHER_PASSAGE = 0.8  # of its score is left to each further passage of the same message
_MOST_OF_A_SOURCE = 0.6  # of an answer: no conversation fills it while others have something too


@dataclass(frozen=True, slots=True)
class Besides:
    """What counts besides meaning and words."""

    # What a candidate gets for its time (priors.py), and which of the question's phrases and marks
    # a text has (phrases.py); None: nothing.
    prior: Callable[[Candidate], float] | None = None
    phrases: Callable[[str], Had] | None = None
    # Whether the question names an author (speakers.py).
    names: Callable[[str], bool] | None = None


_NOTHING = Besides()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate and its score, 0 or more."""

    candidate: Candidate
    score: float
    has_phrase: bool = False  # or mark: one of the question's, as it is written


def _counted(items: list[Ranked], besides: Besides) -> list[Ranked]:
    """The items with what counts besides."""
    if besides.names:
        named = [besides.names(item.candidate.author) for item in items]
        if any(named):
            items = [
                item if is_named else replace(item, score=item.score * _LEFT_TO_OTHERS)
                for item, is_named in zip(items, named, strict=True)
            ]
    if besides.prior:
        items = [replace(i, score=i.score + besides.prior(i.candidate)) for i in items]
    if besides.phrases:
        found = [besides.phrases(item.candidate.text) for item in items]
        items = [
            replace(item, score=item.score + worth, has_phrase=bool(phrases))
            for item, worth, phrases in zip(items, worth_of_phrases(found), found, strict=True)
        ]
    return items


def ranked(
    candidates: Iterable[Candidate],
    *,
    language: str,
    dense_weight: float,
    besides: Besides = _NOTHING,
) -> list[Ranked]:
    """All of them, best first, in a fixed order; scores between 0 and 1.

    The mix decides which comes first. For the others it counts too how well the best of what their
    conversations say besides fits: where a talk is about the question, more of it answers.

    Args:
        language: of the question; "" if it is not known.
        dense_weight: of meaning against words, 0 to 1.
    """
    mixes = [Ranked(c, mixed(c, language, dense_weight) * _telling(c)) for c in candidates]
    found = _sorted(_counted(mixes, besides))
    others = _sorted(_lifted(found)[1:])
    best = max((item.score for item in [*found[:1], *others[:1]]), default=0.0)
    first = [replace(item, score=best) for item in found[:1]]
    return [replace(item, score=min(1.0, item.score)) for item in [*first, *others]]


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
        meaning = candidate.nearness**_POWER
        if _differ(candidate.language, language):
            words = max(words, words_across(candidate.nearness))
    return dense_weight * meaning + (1 - dense_weight) * words


def words_across(nearness: float) -> float:
    """What a passage in another language is taken to have of the question's words.

    Nothing where it is no nearer than what has nothing to do with the question: else anything would
    come before a passage in the question's own language that says the same in other words.
    """
    return min(nearness - _NEAR_WITHOUT_WORDS, _SLOPE * (nearness - _STRANGE))


def _telling(candidate: Candidate) -> float:
    """What is left of the score of a short turn: "Yes, so am I!" is near to much, and says little.

    A memory was written down to be found, however short it is.
    """
    if candidate.message_id is None:
        return 1.0
    length = min(1.0, (candidate.end - candidate.start) / _TELLING)
    return _LEFT_IF_SHORT + (1 - _LEFT_IF_SHORT) * length


def _sorted(items: Iterable[Ranked]) -> list[Ranked]:
    return sorted(items, key=lambda item: (-item.score, item.candidate.passage_id))


def _lifted(items: Sequence[Ranked]) -> list[Ranked]:
    """The items, best first, in the same order, with what their conversations say besides.

    A further passage of a message that is there already has to be clearly better than another's.
    """
    talks: defaultdict[UUID | None, dict[UUID | None, float]] = defaultdict(dict)
    for item in items:
        if talk := item.candidate.conversation_id:
            talks[talk].setdefault(item.candidate.message_id, item.score)
    found = []
    before: Counter[UUID | None] = Counter()  # passages of the same message, or memory
    for item in items:
        record = item.candidate.message_id or item.candidate.memory_id
        said = talks.get(item.candidate.conversation_id, {})
        best = list(islice(said.items(), _LIFTED_BY + 1))
        besides = [score for message, score in best if message != item.candidate.message_id]
        lift = _LIFT * sum(besides[:_LIFTED_BY]) / _LIFTED_BY
        score = (item.score + lift) * _FURTHER_PASSAGE ** before[record]
        found.append(replace(item, score=score))
        before[record] += 1
    return found


def filling(found: Sequence[Candidate], *, limit: int) -> UUID | None:
    """The conversation that leaves too few of others to make up their share of an answer."""
    talks = Counter(c.conversation_id for c in found if c.conversation_id)
    for talk, count in talks.most_common(1):
        if len(found) - count < limit - _share_of_a_source(limit):
            return talk
    return None


def _share_of_a_source(limit: int) -> int:
    return max(1, round(limit * _MOST_OF_A_SOURCE))


def answers(items: list[Ranked], *, limit: int) -> list[Ranked]:
    """The first `limit` of them, each text once, and no source more often than its share.

    What has a phrase of the question keeps its place. What a source has else beyond its share comes
    last, if there is room: an answer is never shorter for it.
    """
    share = _share_of_a_source(limit)
    chosen: list[Ranked] = []
    held_back: list[Ranked] = []
    counts: Counter[object] = Counter()
    for item in _folded(items):
        source = item.candidate.conversation_id or item.candidate.memory_id
        counts[source] += 1
        keeps_its_place = counts[source] <= share or item.has_phrase
        (chosen if keeps_its_place else held_back).append(item)
        if len(chosen) == limit:
            return chosen
    return (chosen + held_back)[:limit]


def _folded(items: Iterable[Ranked]) -> Iterator[Ranked]:
    """The items without those whose words were there already, or that nobody can open any more."""
    seen = set()
    for item in items:
        if not item.candidate.text:
            continue
        words = tuple(_WORD.findall(item.candidate.text.casefold()))
        if not words or words not in seen:
            seen.add(words)
            yield item


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other
