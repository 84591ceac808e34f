"""Do passages, vectors and token sets agree? Of one organization; needs a tenant scope.

Every passage has one vector of each model in use where search reads it, unless it waits for its
first or was set aside, and one set of tokens, unless it says nothing but stop words. Nothing of
either is without its passage.
"""

from dataclasses import dataclass

from django.db import connection

from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.selectors import models_in_use
from souvenir.embedding.services import SET_ASIDE
from tenants.isolation.scope import current_tenant

_PASSAGES = """
    SELECT count(*), count(*) FILTER (WHERE embedded_with = ''),
           count(*) FILTER (WHERE embedded_with = %(set_aside)s), count(*) FILTER (WHERE terms > 0)
    FROM ingestion_passage WHERE tenant_id = %(tenant)s
"""
# Where search reads them: a store that moves has some elsewhere too.
_VECTORS = """
    SELECT count(DISTINCT v.passage_id) FROM ingestion_passagevector v
    LEFT JOIN ingestion_largestore l ON l.tenant_id = %(tenant)s AND l.store_id = v.store_id
      AND l.state IN ('serving', 'leaving')
    WHERE v.tenant_id = %(tenant)s AND v.model = %(model)s AND v.bucket = coalesce(l.bucket, 0)
"""
_WITH_TOKENS = """
    SELECT count(DISTINCT passage_id) FROM ingestion_passagetoken WHERE tenant_id = %(tenant)s
"""
_STRAYS = """
    SELECT count(*) FROM (
        SELECT passage_id FROM ingestion_passagevector WHERE tenant_id = %(tenant)s
        UNION SELECT passage_id FROM ingestion_passagetoken WHERE tenant_id = %(tenant)s
    ) derived WHERE NOT EXISTS (
        SELECT FROM ingestion_passage p
        WHERE p.tenant_id = %(tenant)s AND p.id = derived.passage_id)
"""


@dataclass(frozen=True, slots=True)
class SearchCounts:
    """`pending` passages wait for their first vector; `strays` are ids without a passage.

    Those that were `set_aside` break the embedder, and get none.
    """

    passages: int
    pending: int
    set_aside: int
    with_terms: int
    token_sets: int
    vectors: dict[str, int]  # by the model's name, of those in use
    strays: int

    @property
    def to_have_vectors(self) -> int:
        """Passages that wait for nothing, and were not set aside."""
        return self.passages - self.pending - self.set_aside

    @property
    def missing_token_sets(self) -> int:
        return self.with_terms - self.token_sets

    def missing_vectors(self, model: str) -> int:
        return self.to_have_vectors - self.vectors[model]

    def agree(self, *, serving: str) -> bool:
        """Whether all is there that should be, and nothing else."""
        missing = (self.missing_vectors(serving), self.missing_token_sets, self.strays)
        return missing == (0, 0, 0)


def search_counts() -> SearchCounts:
    """Five queries that read everything of the organization: for a check, not for a request."""
    passages, pending, set_aside, with_terms = _row(_PASSAGES, set_aside=SET_ASIDE)
    return SearchCounts(
        passages=passages,
        pending=pending,
        set_aside=set_aside,
        with_terms=with_terms,
        token_sets=_row(_WITH_TOKENS)[0],
        vectors={model.name: _vectors(model) for model in models_in_use()},
        strays=_row(_STRAYS)[0],
    )


def _vectors(model: EmbeddingModel) -> int:
    return _row(_VECTORS, model=model.number)[0]


def _row(statement: str, **parameters: int | str) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenant": current_tenant(), **parameters})
        row: tuple[int, ...] = cursor.fetchone()
    return row
