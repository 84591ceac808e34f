"""Keep vectors beside their passages. Need a tenant scope."""

from uuid import UUID

import numpy as np
from django.db import connection

from souvenir.embedding.embedders import Vectors
from souvenir.embedding.errors import VectorsDoNotFit
from souvenir.embedding.models import EmbeddingModel
from souvenir.ingestion.models import Passage
from souvenir.ingestion.past import home_of
from souvenir.ingestion.placing import placed
from tenants.isolation.scope import current_tenant

_NUMBER = "%.5g"  # a half has eleven bits: five digits tell any two apart


def keep_vectors(passages: list[Passage], vectors: Vectors, *, model: EmbeddingModel) -> None:
    """Give passages their vectors, in their order. One that has a vector of the model keeps it.

    Only passages that are still there get one: an erasure in between wins.

    Raises:
        VectorsDoNotFit: they are not as long as the model's vectors are.
    """
    if vectors.shape != (len(passages), model.dimensions):
        raise VectorsDoNotFit(model=model.name, dimensions=model.dimensions)
    by_id = dict(zip((passage.id for passage in passages), vectors, strict=True))
    here = Passage.objects.select_for_update().filter(id__in=list(by_id))
    places = {passage.id: passage for passage in here}
    # The past of a store is always in the common bucket.
    bucket_of = placed({home_of(passage) for passage in places.values()})
    tenant_id = current_tenant()
    rows: list[tuple[UUID, UUID, int, UUID, int, str]] = [
        (tenant_id, home, model.number, passage.id, bucket_of[home], vector_text(by_id[passage.id]))
        for passage in places.values()
        for home in [home_of(passage)]
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ingestion_passagevector"
            " (tenant_id, store_id, model, passage_id, bucket, embedding)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            rows,
        )


def vector_text(vector: Vectors) -> str:
    """A vector as PostgreSQL reads it in half precision, with no digit too many."""
    numbers = vector.astype(np.float16).tolist()
    return "[" + ",".join([_NUMBER] * len(numbers)) % tuple(numbers) + "]"
