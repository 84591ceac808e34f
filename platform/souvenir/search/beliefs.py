"""What this process believes about where vectors are, so that a question is one round trip.

Each answer tells what is true as well. Where that is something else, it is believed from then on
and the question is asked again: after a change, once in each process.
"""

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from souvenir.embedding.bilingual import BilingualEmbedder

_MOST_PLACES = 10_000  # large stores; most cells have dozens


@dataclass(frozen=True, slots=True)
class Model:
    """The model that search asks."""

    number: int
    name: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class Belief:
    """About one question: the model to ask, and the stores that have a bucket of their own."""

    model: Model
    own: dict[UUID, int]


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says is true. `pending`: passages that have no vector yet."""

    belief: Belief
    pending: int


class Beliefs:
    """Thread-safe, bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model = Model(2, BilingualEmbedder.model_id, BilingualEmbedder.dimensions)
        self._own: OrderedDict[tuple[UUID, UUID], int] = OrderedDict()

    def about(self, tenant_id: UUID, store_ids: list[UUID]) -> Belief:
        """What is believed now."""
        with self._lock:
            found = {store: self._own.get((tenant_id, store)) for store in store_ids}
            own = {store: bucket for store, bucket in found.items() if bucket is not None}
            return Belief(self._model, own)

    def learn(self, tenant_id: UUID, store_ids: list[UUID], truth: Belief) -> None:
        """Believe what an answer said."""
        with self._lock:
            self._model = truth.model
            for store in store_ids:
                self._own.pop((tenant_id, store), None)
            self._own |= {(tenant_id, store): bucket for store, bucket in truth.own.items()}
            while len(self._own) > _MOST_PLACES:
                self._own.popitem(last=False)


def read_told(text: str) -> Told:
    """The column `told` of hybrid.sql."""
    told = json.loads(text)
    own = {UUID(store): bucket for store, bucket in (told["own"] or {}).items()}
    return Told(Belief(Model(**told["model"]), own), told["pending"])
