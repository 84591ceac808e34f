"""Which version of a memory held: `as_of` a moment of what was, `known_at` one of our knowledge.

A version holds at a moment if it was told by then (`known_at`), had begun and had not ended
(`as_of`); of several, the last. It begins when it says so (`valid_from`, or `occurred_at`). A
version that does not say is a better wording of the one before, and takes its place; the first then
begins when it was observed.
"""

import re
from datetime import datetime

from django.db.models import IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from souvenir.memories.models import Memory
from tenants.isolation.scope import current_tenant

HELD = "held"  # the annotation of `held_at`
_HELD = """SELECT w.number FROM memories_memoryversion w
    WHERE w.tenant_id = %(tenant)s AND w.memory_id = {memory} {known} {valid}
    ORDER BY w.number DESC LIMIT 1"""
_KNOWN = "AND w.recorded_at <= %(known_at)s"
_VALID = """
    AND (w.valid_to IS NULL OR w.valid_to > %(as_of)s)
    AND coalesce((
        SELECT coalesce(e.valid_from, e.occurred_at) FROM memories_memoryversion e
        WHERE e.tenant_id = %(tenant)s AND e.memory_id = {memory} AND e.number <= w.number
          AND coalesce(e.valid_from, e.occurred_at) IS NOT NULL
        ORDER BY e.number DESC LIMIT 1
    ), (
        SELECT min(e.observed_at) FROM memories_memoryversion e
        WHERE e.tenant_id = %(tenant)s AND e.memory_id = {memory} AND e.number <= w.number
    )) <= %(as_of)s
    AND coalesce((
        SELECT coalesce(e.valid_from, e.occurred_at) IS NOT NULL FROM memories_memoryversion e
        WHERE e.tenant_id = %(tenant)s AND e.memory_id = {memory} AND e.number > w.number {known}
        ORDER BY e.number LIMIT 1
    ), true)"""
_PARAMETER = re.compile(r"%\((\w+)\)s")


def held_number(memory: str, *, as_of: datetime | None, known_at: datetime | None) -> str:
    """SQL for the number of the version that held; no row: none did.

    `memory` is a column with the memory's id. Parameters: tenant, and the moments that are given.
    """
    known = _KNOWN if known_at else ""
    valid = _VALID.format(memory=memory, known=known.replace("w.", "e.")) if as_of else ""
    return _HELD.format(memory=memory, known=known, valid=valid)


def held_at(
    found: QuerySet[Memory], *, as_of: datetime | None, known_at: datetime | None
) -> QuerySet[Memory]:
    """Those memories that held then, each with `held`, the number of the version that did. Lazy."""
    table = Memory._meta.db_table
    named = held_number(f'"{table}"."id"', as_of=as_of, known_at=known_at)
    values = {"tenant": current_tenant(), "as_of": as_of, "known_at": known_at}
    in_order = [values[name] for name in _PARAMETER.findall(named)]
    sql = RawSQL(_PARAMETER.sub("%s", named), in_order, output_field=IntegerField())  # noqa: S611 — SQL of ours
    return found.annotate(**{HELD: sql}).filter(**{f"{HELD}__isnull": False})
