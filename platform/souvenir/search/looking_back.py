"""SQL for questions that look back: `as_of` a moment of what was, `known_at` one of our knowledge.

Of a memory that version counts which held then (souvenir.memories.held), with the metadata that it
had. Messages count if they were said, and brought here, by then.
"""

from typing import Any

from souvenir.memories.held import held_number
from souvenir.search.metadata_filter import has_metadata
from souvenir.search.questions import Filters

# OFFSET 0: else PostgreSQL may read all that the tenant has once, instead of a row by its key.
# A passage is of one version, or of several in a row of which only the metadata differs.
_HELD = """EXISTS (
    SELECT FROM memories_memory m CROSS JOIN LATERAL ({held}) held CROSS JOIN LATERAL (
        SELECT CASE WHEN p.past_version > 0 THEN p.past_version ELSE m.version END AS number
    ) last
    WHERE m.tenant_id = %(tenant)s AND m.id = p.memory_id
      AND held.number BETWEEN coalesce(p.since_version, last.number) AND last.number{described}
    OFFSET 0
)"""
# As tokens of metadata name the version: 0 is the one that holds now.
_DESCRIBED_BY = "CASE WHEN held.number = m.version THEN 0 ELSE held.number END"
_SAID = " AND (p.message_id IS NULL OR p.occurred_at IS NULL OR p.occurred_at <= %(as_of)s)"
_BROUGHT = """ AND (p.message_id IS NULL OR EXISTS (
    SELECT FROM memories_message g
    WHERE g.tenant_id = %(tenant)s AND g.id = p.message_id AND g.recorded_at <= %(known_at)s
    OFFSET 0
))"""


# Of all passages at once: what can be told without a look-up for each not to have held goes; what
# stays is held against the above. A memory that held has a version that was told, one that had not
# ended, and one that had begun.
_BROUGHT_AT_ALL = """ AND (p.message_id IS NULL OR (p.message_id IN (
    SELECT g.id FROM memories_message g
    WHERE g.tenant_id = %(tenant)s AND g.store_id = ANY (%(stores)s)
      AND g.recorded_at <= %(known_at)s OFFSET 0
)) IS TRUE)"""
_HELD_AT_ALL = """ AND (p.memory_id IS NULL OR (p.memory_id IN (
    SELECT w.memory_id FROM (
        SELECT * FROM memories_memoryversion
        WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s) OFFSET 0
    ) w GROUP BY w.memory_id HAVING {conditions}
)) IS TRUE)"""
_TOLD = "bool_or(w.recorded_at <= %(known_at)s)"
_HAD_BEGUN = """bool_or(w.valid_to IS NULL OR w.valid_to > %(as_of)s)
       AND bool_or(coalesce(w.valid_from, w.occurred_at) <= %(as_of)s
                   OR w.observed_at <= %(as_of)s)"""


def looks_back(only: Filters) -> bool:
    """Whether past versions are asked about."""
    return only.as_of is not None or only.known_at is not None


def held_then(only: Filters) -> tuple[str, dict[str, Any]]:
    """SQL to append to a condition on passages `p`, and its parameters."""
    held = held_number("m.id", as_of=only.as_of, known_at=only.known_at)
    described, tokens = has_metadata(only.metadata, version=_DESCRIBED_BY)
    others = "IS NOT NULL AND" if described else "IS NULL OR"  # messages have no metadata
    condition = f" AND (p.memory_id {others} {_HELD.format(held=held, described=described)})"
    condition += _SAID if only.as_of else ""
    condition += _BROUGHT if only.known_at else ""
    return condition, {"as_of": only.as_of, "known_at": only.known_at} | tokens


def may_be_held(only: Filters) -> str:
    """SQL to append to a condition on all passages `p` of a store; "" where none looks back."""
    if not looks_back(only):
        return ""
    conditions = " AND ".join(
        part for part, asked in ((_TOLD, only.known_at), (_HAD_BEGUN, only.as_of)) if asked
    )
    condition = _HELD_AT_ALL.format(conditions=conditions)
    condition += _SAID if only.as_of else ""
    return condition + (_BROUGHT_AT_ALL if only.known_at else "")
