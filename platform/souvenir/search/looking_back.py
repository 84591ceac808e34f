"""SQL for questions that look back: `as_of` a moment of what was, `known_at` one of our knowledge.

A version of a memory holds at a moment if it was told by then (`known_at`), had begun and had not
ended (`as_of`); of several, the last. It begins when it says so (`valid_from`, or `occurred_at`). A
version that does not say is a better wording of the one before, and takes its place; the first then
begins when it was observed. Messages count if they were said, and brought here, by then.
"""

from typing import Any

from souvenir.search.questions import Filters

_HELD = """ AND (p.memory_id IS NULL OR EXISTS (
    SELECT FROM memories_memory m CROSS JOIN LATERAL (
        SELECT w.number FROM memories_memoryversion w
        WHERE w.tenant_id = %(tenant)s AND w.memory_id = m.id {known} {valid}
        ORDER BY w.number DESC LIMIT 1
    ) held
    WHERE m.tenant_id = %(tenant)s AND m.id = p.memory_id
      AND held.number = CASE WHEN p.past_version > 0 THEN p.past_version ELSE m.version END
))"""
_KNOWN = "AND w.recorded_at <= %(known_at)s"
_VALID = """
    AND (w.valid_to IS NULL OR w.valid_to > %(as_of)s)
    AND coalesce((
        SELECT coalesce(e.valid_from, e.occurred_at) FROM memories_memoryversion e
        WHERE e.tenant_id = %(tenant)s AND e.memory_id = m.id AND e.number <= w.number
          AND coalesce(e.valid_from, e.occurred_at) IS NOT NULL
        ORDER BY e.number DESC LIMIT 1
    ), (
        SELECT min(e.observed_at) FROM memories_memoryversion e
        WHERE e.tenant_id = %(tenant)s AND e.memory_id = m.id AND e.number <= w.number
    )) <= %(as_of)s
    AND coalesce((
        SELECT coalesce(e.valid_from, e.occurred_at) IS NOT NULL FROM memories_memoryversion e
        WHERE e.tenant_id = %(tenant)s AND e.memory_id = m.id AND e.number > w.number {known}
        ORDER BY e.number LIMIT 1
    ), true)"""
_SAID = " AND (p.message_id IS NULL OR p.occurred_at IS NULL OR p.occurred_at <= %(as_of)s)"
_BROUGHT = """ AND (p.message_id IS NULL OR EXISTS (
    SELECT FROM memories_message g
    WHERE g.tenant_id = %(tenant)s AND g.id = p.message_id AND g.recorded_at <= %(known_at)s
))"""


def looks_back(only: Filters) -> bool:
    """Whether past versions are asked about."""
    return only.as_of is not None or only.known_at is not None


def held_then(only: Filters) -> tuple[str, dict[str, Any]]:
    """SQL to append to a condition on passages `p`, and its parameters."""
    if not looks_back(only):
        return "", {}
    known = _KNOWN if only.known_at else ""
    valid = _VALID.format(known=known.replace("w.", "e.")) if only.as_of else ""
    condition = _HELD.format(known=known, valid=valid)
    condition += _SAID if only.as_of else ""
    condition += _BROUGHT if only.known_at else ""
    return condition, {"as_of": only.as_of, "known_at": only.known_at}
