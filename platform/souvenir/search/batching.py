"""Embed together what is asked at once: whoever finds others waiting takes them along."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from souvenir.embedding.embedders import Vectors

_MOST_TOGETHER = 16


@dataclass(eq=False, slots=True)
class _Asked:
    text: str
    vector: Vectors | None = None


class Batches:
    """Calls of one function from many threads, joined while it is busy. Nobody waits to be joined:
    a text that comes alone is embedded alone, at once.
    """

    def __init__(self, embed: Callable[[Sequence[str]], Vectors], *, at_once: int = 1) -> None:
        """`at_once`: how many batches may be under way. Another processor is for another process;
        in one, what waits meanwhile goes together, which costs less than side by side.
        """
        self._embed = embed
        self._free = at_once
        self._waiting: list[_Asked] = []
        self._changed = threading.Condition()

    def embed(self, text: str) -> Vectors:
        """The text's vector. Where a batch fails, each of the others in it is tried by itself."""
        mine = _Asked(text)
        with self._changed:
            self._waiting.append(mine)
        while mine.vector is None:
            batch = self._next(mine)
            if batch:
                self._run(batch)
        return mine.vector

    def _next(self, mine: _Asked) -> list[_Asked]:
        """A batch to run, with `mine` in it; empty: another thread has run `mine`."""
        with self._changed:
            while mine.vector is None and not (self._free and mine in self._waiting):
                self._changed.wait()
            if mine.vector is not None:
                return []
            self._free -= 1
            others = [asked for asked in self._waiting if asked is not mine]
            self._waiting = others[_MOST_TOGETHER - 1 :]
            return [mine, *others[: _MOST_TOGETHER - 1]]

    def _run(self, batch: list[_Asked]) -> None:
        vectors: Sequence[Vectors] | None = None
        try:
            vectors = list(self._embed([asked.text for asked in batch]))
        finally:
            with self._changed:
                self._free += 1
                if vectors is None:
                    self._waiting += batch[1:]
                for asked, vector in zip(batch, vectors or [], strict=False):
                    asked.vector = vector
                self._changed.notify_all()
