"""SQL for the vectors nearest to a question: exact over ordinary stores, by graph over large ones.

Tenant, model and bucket stand in every arm as literals, so that the planner opens one partition
for it. Each arm names the vectors `v`, for `narrow` to hold on to.
"""

from dataclasses import dataclass
from uuid import UUID

from souvenir.search.beliefs import Belief

# "+ 0" keeps any graph index out of the plan: ordinary stores are scanned exactly.
_EXACT = """
    SELECT v.passage_id, (v.embedding <#> %(vector)s::halfvec) + 0 AS distance
    FROM ingestion_passagevector v {narrow}
    WHERE v.tenant_id = %(tenant)s AND v.store_id = ANY (%(common)s)
      AND v.model = %(model)s AND v.bucket = 0
    ORDER BY distance LIMIT %(candidates)s
"""
# As the index says it (ingestion 0005), or it is not used.
_GRAPH = """
    SELECT v.passage_id,
           v.embedding::halfvec({dimensions}) <#> %(vector)s::halfvec({dimensions}) AS distance
    FROM ingestion_passagevector v {narrow}
    WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store_{arm})s
      AND v.model = %(model)s AND v.bucket = %(bucket_{arm})s {unless}
    ORDER BY v.embedding::halfvec({dimensions}) <#> %(vector)s::halfvec({dimensions})
    LIMIT %(candidates)s
"""
# A filter that leaves little is not walked for without end: where the graph gives too few, what the
# filter leaves is compared, all of it. So no passage is missed, however rare.
_NARROWED_GRAPH = """
    WITH {few}walked_{arm} AS MATERIALIZED ({graph})
    SELECT passage_id, distance FROM walked_{arm}
    WHERE (SELECT count(*) FROM walked_{arm}) >= %(candidates)s
    UNION ALL
    SELECT p.id, v.distance FROM ({left}) p CROSS JOIN LATERAL (
        SELECT (v.embedding <#> %(vector)s::halfvec) + 0 AS distance
        FROM ingestion_passagevector v
        WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store_{arm})s AND v.model = %(model)s
          AND v.passage_id = p.id AND v.bucket = %(bucket_{arm})s OFFSET 0
    ) v WHERE (SELECT count(*) FROM walked_{arm}) < %(candidates)s
"""
_LEFT = """
    SELECT p.id FROM ingestion_passage p
    WHERE p.tenant_id = %(tenant)s AND p.store_id = %(store_{arm})s{condition} OFFSET 0
"""
# Where metadata is asked for, its tokens lead to the memories that have it. If those are few, there
# is nothing to walk for.
_FEW = """few_{arm} AS MATERIALIZED (
    SELECT count(*) <= %(few)s AS so FROM ({described} LIMIT %(few)s + 1) k
), """
_UNLESS_FEW = "AND NOT (SELECT so FROM few_{arm})"
_FEW_MEMORIES = 5_000
_LEFT_DESCRIBED = """
    SELECT p.id FROM ({described}) k CROSS JOIN LATERAL (
        SELECT p.id FROM ingestion_passage p
        WHERE p.tenant_id = %(tenant)s AND p.memory_id = k.memory_id
          AND p.store_id = ANY (%(stores)s){condition} OFFSET 0
    ) p
"""
_EXACT_DESCRIBED = """
    SELECT p.id AS passage_id, v.distance FROM ({left}) p CROSS JOIN LATERAL (
        SELECT (v.embedding <#> %(vector)s::halfvec) + 0 AS distance
        FROM ingestion_passagevector v
        WHERE v.tenant_id = %(tenant)s AND v.store_id = ANY (%(common)s)
          AND v.model = %(model)s AND v.passage_id = p.id AND v.bucket = 0 OFFSET 0
    ) v ORDER BY distance LIMIT %(candidates)s
"""
_NOTHING = "SELECT NULL::uuid AS passage_id, NULL::float8 AS distance WHERE false"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a filter leaves, as SQL; all "" where there is none."""

    by: str = ""  # joins passages, under the condition, to vectors `v`
    condition: str = ""  # to append to one on passages `p`
    described: str = ""  # the memories among which all of it is, where metadata is asked for


def nearest(
    store_ids: list[UUID], belief: Belief, *, narrowed: Narrowed, by_meaning: bool
) -> tuple[str, dict[str, object]]:
    """The statement, (passage id, distance) in any order, and its own parameters.

    Args:
        by_meaning: whether there is a vector to compare with. Without, nothing is near.
    """
    common = [store for store in store_ids if store not in belief.own]
    parameters: dict[str, object] = {
        "common": common,
        "model": belief.model.number,
        "few": _FEW_MEMORIES,
    }
    if not by_meaning:
        return _NOTHING, parameters
    left = _LEFT_DESCRIBED if narrowed.described else _LEFT
    parts = {"condition": narrowed.condition, "described": narrowed.described}
    exact = _EXACT.format(narrow=narrowed.by)
    if narrowed.described:
        exact = _EXACT_DESCRIBED.format(left=left.format(**parts))
    arms = [exact] if common else []
    for arm, (store_id, bucket) in enumerate(sorted(belief.own.items())):
        unless = _UNLESS_FEW.format(arm=arm) if narrowed.described else ""
        dimensions = int(belief.model.dimensions)
        graph = _GRAPH.format(narrow=narrowed.by, arm=arm, dimensions=dimensions, unless=unless)
        if narrowed.condition:
            few = _FEW.format(arm=arm, **parts) if narrowed.described else ""
            rest = left.format(arm=arm, **parts)
            graph = _NARROWED_GRAPH.format(graph=graph, arm=arm, few=few, left=rest)
        arms.append(graph)
        parameters |= {f"store_{arm}": store_id, f"bucket_{arm}": bucket}
    return " UNION ALL ".join(f"({arm})" for arm in arms) or _NOTHING, parameters
