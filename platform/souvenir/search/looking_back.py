"""SQL for questions that look back: `as_of` a moment of what was, `known_at` one of our knowledge.

Of a memory that version counts which held then (souvenir.memories.held). Messages count if they
were said, and brought here, by then.
"""

from typing import Any

from souvenir.memories.held import held_number
from souvenir.search.questions import Filters

# OFFSET 0: else PostgreSQL may read all that the tenant has once, instead of a row by its key.
_HELD = """ AND (p.memory_id IS NULL OR EXISTS (
    SELECT FROM memories_memory m CROSS JOIN LATERAL ({held}) held
    WHERE m.tenant_id = %(tenant)s AND m.id = p.memory_id
      AND held.number = CASE WHEN p.past_version > 0 THEN p.past_version ELSE m.version END
    OFFSET 0
))"""
_SAID = " AND (p.message_id IS NULL OR p.occurred_at IS NULL OR p.occurred_at <= %(as_of)s)"
_BROUGHT = """ AND (p.message_id IS NULL OR EXISTS (
    SELECT FROM memories_message g
    WHERE g.tenant_id = %(tenant)s AND g.id = p.message_id AND g.recorded_at <= %(known_at)s
    OFFSET 0
))"""


def looks_back(only: Filters) -> bool:
    """Whether past versions are asked about."""
    return only.as_of is not None or only.known_at is not None


def held_then(only: Filters) -> tuple[str, dict[str, Any]]:
    """SQL to append to a condition on passages `p`, and its parameters."""
    if not looks_back(only):
        return "", {}
    held = held_number("m.id", as_of=only.as_of, known_at=only.known_at)
    condition = _HELD.format(held=held)
    condition += _SAID if only.as_of else ""
    condition += _BROUGHT if only.known_at else ""
    return condition, {"as_of": only.as_of, "known_at": only.known_at}
