"""How far the graph of a large store can be trusted, measured against an exact scan of it.

A graph finds what is near a question, or stands out from the rest, and loses part of what lies
between topics or far from all of them: there, many are equally far, and it may never come to the
nearest. Where that begins depends on the store. So questions are made of every kind, and search
believes the graph only where it missed nothing of theirs; elsewhere it scans.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from django.utils import timezone
from pgvector import HalfVector

from souvenir.embedding.embedders import Vectors
from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.selectors import serving_model
from souvenir.ingestion.models import LargeStore
from tenants.isolation.scope import current_tenant
from tenants.ledger import Lease

NEAREST = 10  # of a question: how many have to be found
_OF_EACH, _IN_STEP = 80, 5  # questions of each kind
_GROUP, _MISSED = 20, 1  # of the 200 nearest of a group of questions, at most so many are missed
_MOST_NOISE = 1.5  # against the length of a vector: then nothing of it can be recognized
_CANDIDATES = 100  # as search takes from a graph
_SAMPLE, _LEAST_SAMPLE = 2_000, 50  # vectors; of fewer nothing can be said
_TAIL = 1 << 16  # the last two bytes of an id are random

_WHERE = """tenant_id = %(tenant)s AND store_id = %(store)s AND model = %(model)s
          AND bucket = %(bucket)s"""
_SAMPLED = """
    SELECT embedding::text FROM ingestion_passagevector WHERE {where}
       AND get_byte(uuid_send(passage_id), 14) * 256 + get_byte(uuid_send(passage_id), 15)
           < %(tail)s
    LIMIT %(most)s
"""
# As search asks them (souvenir/search/nearest.py).
_GRAPH = """
    SELECT passage_id, distance FROM (
        SELECT passage_id, embedding::halfvec({dimensions}) <#> %(q)s::halfvec({dimensions})
               AS distance
        FROM ingestion_passagevector WHERE {where}
        ORDER BY embedding::halfvec({dimensions}) <#> %(q)s::halfvec({dimensions})
        LIMIT %(candidates)s
    ) found ORDER BY distance + 0 LIMIT %(nearest)s
"""
_EXACT = """
    SELECT passage_id FROM (
        SELECT passage_id, (embedding <#> %(q)s::halfvec) + 0 AS distance
        FROM ingestion_passagevector WHERE {where}
        ORDER BY distance LIMIT %(nearest)s
    ) found
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the graph made of one question: how far its first and its last are; what it missed.

    Distances as `<#>` has them: the negative inner product, -1 for the same vector.
    """

    first: float
    last: float
    missed: int


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the graph is believed: where the last of the nearest is no farther than `distance`, or
    the first is nearer than the last by `gap`. None: not for that.
    """

    distance: float | None
    gap: float | None


def measure_trust(lease: Lease, large: LargeStore) -> None:
    """Compare graph and exact scan on some questions, and write down how far the former holds.

    Raises:
        LeaseLost
    """
    with lease.step():
        model = serving_model()
        large = LargeStore.objects.get(store_id=large.store_id)  # with its size of now
        rows = _sample(large, model)
    judged: list[Judged] = []
    questions = questions_around(rows, _OF_EACH) if len(rows) >= _LEAST_SAMPLE else rows[:0]
    for at in range(0, len(questions), _IN_STEP):
        with lease.step():
            judged += [_judge(large, model, q) for q in questions[at : at + _IN_STEP]]
    trust = trust_in(judged)
    with lease.step():
        LargeStore.objects.filter(store_id=large.store_id).update(
            trusted_distance=trust.distance,
            trusted_gap=trust.gap,
            trusted_model=model.number,
            trusted_at=timezone.now(),
        )


def questions_around(rows: Vectors, count: int, *, seed: int = 1) -> Vectors:
    """Questions of three kinds from some vectors of a store: of each `count`, the nearest first.

    Each begins with a passage's own vector and goes outwards: to half-way between two passages; to
    what has nothing of the store but how its vectors lean and spread, as if somebody asked about
    anything else in the same language; and to noise, as if it were said in stranger and stranger
    words.

    Args:
        rows: float32, shape (any, dimensions), rows of unit length.

    Returns:
        float32, shape (3 * count, dimensions), rows of unit length.
    """
    random = np.random.default_rng(seed)
    mean = rows.mean(axis=0)
    share = np.linspace(0, 1, count, dtype=np.float32)[:, None]

    def some() -> Vectors:
        return np.asarray(rows[random.integers(len(rows), size=count)])

    # Sums of deviations with random weights have the same covariance as the vectors.
    draws = random.standard_normal((count, len(rows)), dtype=np.float32)
    anything = mean + draws @ (rows - mean) / np.float32(np.sqrt(len(rows)))
    noise = random.standard_normal((count, rows.shape[1]), dtype=np.float32)
    noise *= np.float32(_MOST_NOISE / np.sqrt(rows.shape[1]))
    between = (1 - share / 2) * some() + share / 2 * some()
    outside = (1 - share) * some() + share * anything
    made = np.concatenate([between, outside, some() + share * noise])
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(made, np.float32)


def trust_in(judged: Sequence[Judged]) -> Trust:
    """How far the graph may be believed, by what it made of some questions."""
    near = _as_far_as_complete(judged, lambda one: one.last)
    far = _as_far_as_complete(judged, lambda one: one.first - one.last)
    return Trust(near, None if far is None else -far)


def _as_far_as_complete(
    judged: Sequence[Judged], measure: Callable[[Judged], float]
) -> float | None:
    """The greatest measure up to which next to nothing was missed; None: not even at the least.

    Of each _GROUP questions in a row, by their measure, at most _MISSED neighbours may be missing.
    """
    outwards = sorted(judged, key=measure)
    trusted = None
    for end in range(_GROUP, len(outwards) + 1):
        if sum(one.missed for one in outwards[end - _GROUP : end]) > _MISSED:
            break
        trusted = measure(outwards[end - 1])
    return trusted


def _sample(large: LargeStore, model: EmbeddingModel) -> Vectors:
    tail = _TAIL * _SAMPLE // max(_SAMPLE, large.passages)
    with connection.cursor() as cursor:
        asked = _where(large, model) | {"tail": tail, "most": 2 * _SAMPLE}
        cursor.execute(_SAMPLED.format(where=_WHERE), asked)
        texts = [text for (text,) in cursor.fetchall()]
    rows = [HalfVector.from_text(text).to_numpy() for text in texts]
    return np.array(rows, np.float32).reshape(-1, model.dimensions)


def _judge(large: LargeStore, model: EmbeddingModel, question: Vectors) -> Judged:
    asked = _where(large, model) | {
        "q": HalfVector(question).to_text(),
        "candidates": _CANDIDATES,
        "nearest": NEAREST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_GRAPH.format(where=_WHERE, dimensions=int(model.dimensions)), asked)
        found: dict[UUID, float] = dict(cursor.fetchall())
        cursor.execute(_EXACT.format(where=_WHERE), asked)
        missed = {id_ for (id_,) in cursor.fetchall()} - found.keys()
    distances = sorted(found.values()) or [0.0]
    return Judged(distances[0], distances[-1], len(missed))


def _where(large: LargeStore, model: EmbeddingModel) -> dict[str, Any]:
    return {
        "tenant": current_tenant(),
        "store": large.store_id,
        "model": model.number,
        "bucket": large.bucket,
    }
