"""Move the vectors of a store from one bucket to another, a few at a time. Need a tenant scope."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from tenants.isolation.scope import current_tenant

_FIRST = (-1, UUID(int=0))
_COPY = """
    WITH batch AS MATERIALIZED (
        SELECT model, passage_id, embedding FROM ingestion_passagevector
        WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(old)s
          AND (model, passage_id) > (%(model)s, %(passage)s)
        ORDER BY model, passage_id LIMIT %(most)s
    ), copied AS (
        INSERT INTO ingestion_passagevector
            (tenant_id, store_id, model, passage_id, bucket, embedding)
        SELECT %(tenant)s, %(store)s, model, passage_id, %(new)s, embedding FROM batch
        ON CONFLICT DO NOTHING
    )
    SELECT model, passage_id, count(*) OVER () FROM batch
    ORDER BY model DESC, passage_id DESC LIMIT 1
"""
# What came while the rest was copied, and what went: for good, or to the past of its store. By
# whole keys: decision 12.
_COPY_MISSED = """
    INSERT INTO ingestion_passagevector (tenant_id, store_id, model, passage_id, bucket, embedding)
    SELECT tenant_id, store_id, model, passage_id, %(new)s, embedding FROM ingestion_passagevector v
    WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(old)s AND NOT EXISTS (
        SELECT FROM ingestion_passagevector w
        WHERE w.tenant_id = %(tenant)s AND w.store_id = %(store)s AND w.bucket = %(new)s
          AND w.model = v.model AND w.passage_id = v.passage_id OFFSET 0)
    ON CONFLICT DO NOTHING
"""
_REMOVE_GONE = """
    DELETE FROM ingestion_passagevector w
    WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(new)s AND NOT EXISTS (
        SELECT FROM ingestion_passage p
        WHERE p.tenant_id = %(tenant)s AND p.id = w.passage_id AND p.past_version = 0
        OFFSET 0)
"""
# Those up to a key, and joined with nothing: of a bucket that was just filled nothing was counted.
_CLEAR = """
    WITH batch AS MATERIALIZED (
        SELECT model, passage_id FROM ingestion_passagevector
        WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(old)s
        ORDER BY model, passage_id LIMIT %(most)s
    ), first AS MATERIALIZED (SELECT min(model) AS model FROM batch)
    DELETE FROM ingestion_passagevector
    WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(old)s
      AND model = (SELECT model FROM first) AND passage_id <= (
          SELECT passage_id FROM batch WHERE model = (SELECT model FROM first)
          ORDER BY passage_id DESC LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Move:
    """Whose vectors go from which bucket to which."""

    store_id: UUID
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Place:
    """How far a copy has come: the last vector that was copied, and how many in this step."""

    model: int
    passage_id: UUID
    copied: int = 0


def copy_some(move: Move, *, after: Place | None, most: int) -> Place | None:
    """Copy the next vectors, in the order of their keys; None: there are no more."""
    model, passage_id = (after.model, after.passage_id) if after else _FIRST
    row = _run(move, _COPY, model=model, passage=passage_id, most=most)
    return Place(*row) if row else None


def catch_up(move: Move) -> None:
    """Make the new bucket hold what the old one does, and nothing without a passage."""
    _run(move, _COPY_MISSED)
    remove_gone(move)


def remove_gone(move: Move) -> None:
    """Remove from the new bucket what has no passage any more, or one that is of the past."""
    _run(move, _REMOVE_GONE)


def clear_some(move: Move, *, most: int) -> int:
    """Remove vectors from the old bucket. Gives how many; 0: it has none of this store left."""
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR, _parameters(move) | {"most": most})
        return int(cursor.rowcount)


def _run(move: Move, statement: str, **parameters: Any) -> tuple[int, UUID, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters(move) | parameters)
        row: tuple[int, UUID, int] | None = cursor.fetchone() if cursor.description else None
    return row


def _parameters(move: Move) -> dict[str, Any]:
    return {
        "tenant": current_tenant(), "store": move.store_id, "old": move.old, "new": move.new
    }  # fmt: skip
