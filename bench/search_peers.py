"""The tables that one would otherwise make of the same passages, asked the same questions.

One is the table that guides to pgvector show: vector beside text, one HNSW, `WHERE user_id =`. The
other is what mem0 OSS makes: vector and a JSON document, one HNSW, the owner inside the document.
Both are built by us, from what their documents say. Rows lie as they came, as in ours; all of the
memory that a build takes is given to it.
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector import Vector

from bench.search_asking import Bench, Timed, ask_exact, questions, recall, timed, truth
from bench.search_data import MODEL, PEOPLE

_COOKBOOK = (
    "SELECT id, (embedding <=> %(q)s){plus} AS distance, content FROM peer_cookbook"
    " WHERE user_id = %(s)s ORDER BY distance LIMIT 10"
)
_DOCUMENT = (
    "SELECT id, vector <=> %(q)s AS distance, payload FROM peer_document"
    " WHERE payload->>'user_id' = %(s)s ORDER BY distance LIMIT 10"
)
_READ = (
    "SELECT count(*) FROM ingestion_passagevector v WHERE v.tenant_id = %(t)s"
    f" AND v.store_id = ANY (%(s)s) AND v.model = {MODEL} AND v.bucket = 0"
)
# Of the strangers as many as are needed, chosen by the last byte of their ids.
_CHOSEN = f"""
    FROM ingestion_passagevector WHERE model = {MODEL}
     AND (tenant_id = %(tenant)s OR get_byte(uuid_send(passage_id), 15) < %(share)s * 256)
    ORDER BY passage_id
"""
# About 330 characters in 50 words.
_WORDS = """
    SELECT string_agg(substr(sum, 1, 5) || ' ' || substr(sum, 6, 7) || ' ' || substr(sum, 14, 4)
                      || ' ' || substr(sum, 18, 6) || ' ' || substr(sum, 25, 8), ' ')
    FROM (SELECT md5(passage_id::text || n) AS sum FROM generate_series(1, 10) n) sums
"""
_MEMORY = "4GB"
_MANY = 50_000  # passages: half as many questions, a second each
# How an iterative scan is widened until it finds what an exact one does.
_SETTINGS = (
    "enable_sort", "hnsw.iterative_scan", "hnsw.ef_search", "hnsw.max_scan_tuples",
    "hnsw.scan_mem_multiplier",
)  # fmt: skip
_WIDTHS = ((40, 20_000), (100, 50_000), (200, 200_000), (400, 1_000_000))


@dataclass(frozen=True)
class Way:
    """One way to ask a peer's table."""

    title: str
    sql: str
    settings: tuple[tuple[str, str], ...] = ()


AS_PLANNED = Way("vector beside text, one HNSW, as planned", _COOKBOOK.format(plus=""))
EXACT = Way("vector beside text, exact", _COOKBOOK.format(plus=" + 0"))
NARROW = Way(
    "the same, without the column for words: vectors stay in the row, exact",
    _COOKBOOK.format(plus=" + 0").replace("peer_cookbook", "peer_narrow"),
)
DOCUMENT = Way("JSON filter, one HNSW, as planned", _DOCUMENT)


def iterative(order: str, ef_search: int, tuples: int) -> Way:
    """The cookbook's graph, walked on until enough rows pass the filter."""
    settings = (
        ("hnsw.iterative_scan", order),
        ("hnsw.ef_search", str(ef_search)),
        ("hnsw.max_scan_tuples", str(tuples)),
        ("hnsw.scan_mem_multiplier", "64"),
    )
    title = f"vector beside text, {order}, ef_search {ef_search}, at most {tuples:,} walked"
    return Way(title, AS_PLANNED.sql, settings)


@dataclass(frozen=True)
class Scope:
    """Whose passages are asked for, and what of them is true."""

    name: str
    store: str
    asked: list[np.ndarray]
    wanted: list[set[UUID]]
    ours: Timed

    def ask(self, past: psycopg.Connection[Any], way: Way) -> tuple[float, float]:
        """Ask a peer, past row-level security, which it has not; print, and give recall and CPU."""
        for setting in _SETTINGS:
            past.execute(f"RESET {setting}")
        if way.settings:  # the graph must be taken, whatever the planner thinks
            past.execute("SET enable_sort = off")
        for setting, value in way.settings:
            past.execute(f"SET {setting} = {value}")
        calls = [
            lambda q=q: past.execute(way.sql, {"q": Vector(q), "s": self.store}).fetchall()
            for q in self.asked
        ]
        spent, found = timed(past, calls)
        own, cross = recall(found, self.wanted)
        ratio = spent.mid / self.ours.mid
        self.tell(way.title, f"{spent.line()} | {own:.2f} | {cross:.2f} | {ratio:.1f}")
        return min(own, cross), spent.mid

    def tell(self, title: str, figures: str) -> None:
        """One line of the table."""
        print(f"| {PEOPLE[self.name]:,} | {title} | {figures} |")


def peers(bench: Bench, *, rows: int) -> None:
    """The same questions of the tables that one would otherwise make."""
    make_peers(bench, rows=rows)
    print(
        "\n| passages asked | table | p50 ms | p95 | p99 | CPU p50 | recall own |"
        " cross | × ours |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    app, past = bench.app(), bench.server.superuser()
    for name in ("1k", "5k", "10k", "50k"):
        asked = questions(bench, name)[:: 1 if PEOPLE[name] < _MANY else 2]
        wanted = truth(bench, name, asked)
        ours, (own, cross), _ = ask_exact(bench, app, name)
        scope = Scope(name, str(bench.store(name)), asked, wanted, ours)
        scope.tell("ours", f"{ours.line()} | {own:.2f} | {cross:.2f} | 1")
        read = _read_alone(bench, app, scope)
        for way in (AS_PLANNED, DOCUMENT, NARROW):
            scope.ask(past, way)
        complete, least = scope.ask(past, EXACT)
        limit = least
        for order in ("strict_order", "relaxed_order"):
            for ef_search, tuples in _WIDTHS:
                found, spent = scope.ask(past, iterative(order, ef_search, tuples))
                if found >= complete:
                    least = min(least, spent)
                if found >= complete or spent > limit:  # as complete; or no quicker than exact
                    break
        bench.hold(f"the cookbook at equal recall, {PEOPLE[name]:,}", "≥", 8, least / ours.mid)
        bench.hold(f"… against reading our rows alone, {PEOPLE[name]:,}", "≥", 8, least / read)


def _read_alone(bench: Bench, app: psycopg.Connection[Any], scope: Scope) -> float:
    """The control: our index read, entry by entry, and nothing compared. No exact scan is under it.

    CPU p50 in ms.
    """
    asked = {"t": bench.tenant, "s": [bench.store(scope.name)]}
    calls = [lambda: app.execute(_READ, asked).fetchall()] * len(scope.asked)
    spent, _ = timed(app, calls)
    ratio = spent.mid / scope.ours.mid
    scope.tell("control: ours, read and not compared", f"{spent.line()} | | | {ratio:.1f}")
    return spent.mid


def make_peers(bench: Bench, *, rows: int) -> None:
    """Both tables, if they are not there; all of ours is in them, and strangers up to `rows`."""
    past = bench.server.superuser()
    if past.execute("SELECT to_regclass('peer_document_hnsw')").fetchone() != (None,):
        return
    all_, mine = past.execute(
        "SELECT count(*), count(*) FILTER (WHERE tenant_id = %s) FROM ingestion_passage",
        [bench.tenant],
    ).fetchone()  # type: ignore[misc] # an aggregate has a row
    share = min(1.0, (rows - mine) / max(1, all_ - mine))
    past.execute(f"SET maintenance_work_mem = '{_MEMORY}'")
    past.execute("SET max_parallel_maintenance_workers = 2")
    past.execute("SET work_mem = '1GB'")
    past.execute("DROP TABLE IF EXISTS peer_cookbook, peer_document, peer_narrow")
    past.execute(
        "CREATE TABLE peer_narrow (id uuid PRIMARY KEY, user_id text, content text,"
        " metadata jsonb, embedding vector(384))"
    )
    past.execute(
        f"INSERT INTO peer_narrow SELECT passage_id, store_id::text, ({_WORDS}),"
        f' \'{{"source": "chat"}}\', embedding::vector {_CHOSEN}',
        {"tenant": bench.tenant, "share": share},
    )
    past.execute("CREATE INDEX ON peer_narrow (user_id)")
    past.execute(
        "CREATE TABLE peer_cookbook (LIKE peer_narrow INCLUDING INDEXES, search tsvector"
        " GENERATED ALWAYS AS (to_tsvector('simple', content)) STORED)"
    )
    past.execute("INSERT INTO peer_cookbook SELECT * FROM peer_narrow ORDER BY id")
    past.execute("CREATE INDEX ON peer_cookbook USING gin (search)")
    past.execute(
        "CREATE TABLE peer_document (id uuid PRIMARY KEY, vector vector(384), payload jsonb)"
    )
    past.execute(
        "INSERT INTO peer_document SELECT id, embedding,"
        " jsonb_build_object('user_id', user_id, 'data', content, 'hash', md5(id::text))"
        " FROM peer_narrow ORDER BY id"
    )
    for table in ("peer_narrow", "peer_cookbook", "peer_document"):
        past.execute(f"VACUUM ANALYZE {table}")
    for table, column in (("peer_cookbook", "embedding"), ("peer_document", "vector")):
        begin = time.monotonic()
        past.execute(
            f"CREATE INDEX {table}_hnsw ON {table} USING hnsw ({column} vector_cosine_ops)"
            " WITH (m = 16, ef_construction = 64)"
        )
        print(f"  {table}: HNSW in {time.monotonic() - begin:.0f} s", flush=True)
