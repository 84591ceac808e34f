"""A large store: moved to a graph of its own, asked at several widths, and through filters."""

import json
import time
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone
from pgvector import HalfVector

from bench.search_asking import CANDIDATES, LIMIT, Bench, Timed, questions, recall, timed, truth
from bench.search_costs import tenant_of
from bench.search_data import MODEL, Vectors
from souvenir.core.jobs import Job as Kind
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.ingestion.models import LargeStore
from souvenir.search.beliefs import Belief, Model
from souvenir.search.narrowing import narrowed_by
from souvenir.search.nearest import nearest
from souvenir.search.questions import Filters
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tests.builders import run_jobs

_SHARES = {"half": 2, "twentieth": 20, "thousandth": 1_000, "ten": 50_000}
_HEAD = "SELECT passage_id, {0} AS distance FROM ingestion_passagevector WHERE tenant_id = %(t)s"
_REST = f" AND store_id = %(s)s AND model = {MODEL} AND bucket = %(b)s ORDER BY {{0}} LIMIT {LIMIT}"
_BY_GRAPH = "embedding::halfvec(384) <#> %(q)s::halfvec(384)"
_BY_ALL = "(embedding <#> %(q)s::halfvec) + 0"


def _arm(bench: Bench, bucket: int, only: Filters) -> tuple[str, dict[str, Any]]:
    """What search asks about the large store's vectors, and of that the first."""
    store = bench.store("large")
    model = Model(MODEL, BilingualEmbedder.model_id, BilingualEmbedder.dimensions)
    narrowed = narrowed_by(only)
    near = nearest(
        [store],
        Belief(model, {store: bucket}),
        narrowed=narrowed,
        by_meaning=True,
        candidates=CANDIDATES,
    )
    before = ", ".join(near.before)
    sql = f"WITH {before} SELECT passage_id FROM ({near.sql}) n ORDER BY distance + 0 LIMIT {LIMIT}"
    given = {"tenant": bench.tenant, "stores": [store]}
    return sql, given | near.parameters | narrowed.parameters


def promote(bench: Bench) -> None:
    """Move the shared store to a graph of its own, if it has none; the same questions of both.

    By exact scan and by the graph alone, at several widths; and as search asks, which believes the
    graph as far as was measured.
    """
    app = bench.app()
    bucket = _promoted(bench)
    asked = questions(bench, "large")
    wanted = truth(bench, "large", asked)
    (width,) = app.execute("SHOW hnsw.ef_search").fetchone()  # type: ignore[misc] # it has one
    count, floor = _in_memory(bench, asked)
    print(
        f"\n| a shared store of {count:,} | p50 ms | p95 | p99 | CPU p50 | CPU own | CPU cross |"
        " recall own | cross |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    near, far = floor.halves(len(asked))
    print(f"| numpy, in memory | {floor.line()} | {near:.1f} | {far:.1f} | 1 | 1 |")
    plain = {"t": bench.tenant, "s": bench.store("large"), "b": bucket}
    graph, exact = ((_HEAD + _REST).format(distance) for distance in (_BY_GRAPH, _BY_ALL))
    ways = [("exact scan", exact, plain, width)]
    ways += [
        (f"graph alone, `hnsw.ef_search` {n}", graph, plain, n) for n in ("100", "400", "1000")
    ]
    ways += [("as search asks", *_arm(bench, bucket, Filters()), width)]
    for title, sql, parameters, ef_search in ways:
        app.execute(f"SET hnsw.ef_search = {ef_search}")
        calls = [
            lambda q=q, s=sql, p=parameters: app.execute(
                s, p | {"q": HalfVector(q), "vector": HalfVector(q).to_text()}
            ).fetchall()
            for q in asked
        ]
        spent, found = timed(app, calls)
        own, cross = recall(found, wanted)
        near, far = spent.halves(len(asked))
        print(f"| {title} | {spent.line()} | {near:.1f} | {far:.1f} | {own:.3f} | {cross:.3f} |")
    bench.hold(f"recall, own, a store of {count:,}", "≥", 0.99, own)
    bench.hold(f"recall, cross, a store of {count:,}", "≥", 0.99, cross)
    bench.hold(f"× numpy, {count:,}, own", "≤", 8, near / floor.mid)
    bench.hold(f"× numpy, {count:,}, cross", "≤", 8, far / floor.mid)
    for what in ("promotion", "measuring"):
        if seconds := bench.manifest.get(f"{what}_seconds"):
            print(f"\nThe {what} took {seconds} s, all of it in the background.")


def _in_memory(bench: Bench, asked: list[np.ndarray]) -> tuple[int, Timed]:
    """How many vectors there are, and the time of numpy over them."""
    _, stored = bench.kept("large")
    calls = [lambda q=q: np.argpartition(-(stored @ q), LIMIT - 1)[:LIMIT] for q in asked]
    return len(stored), timed(None, calls)[0]


def _promoted(bench: Bench) -> int:
    """The bucket of the large store, which is moved and measured if it was not."""
    tenant, store = tenant_of(bench), bench.store("large")
    with tenant_scope(tenant.id):
        found = LargeStore.objects.filter(store_id=store, trusted_at__isnull=False)
        done = found.exists()
        what = "measuring" if LargeStore.objects.filter(store_id=store).exists() else "promotion"
        if not done:
            accept_job(Kind.PROMOTE_STORE, subject_id=store, person_id=None, unit="passages")
    if not done:
        begin = time.monotonic()
        print(f"  {what}, from {timezone.now():%H:%M:%S}", flush=True)
        run_jobs(tenant, Kind.PROMOTE_STORE)
        bench.manifest[f"{what}_seconds"] = round(time.monotonic() - begin)
        (bench.folder / "manifest.json").write_text(json.dumps(bench.manifest))
    with tenant_scope(tenant.id):
        large = LargeStore.objects.get(store_id=store)
    distance, gap = large.trusted_distance, large.trusted_gap
    print(f"\nThe graph is believed up to a distance of {distance}, or from a gap of {gap}.")
    return large.bucket


def narrowed(bench: Bench) -> None:
    """The large store through a filter: by its graph, or by comparing what the filter leaves."""
    app = bench.app()
    bucket = bench.bucket(app, "large")
    if bucket is None:
        return
    ids, stored = bench.kept("large")
    places = _mark(bench, ids)
    print(
        "\n| the filter leaves | p50 ms | p95 | p99 | CPU p50 | CPU own | CPU cross |"
        " recall own | cross | rows |\n" + "| --- " * 10 + "|"
    )
    for name, at in places.items():
        vectors = Vectors(78)
        own = vectors.near(stored[at[:: max(1, len(at) // 6)][:6]].copy())
        asked = [*own, *vectors.some(len(own), of=vectors.topics(400))]
        calls, wanted = [], []
        sql, parameters = _arm(bench, bucket, Filters(providers=[name]))
        for q in asked:
            one = parameters | {"vector": HalfVector(q).to_text()}
            calls.append(lambda s=sql, p=one: app.execute(s, p).fetchall())
            scores = stored[at] @ q.astype(np.float16).astype(np.float32)
            wanted.append({ids[at[place]] for place in np.argsort(-scores)[:LIMIT]})
        spent, found = timed(app, calls)
        own_, cross = recall(found, wanted)
        rows = min(map(len, found))
        near, far = spent.halves(len(asked))
        print(
            f"| {len(at):,} | {spent.line()} | {near:.1f} | {far:.1f} | {own_:.3f} | {cross:.3f} |"
            f" {rows} |"
        )
        bench.hold(f"recall, where a filter leaves {len(at):,}", "≥", 0.99, min(own_, cross))


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
