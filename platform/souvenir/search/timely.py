"""SQL for a question that speaks of a time: what hybrid.sql asks besides, of that time.

Among the nearest of all there may be none of the time that is asked about ("what did we talk about
yesterday?"). So the nearest of that time are candidates too, as long as it is a short one; of a
long one there are enough among the rest.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from souvenir.search.time_expressions import Understood

TIME_SHARE = 0.05  # added to the score of what is of the time asked about (priors.py)
_SHORT = timedelta(days=100)
_MOST_PASSAGES, _MOST_CANDIDATES = 1_000, 50
_ARM = """ UNION ALL (
    SELECT v.passage_id, NULL, NULL FROM (
        SELECT id FROM ingestion_passage
        WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
          AND occurred_at >= %(time_since)s AND occurred_at < %(time_until)s
        ORDER BY occurred_at, id LIMIT %(time_passages)s
    ) w CROSS JOIN LATERAL (
        SELECT w.id AS passage_id, (embedding <#> (SELECT vector FROM question)) + 0 AS distance
        FROM ingestion_passagevector
        WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
          AND model = %(model)s AND bucket IN ({buckets}) AND passage_id = w.id OFFSET 0
    ) v {narrow} ORDER BY v.distance, v.passage_id LIMIT %(time_candidates)s
)"""
_DATED = """CROSS JOIN LATERAL (
    SELECT occurred_at FROM ingestion_passage
    WHERE tenant_id = %(tenant)s AND id = w.passage_id OFFSET 0
) said"""


@dataclass(frozen=True, slots=True)
class Timely:
    """Parts of hybrid.sql; all empty where no time is asked about."""

    arm: str = ""  # more candidates
    dated: str = ""  # when each candidate was said
    share: str = ""  # what it gets for that
    parameters: dict[str, Any] = field(default_factory=dict)


def timely(time: Understood | None, *, narrow: str, buckets: str, by_meaning: bool) -> Timely:
    """What is asked besides. `narrow` and `buckets` as hybrid.sql has them."""
    if time is None:
        return Timely()
    sides = {
        "occurred_at >= %(time_since)s": time.since,
        "occurred_at < %(time_until)s": time.until,
    }
    condition = " AND ".join(f"said.{side}" for side, moment in sides.items() if moment)
    parameters = {"time_since": time.since, "time_until": time.until, "time_share": TIME_SHARE}
    arm = ""
    if by_meaning and time.since and time.until and time.until - time.since <= _SHORT:
        arm = _ARM.format(narrow=narrow, buckets=buckets)
        parameters |= {"time_passages": _MOST_PASSAGES, "time_candidates": _MOST_CANDIDATES}
    share = f"+ CASE WHEN {condition} THEN %(time_share)s ELSE 0 END"
    return Timely(arm, _DATED, share, parameters)
