"""SQL for the vectors nearest to a question: exact over ordinary stores, by graph over large ones
as far as that can be trusted.

Tenant, model and bucket stand in every arm as literals, so that the planner opens one partition
for it. Each arm names the vectors `v`, for `narrow` to hold on to.
"""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from souvenir.embedding.trust import NEAREST
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
# All vectors of a large store, which takes long: nothing is missed.
_COMPARED = """
    SELECT v.passage_id, (v.embedding <#> %(vector)s::halfvec) + 0 AS distance
    FROM ingestion_passagevector v
    WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store_{arm})s
      AND v.model = %(model)s AND v.bucket = %(bucket_{arm})s
"""
# The graph is believed where that was measured to be right (souvenir/embedding/trust.py). Where it
# was not, or nothing was measured, every vector is compared.
_JUDGED = """judged_{arm} AS MATERIALIZED (
        SELECT (SELECT count(*) FROM walked_{arm}) >= %(candidates)s AS enough,
               coalesce(last <= trusted_distance, false)
               OR coalesce(last - first >= trusted_gap, false) AS trusted
        FROM (SELECT
            (SELECT min(distance) FROM {of}_{arm}) AS first,
            (SELECT distance FROM {of}_{arm} ORDER BY distance OFFSET {before} LIMIT 1) AS last
        ) distances LEFT JOIN ingestion_largestore
            ON tenant_id = %(tenant)s AND store_id = %(store_{arm})s AND trusted_model = %(model)s
    )
"""
_ALL = """
    WITH walked_{arm} AS MATERIALIZED ({graph}), {judged}
    SELECT passage_id, distance FROM walked_{arm} WHERE (SELECT trusted FROM judged_{arm})
    UNION ALL
    (SELECT passage_id, distance FROM ({compared} OFFSET 0) c
     WHERE NOT (SELECT trusted FROM judged_{arm}) ORDER BY distance LIMIT %(candidates)s)
"""
# A filter that leaves little is not walked for without end: where the graph gives too few, what the
# filter leaves is compared, all of it. So no passage is missed, however rare. Where it leaves much
# and the graph is not trusted, the nearest of all are held against the filter first: if enough of
# them pass, they are the nearest of those that do. Whether it is to be trusted, the question itself
# tells: what a filter leaves of its neighbours is farther away, and farther apart.
_NARROWED = """
    WITH {few}walked_{arm} AS MATERIALIZED ({graph}), asked_{arm} AS MATERIALIZED ({all}), {judged},
    sorted_{arm} AS MATERIALIZED (
        SELECT v.passage_id, v.distance FROM (
            SELECT passage_id, distance FROM ({compared} OFFSET 0) c
            WHERE (SELECT enough AND NOT trusted FROM judged_{arm})
            ORDER BY distance LIMIT {wide}
        ) v {narrow} ORDER BY distance LIMIT %(candidates)s
    ), complete_{arm} AS MATERIALIZED (
        SELECT CASE WHEN enough AND trusted THEN 'walked'
                    WHEN (SELECT count(*) FROM sorted_{arm}) >= %(candidates)s THEN 'sorted'
                    ELSE 'neither' END AS arm FROM judged_{arm}
    )
    SELECT passage_id, distance FROM walked_{arm}
    WHERE (SELECT arm FROM complete_{arm}) = 'walked'
    UNION ALL
    SELECT passage_id, distance FROM sorted_{arm}
    WHERE (SELECT arm FROM complete_{arm}) = 'sorted'
    UNION ALL
    SELECT p.id, v.distance FROM ({left}) p CROSS JOIN LATERAL (
        SELECT (v.embedding <#> %(vector)s::halfvec) + 0 AS distance
        FROM ingestion_passagevector v
        WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store_{arm})s AND v.model = %(model)s
          AND v.passage_id = p.id AND v.bucket = %(bucket_{arm})s OFFSET 0
    ) v WHERE (SELECT arm FROM complete_{arm}) = 'neither'
"""
_WIDE = 20_000  # of the nearest, that are held against a filter
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
        arms.append(_of_a_large_store(arm, belief, narrowed))
        parameters |= {f"store_{arm}": store_id, f"bucket_{arm}": bucket}
    return " UNION ALL ".join(f"({arm})" for arm in arms) or _NOTHING, parameters


def _of_a_large_store(arm: int, belief: Belief, narrowed: Narrowed) -> str:
    unless = _UNLESS_FEW.format(arm=arm) if narrowed.described else ""
    dimensions = int(belief.model.dimensions)
    graph = partial(_GRAPH.format, arm=arm, dimensions=dimensions, unless=unless)
    judged = partial(_JUDGED.format, arm=arm, before=NEAREST - 1)
    parts = {"arm": arm, "graph": graph(narrow=narrowed.by), "compared": _COMPARED.format(arm=arm)}
    if not narrowed.condition:
        return _ALL.format(**parts, judged=judged(of="walked"))
    left = _LEFT_DESCRIBED if narrowed.described else _LEFT
    filters = {"arm": arm, "condition": narrowed.condition, "described": narrowed.described}
    return _NARROWED.format(
        **parts,
        all=graph(narrow=""),
        judged=judged(of="asked"),
        few=_FEW.format(**filters) if narrowed.described else "",
        narrow=narrowed.by,
        left=left.format(**filters),
        wide=_WIDE,
    )
