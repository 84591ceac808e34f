"""Passages and vectors by the thousand, without the work of making them: for tests of plans."""

from uuid import UUID

import numpy as np
from django.db import connection
from pgvector import HalfVector

from souvenir.core.ids import new_id
from souvenir.embedding.embedders import Vectors
from souvenir.embedding.models import DIMENSIONS
from souvenir.embedding.selectors import serving_model
from souvenir.ingestion import buckets
from souvenir.ingestion.models import Passage
from souvenir.memories.models import Store
from souvenir.memories.services import Statement, add_memory
from tenants.isolation.scope import current_tenant

_NUMBERS = 1_900  # that fit in one memory


def some_vectors(count: int, *, seed: int = 1) -> Vectors:
    """Like a model's: in clusters, and all leaning the same way. float32, rows of unit length."""
    random = np.random.default_rng(seed)
    topics = random.normal(size=(max(1, count // 50), DIMENSIONS))
    lean = 1.5 * random.normal(size=DIMENSIONS)
    chosen = topics[random.integers(len(topics), size=count)]
    rows = lean + chosen + 0.7 * random.normal(size=(count, DIMENSIONS))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def fill_store_with(
    store_id: UUID, vectors: Vectors, *, bucket: int = buckets.COMMON
) -> list[UUID]:
    """A passage for each vector, all of one memory, without tokens. Needs a tenant scope.

    No two say the same: an answer has each text once.
    """
    store = Store.objects.get(id=store_id)
    numbers = " ".join(str(number) for number in range(1_000, 1_000 + _NUMBERS))
    memory = add_memory(store=store, statement=Statement(text=numbers))
    passages = [
        Passage(
            id=new_id(),
            store_id=store_id,
            memory_id=memory.id,
            start=5 * (place % _NUMBERS),
            end=5 * (place % _NUMBERS + place // _NUMBERS) + 4,
            terms=1,
            embedded_with="x",
        )
        for place in range(len(vectors))
    ]
    Passage.objects.bulk_create(passages, batch_size=2_000)
    number = serving_model().number
    rows = [
        (current_tenant(), store_id, number, passage.id, bucket, HalfVector(vector).to_text())
        for passage, vector in zip(passages, vectors, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ingestion_passagevector"
            " (tenant_id, store_id, model, passage_id, bucket, embedding)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            rows,
        )
    return [passage.id for passage in passages]
