"""How alike two models answer, on an organization's own passages. Needs a tenant scope."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from pgvector import HalfVector

from souvenir.embedding.embedders import Vectors
from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.registry import embedder_of
from souvenir.embedding.services import SET_ASIDE, passage_texts
from souvenir.ingestion.models import Passage
from souvenir.ingestion.placing import placed
from tenants.isolation.scope import current_tenant

_FIRST = 10
_NEAREST = """
    SELECT passage_id FROM ingestion_passagevector
    WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND model = %(model)s
      AND bucket = %(bucket)s AND passage_id <> %(passage)s
    ORDER BY (embedding <#> %(vector)s::halfvec) + 0, passage_id LIMIT %(first)s
"""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of one question: what part of the first ten both models find."""

    share: float


def overlaps(old: EmbeddingModel, new: EmbeddingModel, *, most: int) -> list[Overlap]:
    """Ask some passages, drawn at random, as questions of their own store; exactly, of both models.

    Nothing of what they say is kept, and only shares are told.

    Raises:
        EmbedderUnavailable
    """
    embedded = Passage.objects.filter(past_version=0).exclude(embedded_with__in=["", SET_ASIDE])
    passages = list(embedded.order_by("?")[:most])
    texts = passage_texts(passages)
    passages = [passage for passage in passages if passage.id in texts]
    asked = [texts[passage.id] for passage in passages]
    found = [
        _found(passages, embedder_of(model.name).embed(asked, kind="query"), model)
        for model in (old, new)
    ]
    return [
        Overlap(len(a & b) / max(len(a), len(b)))
        for a, b in zip(*found, strict=True)
        if a or b
    ]  # fmt: skip


def _found(passages: list[Passage], vectors: Vectors, model: EmbeddingModel) -> list[set[UUID]]:
    bucket_of = placed({passage.store_id for passage in passages})
    found = []
    with connection.cursor() as cursor:
        for passage, vector in zip(passages, vectors, strict=True):
            parameters: dict[str, Any] = {
                "tenant": current_tenant(),
                "store": passage.store_id,
                "passage": passage.id,  # it is like itself in any model
                "model": model.number,
                "bucket": bucket_of[passage.store_id],
                "vector": HalfVector(vector).to_text(),
                "first": _FIRST,
            }
            cursor.execute(_NEAREST, parameters)
            found.append({id_ for (id_,) in cursor.fetchall()})
    return found
