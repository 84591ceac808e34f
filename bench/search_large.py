"""A large store: moved to a graph of its own, asked at several widths, and through filters."""

import json
import time
from uuid import UUID

import numpy as np
from pgvector import HalfVector

from bench.search_asking import CANDIDATES, LIMIT, Bench, questions, recall, timed, truth
from bench.search_costs import tenant_of
from bench.search_data import MODEL, Vectors
from souvenir.core.jobs import Job as Kind
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.search.beliefs import Belief, Model
from souvenir.search.candidates import _NARROW
from souvenir.search.nearest import Narrowed, nearest
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tests.builders import run_jobs

_SHARES = {"half": 2, "twentieth": 20, "thousandth": 1_000, "ten": 50_000}
_HEAD = "SELECT passage_id, {0} AS distance FROM ingestion_passagevector WHERE tenant_id = %(t)s"
_REST = f" AND store_id = %(s)s AND model = {MODEL} AND bucket = %(b)s ORDER BY {{0}} LIMIT {LIMIT}"


def promote(bench: Bench) -> None:
    """Move the shared store to a graph of its own, if it has none; the same questions of both."""
    app = bench.app()
    if bench.bucket(app, "large") is None:
        _promote(bench)
    asked = questions(bench, "large")
    wanted = truth(bench, "large", asked)
    graph, exact = (
        (_HEAD + _REST).format(distance)
        for distance in (
            "embedding::halfvec(384) <#> %(q)s::halfvec(384)",
            "(embedding <#> %(q)s::halfvec) + 0",
        )
    )
    (width,) = app.execute("SHOW hnsw.ef_search").fetchone()  # type: ignore[misc] # it has one
    count = len(bench.kept("large")[0])
    print(f"\n| a shared store of {count:,} | p50 ms | p95 | p99 | CPU p50 | recall own | cross |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ways = [("exact scan", exact, width)]
    ways += [(f"graph, `hnsw.ef_search` {n}", graph, n) for n in ("100", "400", "700", "1000")]
    parameters = {"t": bench.tenant, "s": bench.store("large"), "b": bench.bucket(app, "large")}
    for title, sql, ef_search in ways:
        app.execute(f"SET hnsw.ef_search = {ef_search}")
        calls = [
            lambda q=q, s=sql: app.execute(s, parameters | {"q": HalfVector(q)}).fetchall()
            for q in asked
        ]
        spent, found = timed(app, calls)
        own, cross = recall(found, wanted)
        mark = " (as set)" if sql == graph and ef_search == width else ""
        print(f"| {title}{mark} | {spent.line()} | {own:.3f} | {cross:.3f} |")
    if seconds := bench.manifest.get("promotion_seconds"):
        print(f"\nPromotion of {count:,} vectors took {seconds} s, all of it in the background.")


def _promote(bench: Bench) -> None:
    tenant = tenant_of(bench)
    with tenant_scope(tenant.id):
        accept_job(
            Kind.PROMOTE_STORE, subject_id=bench.store("large"), person_id=None, unit="passages"
        )
    begin = time.monotonic()
    run_jobs(tenant, Kind.PROMOTE_STORE)
    bench.manifest["promotion_seconds"] = round(time.monotonic() - begin)
    (bench.folder / "manifest.json").write_text(json.dumps(bench.manifest))


def narrowed(bench: Bench) -> None:
    """The large store through a filter: by its graph, or by comparing what the filter leaves."""
    store, app = bench.store("large"), bench.app()
    bucket = bench.bucket(app, "large")
    if bucket is None:
        return
    ids, stored = bench.kept("large")
    places = _mark(bench, ids)
    belief = Belief(
        Model(MODEL, BilingualEmbedder.model_id, BilingualEmbedder.dimensions), {store: bucket}
    )
    print("\n| the filter leaves | p50 ms | p95 | p99 | CPU p50 | recall own | cross | rows |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    condition = " AND p.provider = ANY (%(providers)s)"
    narrowed = Narrowed(_NARROW.format(condition=condition), condition)
    arm, parameters = nearest([store], belief, narrowed=narrowed, by_meaning=True)
    sql = f"SELECT passage_id FROM ({arm}) n ORDER BY distance + 0 LIMIT {LIMIT}"
    parameters |= {"tenant": bench.tenant, "stores": [store], "candidates": CANDIDATES}
    for name, at in places.items():
        vectors = Vectors(78)
        own = vectors.near(stored[at[:: max(1, len(at) // 6)][:6]].copy())
        asked = [*own, *vectors.some(len(own), of=vectors.topics(400))]
        calls, wanted = [], []
        for q in asked:
            one = parameters | {"vector": HalfVector(q).to_text(), "providers": [name]}
            calls.append(lambda p=one: app.execute(sql, p).fetchall())
            scores = stored[at] @ q.astype(np.float16).astype(np.float32)
            wanted.append({ids[at[place]] for place in np.argsort(-scores)[:LIMIT]})
        spent, found = timed(app, calls)
        own_, cross = recall(found, wanted)
        rows = min(map(len, found))
        print(f"| {len(at):,} | {spent.line()} | {own_:.3f} | {cross:.3f} | {rows} |")


def _mark(bench: Bench, ids: list[UUID]) -> dict[str, np.ndarray]:
    """Let a part of the large store's passages come from a provider of its own; once."""
    order = np.random.default_rng(3).permutation(len(ids))
    places, at = {}, 0
    past = bench.server.superuser()
    for name, one_in in _SHARES.items():
        count = max(1, len(ids) // one_in)
        places[name] = np.sort(order[at : at + count])
        at += count
        first = ids[places[name][0]]
        (marked,) = past.execute(
            "SELECT provider FROM ingestion_passage WHERE tenant_id = %s AND id = %s",
            [bench.tenant, first],
        ).fetchone()  # type: ignore[misc] # it is there
        if marked != name:
            past.execute(
                "UPDATE ingestion_passage SET provider = %s WHERE tenant_id = %s AND id = ANY (%s)",
                [name, bench.tenant, [ids[place] for place in places[name]]],
            )
    past.execute("VACUUM (ANALYZE) ingestion_passage")
    return places
