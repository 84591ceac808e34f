"""SQL for the vectors nearest to a question: exact over ordinary stores, by graph over large ones
as far as that can be trusted.

Tenant, model and bucket stand in every arm as literals, so that the planner opens one partition
for it. Each arm names the vectors `v`, for `Narrowed.by_key` to hold on to.

What a filter leaves is listed first, from an index that has all that a passage says of itself, and
the vectors of those are compared: they lie in the order of their ids, and so does the list. A
question that looks back holds the nearest against what was known; only if too few of them pass is
it told of all passages which may have held then.
"""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from souvenir.embedding.trust import NEAREST
from souvenir.search.beliefs import Belief
from souvenir.search.narrowing import Narrowed

# Read once, for it is long.
_QUESTION = "question AS MATERIALIZED (SELECT %(vector)s::halfvec AS vector)"
# "+ 0" keeps any graph index out of the plan.
_EXACT = """
    SELECT v.passage_id, (v.embedding <#> (SELECT vector FROM question)) + 0 AS distance
    FROM ingestion_passagevector v
    WHERE v.tenant_id = %(tenant)s AND {whose} AND v.model = %(model)s AND {bucket}{among}
"""
_AMONG = " AND v.passage_id = ANY (ARRAY(SELECT id FROM {passages}_{arm}))"
_FIRST = "{exact} ORDER BY distance LIMIT %(candidates)s"
# As the index says it (ingestion 0005), or it is not used.
_GRAPH = """
    SELECT v.passage_id,
           v.embedding::halfvec({dimensions})
               <#> (SELECT vector FROM question)::halfvec({dimensions}) AS distance
    FROM ingestion_passagevector v
    WHERE v.tenant_id = %(tenant)s AND v.store_id = %(store_{arm})s
      AND v.model = %(model)s AND v.bucket = %(bucket_{arm})s {unless}
    ORDER BY v.embedding::halfvec({dimensions})
             <#> (SELECT vector FROM question)::halfvec({dimensions})
    LIMIT %({most})s
"""
# Through a filter it is walked on until enough pass, but not far: to list what a filter leaves that
# leaves little is quicker.
_GRAPH_NARROWED = """
    SELECT v.passage_id, v.distance FROM ({graph}) v {by_key}
    ORDER BY v.distance LIMIT %(candidates)s
"""
_WALKED_FOR_EACH = 50  # candidate that is wanted
# The graph is believed where that was measured to be right (souvenir/embedding/trust.py). Where it
# was not, or nothing was measured, every vector is compared. Through a filter, the question itself
# tells: what a filter leaves of its neighbours is farther away, and farther apart; and where the
# graph gives too few, all that the filter leaves is compared. So no passage is missed.
_JUDGED = """judged_{arm} AS MATERIALIZED (
    SELECT ({enough}) AND (coalesce(last <= trusted_distance, false)
                           OR coalesce(last - first >= trusted_gap, false)) AS trusted
    FROM (SELECT
        (SELECT min(distance) FROM {of}_{arm}) AS first,
        (SELECT distance FROM {of}_{arm} ORDER BY distance OFFSET {before} LIMIT 1) AS last
    ) distances LEFT JOIN ingestion_largestore
        ON tenant_id = %(tenant)s AND store_id = %(store_{arm})s AND trusted_model = %(model)s
)"""
_ENOUGH = "SELECT count(*) >= %(candidates)s FROM walked_{arm}"
_WALKED = "SELECT passage_id, distance FROM walked_{arm} WHERE (SELECT trusted FROM judged_{arm})"
_UNLESS_TRUSTED = " AND NOT (SELECT trusted FROM judged_{arm})"
_KEPT = """
    SELECT p.id FROM ingestion_passage p WHERE p.tenant_id = %(tenant)s AND {of}{condition}
"""
# Where metadata is asked for, its tokens lead to the memories that have it. If those are few, their
# passages are looked up, and in a large store there is nothing to walk for.
_FEW = """few AS MATERIALIZED (
    SELECT count(*) <= %(few)s AS so FROM ({described} LIMIT %(few)s + 1) k
)"""
_UNLESS_FEW = " AND NOT (SELECT so FROM few)"
_FEW_MEMORIES = 2_000
_KEPT_DESCRIBED = """
    SELECT p.id FROM ({described}) k CROSS JOIN LATERAL (
        SELECT p.id, p.store_id FROM ingestion_passage p
        WHERE p.tenant_id = %(tenant)s AND p.memory_id = k.memory_id{one} OFFSET 0
    ) p WHERE (SELECT so FROM few) AND {of}
    UNION ALL
"""
# Where a question looks back: the nearest are held against what was known.
_TRIED = """near_{arm} AS MATERIALIZED (
    {exact} ORDER BY distance LIMIT %(tried)s
), held_{arm} AS MATERIALIZED (
    SELECT v.passage_id, v.distance FROM near_{arm} v {by_key}
), enough_{arm} AS MATERIALIZED (
    SELECT (SELECT count(*) FROM held_{arm}) >= %(candidates)s
           OR (SELECT count(*) FROM near_{arm}) < %(tried)s AS so
)"""
_HELD = "SELECT passage_id, distance FROM held_{arm} WHERE (SELECT so FROM enough_{arm})"
_ALL_HELD = """
    SELECT v.passage_id, v.distance FROM ({exact} ORDER BY distance) v {by_key}
    WHERE NOT (SELECT so FROM enough_{arm}) ORDER BY v.distance LIMIT %(candidates)s
"""
_TRIED_FOR_EACH = 10  # of which a candidate is wanted
_IS_AMONG = "(v.passage_id IN (SELECT id FROM {passages}_{arm})) IS TRUE"
_OR_ENOUGH = "((SELECT so FROM enough_{arm}) OR {is_among})"
_COMMON, _IN_COMMON = "common", "v.store_id = ANY (%(common)s)"
_NOTHING = "SELECT NULL::uuid AS passage_id, NULL::float8 AS distance WHERE false"


@dataclass(frozen=True, slots=True)
class Nearest:
    """Parts of hybrid.sql, and their own parameters.

    `sql` gives (passage id, distance) in any order. `before` are named queries, each of which may
    read those before it. `among` is a condition on passages `v` that words have found; of what it
    leaves, `by_key` leaves what the filter does.
    """

    sql: str
    before: list[str]
    among: str
    by_key: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where some vectors are, as SQL; and what keeps them from being compared, if anything does."""

    arm: str  # ends the names of its queries
    whose: str  # of vectors `v`
    bucket: str
    of: str  # of passages `p`
    unless: str = ""

    def exact(self, *passages: str) -> str:
        """All its vectors, or those of passages that are listed."""
        among = "".join(_AMONG.format(passages=one, arm=self.arm) for one in passages)
        return _EXACT.format(whose=self.whose, bucket=self.bucket, among=among + self.unless)

    def listed(self, name: str, narrowed: Narrowed, *, more: str = "") -> str:
        """A list of passages: those that a filter leaves."""
        condition, described = narrowed.kept + more, ""
        if narrowed.described:
            condition += _UNLESS_FEW
            described = _KEPT_DESCRIBED.format(
                described=narrowed.described, one=narrowed.one, of=self.of
            )
        kept = described + _KEPT.format(of=self.of, condition=condition)
        return f"{name}_{self.arm} AS MATERIALIZED ({kept})"


def nearest(
    store_ids: list[UUID],
    belief: Belief,
    *,
    narrowed: Narrowed,
    by_meaning: bool,
    candidates: int,
) -> Nearest:
    """What is nearest among some stores.

    Args:
        by_meaning: whether there is a vector to compare with. Without, nothing is near.
        candidates: how many are wanted.
    """
    common = [store for store in store_ids if store not in belief.own]
    parameters: dict[str, object] = {
        "common": common,
        "model": belief.model.number,
        "few": _FEW_MEMORIES,
        "candidates": candidates,
        "tried": _TRIED_FOR_EACH * candidates,
        "walked": _WALKED_FOR_EACH * candidates,
    }
    before = [_QUESTION] if by_meaning else []
    before += [_FEW.format(described=narrowed.described)] if narrowed.described else []
    arms: list[str] = []
    if common:
        before += _lists(_common(), narrowed, by_meaning=by_meaning)
        arms += _compared(_common(), narrowed)
    for number, (store_id, bucket) in enumerate(sorted(belief.own.items())):
        parameters |= {f"store_{number}": store_id, f"bucket_{number}": bucket}
        if by_meaning:
            place = _large(number)
            before += [*_walk(place, belief, narrowed), *_lists(place, narrowed)]
            arms += [_WALKED.format(arm=place.arm), *_compared(place, narrowed)]
    is_listed = bool(common) and not belief.own
    return Nearest(
        sql=" UNION ALL ".join(f"({arm})" for arm in arms) if by_meaning and arms else _NOTHING,
        before=before,
        among=_among(narrowed, by_meaning=by_meaning) if is_listed else "",
        by_key="" if is_listed and not narrowed.may_be_held else narrowed.by_key,
        parameters=parameters,
    )


def _common() -> _Place:
    return _Place(_COMMON, _IN_COMMON, "v.bucket = 0", "p.store_id = ANY (%(common)s)")


def _large(number: int) -> _Place:
    whose, bucket = f"store_id = %(store_{number})s", f"v.bucket = %(bucket_{number})s"
    unless = _UNLESS_TRUSTED.format(arm=number)
    return _Place(str(number), f"v.{whose}", bucket, f"p.{whose}", unless)


def _walk(place: _Place, belief: Belief, narrowed: Narrowed) -> list[str]:
    """What the graph of a large store finds, and whether it is believed."""
    graph = partial(_GRAPH.format, arm=place.arm, dimensions=int(belief.model.dimensions))
    judged = partial(_JUDGED.format, arm=place.arm, before=NEAREST - 1)
    unless = _UNLESS_FEW if narrowed.described else ""
    walked = f"walked_{place.arm} AS MATERIALIZED ({{}})"
    plain = graph(most="candidates", unless="")
    if not narrowed.one:
        return [walked.format(plain), judged(enough="true", of="walked")]
    far = graph(most="walked", unless=unless)
    return [
        walked.format(_GRAPH_NARROWED.format(graph=far, by_key=narrowed.by_key)),
        f"asked_{place.arm} AS MATERIALIZED ({plain})",
        judged(enough=_ENOUGH.format(arm=place.arm), of="asked"),
    ]


def _lists(place: _Place, narrowed: Narrowed, *, by_meaning: bool = True) -> list[str]:
    """The queries that `_compared` and `_among` read."""
    kept = [place.listed("kept", narrowed)] if narrowed.kept else []
    if not narrowed.may_be_held:
        return kept
    names = ["kept"] if kept else []
    tried = _TRIED.format(arm=place.arm, exact=place.exact(*names), by_key=narrowed.by_key)
    maybe = place.listed("maybe", narrowed, more=narrowed.may_be_held)
    return [*kept, *([tried] if by_meaning else []), maybe]


def _compared(place: _Place, narrowed: Narrowed) -> list[str]:
    """The arms: the nearest of all that a filter leaves."""
    if narrowed.may_be_held:
        exact = place.exact("maybe")
        every = _ALL_HELD.format(arm=place.arm, exact=exact, by_key=narrowed.by_key)
        return [_HELD.format(arm=place.arm), every]
    return [_FIRST.format(exact=place.exact(*(["kept"] if narrowed.kept else [])))]


def _among(narrowed: Narrowed, *, by_meaning: bool) -> str:
    """A condition on what words have found, where all of it is in the common bucket."""
    is_among = partial(_IS_AMONG.format, arm=_COMMON)
    if not narrowed.may_be_held:
        return f"WHERE {is_among(passages='kept')}" if narrowed.kept else ""
    maybe = is_among(passages="maybe")
    if not by_meaning:
        return f"WHERE {maybe}"
    kept = f"{is_among(passages='kept')} AND " if narrowed.kept else ""
    return f"WHERE {kept}{_OR_ENOUGH.format(arm=_COMMON, is_among=maybe)}"
