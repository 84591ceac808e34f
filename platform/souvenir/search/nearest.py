"""SQL for the vectors nearest to a question: exact over ordinary stores, by graph over large ones.

Tenant, model and bucket stand in every arm as literals, so that the planner opens one partition
for it. Each arm names the vectors `v`, for `narrow` to hold on to.
"""

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
      AND v.model = %(model)s AND v.bucket = %(bucket_{arm})s
    ORDER BY v.embedding::halfvec({dimensions}) <#> %(vector)s::halfvec({dimensions})
    LIMIT %(candidates)s
"""
# A filter that leaves little is not walked for without end: where the graph gives too few, what the
# filter leaves is compared, all of it. So no passage is missed, however rare.
_NARROWED_GRAPH = """
    WITH walked_{arm} AS MATERIALIZED ({graph})
    SELECT passage_id, distance FROM walked_{arm}
    WHERE (SELECT count(*) FROM walked_{arm}) >= %(candidates)s
    UNION ALL
    SELECT p.id, v.distance FROM (
        SELECT p.id FROM ingestion_passage p
        WHERE p.tenant_id = %(tenant)s AND p.store_id = %(store_{arm})s{condition} OFFSET 0
    ) p CROSS JOIN LATERAL (
        SELECT (v.embedding <#> %(vector)s::halfvec) + 0 AS distance
        FROM ingestion_passagevector v
        WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store_{arm})s AND v.model = %(model)s
          AND v.passage_id = p.id AND v.bucket = %(bucket_{arm})s OFFSET 0
    ) v WHERE (SELECT count(*) FROM walked_{arm}) < %(candidates)s
"""
_NOTHING = "SELECT NULL::uuid AS passage_id, NULL::float8 AS distance WHERE false"


def nearest(
    store_ids: list[UUID], belief: Belief, *, narrow: str, condition: str, by_meaning: bool
) -> tuple[str, dict[str, object]]:
    """The statement, (passage id, distance) in any order, and its own parameters.

    Args:
        narrow: joins passages, under a condition, to vectors `v`; "" for all.
        condition: the same condition, to append to one on passages `p`; "" for all.
        by_meaning: whether there is a vector to compare with. Without, nothing is near.
    """
    common = [store for store in store_ids if store not in belief.own]
    parameters: dict[str, object] = {
        "common": common,
        "model": belief.model.number,
    }
    if not by_meaning:
        return _NOTHING, parameters
    arms = [_EXACT.format(narrow=narrow)] if common else []
    for arm, (store_id, bucket) in enumerate(sorted(belief.own.items())):
        graph = _GRAPH.format(narrow=narrow, arm=arm, dimensions=int(belief.model.dimensions))
        if condition:
            graph = _NARROWED_GRAPH.format(graph=graph, arm=arm, condition=condition)
        arms.append(graph)
        parameters |= {f"store_{arm}": store_id, f"bucket_{arm}": bucket}
    return " UNION ALL ".join(f"({arm})" for arm in arms) or _NOTHING, parameters
