"""Passages as the records that they are parts of: overlaps merged, repetitions told apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from souvenir.search.block import GAP
from souvenir.search.records import Candidate

_WORD = re.compile(r"\w+")
_RUN = 3  # words
_MOSTLY = 0.9  # of a text's runs of words: the rest is a greeting, or a full stop

Key = tuple[UUID | None, UUID | None, int]


def record_of(candidate: Candidate) -> Key:
    """Which record a passage is a part of: a block of a message, or a memory."""
    return candidate.message_id, candidate.memory_id, candidate.block


@dataclass(frozen=True)
class Parts:
    """Passages of one record, in any order; the first was the best."""

    passages: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        return self.passages[0]

    def with_more(self, passage: Candidate) -> "Parts":
        """Those and one more."""
        return Parts((*self.passages, passage))

    @cached_property
    def text(self) -> str:
        """What they say, in its order, nothing twice; what is left out between them is marked."""
        whole = self.best.sealed.text(self.best.block)
        pieces = [whole[start:end] for start, end in self._spans(whole)]
        return f"\n{GAP}\n".join(pieces)

    def _spans(self, whole: str) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        for start, end in sorted((p.start, p.end) for p in self.passages):
            last_start, last_end = spans[-1] if spans else (0, 0)
            if spans and not whole[last_end:start].strip():
                spans[-1] = (last_start, max(last_end, end))
            else:
                spans.append((start, end))
        return spans


class Said:
    """What an answer says already."""

    def __init__(self) -> None:
        self._texts: set[tuple[str, ...]] = set()
        self._runs: set[tuple[str, ...]] = set()

    def add(self, text: str) -> None:
        """From now on this is said."""
        words = _words(text)
        self._texts.add(words)
        self._runs.update(_runs(words))

    def holds(self, text: str) -> bool:
        """Whether a text says nothing, or nothing new: not a number, and hardly a word."""
        words = _words(text)
        if not text.strip() or (words and words in self._texts):
            return True
        runs = list(_runs(words))
        new = [run for run in runs if run not in self._runs]
        if not runs or len(new) > (1 - _MOSTLY) * len(runs):
            return False
        return not any(letter.isdigit() for run in new for word in run for letter in word)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def _runs(words: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[shift:] for shift in range(_RUN)), strict=False)
