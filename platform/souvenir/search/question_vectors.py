"""The vectors of questions that this process was asked lately: few, keyed, for minutes.

An embedding costs more than the search that it is for, and a question is often asked again: the
next page, a filter, an assistant that starts anew. The text itself is not kept.
"""

import hmac
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from souvenir.embedding.embedders import Vectors
from souvenir.embedding.registry import embedder_of
from souvenir.search.batching import Batches
from tenants.keyring.held import unwrapped_keys

LIFE_SECONDS = 300.0
MOST_QUESTIONS = 2_000  # 3 MB

_Name = tuple[UUID, bytes]  # tenant, keyed hash of the model's name and the text


class QuestionVectors:
    """A bounded cache. Thread-safe. A forked child begins with an empty one, and its own key."""

    def __init__(
        self,
        embed: Callable[[str, str], Vectors],
        *,
        life_seconds: float = LIFE_SECONDS,
        most: int = MOST_QUESTIONS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`embed` gives the vector of a text (second) by a model (its name, first)."""
        self._embed = embed
        self._life_seconds, self._most, self._clock = life_seconds, most, clock
        self.start_anew()

    def start_anew(self) -> None:
        """Hold nothing, under a key of this process."""
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._drops = 0
        self._kept: OrderedDict[_Name, tuple[Vectors, float]] = OrderedDict()

    def vector(self, tenant_id: UUID, model: str, text: str) -> Vectors:
        """The vector of a question. One organization's is never another's, not even in time.

        Raises:
            EmbedderUnavailable
        """
        name = (tenant_id, self._hashed(model, text))
        with self._lock:
            vector, until = self._kept.get(name, (None, 0.0))
            if vector is not None and until >= self._clock():
                self._kept.move_to_end(name)
                return vector
            drops = self._drops
        vector = self._embed(model, text)
        with self._lock:
            if drops != self._drops:  # what was asked before an erasure is not kept after it
                return vector
            self._kept[name] = (vector, self._clock() + self._life_seconds)
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return vector

    def forget(self, tenant_id: UUID | None) -> None:
        """Drop what one organization asked, or (None) everybody."""
        with self._lock:
            self._drops += 1
            if tenant_id is None:
                self._kept.clear()
            for name in [name for name in self._kept if name[0] == tenant_id]:
                del self._kept[name]

    def _hashed(self, model: str, text: str) -> bytes:
        return hmac.digest(self._key, f"{model}\0{text}".encode(), "sha256")


class _Together:
    """One `Batches` for each model that is asked."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        self._lock = threading.Lock()
        self._batches: dict[str, Batches] = {}

    def embed(self, model: str, text: str) -> Vectors:
        with self._lock:
            if model not in self._batches:
                self._batches[model] = Batches(partial(_embed, model))
            batches = self._batches[model]
        return batches.embed(text)


def _embed(model: str, texts: Sequence[str]) -> Vectors:
    return embedder_of(model).embed(texts, kind="query")


_together = _Together()
question_vectors = QuestionVectors(_together.embed)
# A person or an organization is being erased: keys go, and what they asked with them.
unwrapped_keys.when_dropped(question_vectors.forget)
os.register_at_fork(after_in_child=_together.start_anew)
os.register_at_fork(after_in_child=question_vectors.start_anew)
