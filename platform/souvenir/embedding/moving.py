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
# What came while the rest was copied, and what went. By whole keys: decision 12.
_COPY_MISSED = """
    INSERT INTO ingestion_passagevector (tenant_id, store_id, model, passage_id, bucket, embedding)
    SELECT tenant_id, store_id, model, passage_id, %(new)s, embedding FROM ingestion_passagevector v
    WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(old)s AND NOT EXISTS (
        SELECT FROM ingestion_passagevector w
        WHERE w.tenant_id = %(tenant)s AND w.store_id = %(store)s AND w.bucket = %(new)s
          AND w.model = v.model AND w.passage_id = v.passage_id)
    ON CONFLICT DO NOTHING
"""
_REMOVE_GONE = """
    DELETE FROM ingestion_passagevector w
    WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(new)s AND NOT EXISTS (
        SELECT FROM ingestion_passage p WHERE p.tenant_id = %(tenant)s AND p.id = w.passage_id)
"""
_CLEAR = """
    DELETE FROM ingestion_passagevector v USING (
        SELECT model, passage_id FROM ingestion_passagevector
        WHERE tenant_id = %(tenant)s AND store_id = %(store)s AND bucket = %(old)s
        LIMIT %(most)s
    ) batch
    WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store)s AND v.bucket = %(old)s
      AND v.model = batch.model AND v.passage_id = batch.passage_id
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
