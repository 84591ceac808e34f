"""Vectors of passages. Rows are made and deleted, never changed."""

from django.db import models
from pgvector.django import HalfVectorField

from souvenir.ingestion.models import Passage
from souvenir.memories.models import Store
from tenants.isolation.tables import TenantForeignKey, TenantOwned

DIMENSIONS = 384


class PassageVector(TenantOwned):
    """A passage's vector, alone in a narrow table: the primary key carries it, so that an exact
    scan of one store reads the index and nothing else (bench: docs/benchmarks.md).
    """

    pk = models.CompositePrimaryKey("tenant_id", "store_id", "passage_id")
    store = TenantForeignKey(Store)
    passage = TenantForeignKey(Passage)
    embedding = HalfVectorField(dimensions=DIMENSIONS)  # unit length

    def __str__(self) -> str:
        return str(self.passage_id)
