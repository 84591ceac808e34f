"""What the tables of search cost, and what others make of the same vectors."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import numpy as np
from django.db import connection as django_connection
from pgvector import HalfVector, Vector

from bench.search_data import PEOPLE, Loader, Store, Vectors
from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, add_memory, ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.models import Organization
from tests.builders import Tenant, run_jobs

if TYPE_CHECKING:
    from bench.search import Bench

_TEXT = "Nadine repairs the snow blower behind the blue house, as she does every year. " * 4
_TABLES = ("ingestion_passage", "ingestion_passagevector", "ingestion_passagetoken")


def _tenant(bench: "Bench") -> Tenant:
    return Tenant(Organization.objects.get(id=bench.tenant), key="")


def peers(bench: "Bench", *, rows: int) -> None:
    """The same questions of the tables that one would otherwise make."""
    from bench.search import ask_exact, questions, recall, timed, truth  # noqa: PLC0415

    past = bench.server.superuser()
    _make_peers(bench, past, rows)
    print(
        f"\n| passages asked, of {rows:,} | table | p50 ms | p95 | p99 | CPU p50 | recall own |"
        " cross | × ours |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    app = bench.app()
    ways = {
        "vector beside text, one HNSW, as planned": (_COOKBOOK, "on"),
        "vector beside text, exact": (_COOKBOOK, "off"),
        "JSON filter, one HNSW, as planned": (_DOCUMENT, "on"),
    }
    for name in ("1k", "10k", "50k"):
        asked = questions(bench, name)
        wanted = truth(bench, name, asked)
        ours, (own, cross), _ = ask_exact(bench, app, name)
        print(f"| {PEOPLE[name]:,} | ours | {ours.line()} | {own:.2f} | {cross:.2f} | 1 |")
        for title, (sql, graph) in ways.items():
            plus = "" if graph == "on" else " + 0"
            statement = sql.format(plus=plus)
            calls = [
                lambda q=q, s=statement, n=name: past.execute(
                    s, {"q": Vector(q), "s": str(bench.store(n))}
                ).fetchall()
                for q in asked
            ]
            spent, found = timed(past, calls)
            own, cross = recall(found, wanted)
            print(
                f"| {PEOPLE[name]:,} | {title} | {spent.line()} | {own:.2f} | {cross:.2f} |"
                f" {spent.mid / ours.mid:.1f} |"
            )


_COOKBOOK = (
    "SELECT id, (embedding <=> %(q)s){plus} AS distance, content FROM peer_cookbook"
    " WHERE user_id = %(s)s ORDER BY distance LIMIT 10"
)
_DOCUMENT = (
    "SELECT id, (vector <=> %(q)s){plus} AS distance, payload FROM peer_document"
    " WHERE payload->>'user_id' = %(s)s ORDER BY distance LIMIT 10"
)


def _make_peers(bench: "Bench", past: Any, rows: int) -> None:
    if past.execute("SELECT to_regclass('peer_document')").fetchone()[0]:
        return
    chosen = (
        "FROM (SELECT * FROM ingestion_passagevector"
        " ORDER BY (tenant_id = %s AND store_id <> %s) DESC LIMIT %s) v ORDER BY random()"
    )
    past.execute("SET maintenance_work_mem = '1GB'")
    past.execute(
        "CREATE TABLE peer_cookbook (id uuid PRIMARY KEY, user_id text, content text,"
        " metadata jsonb, embedding vector(384))"
    )
    past.execute(
        "INSERT INTO peer_cookbook SELECT passage_id, store_id::text, %s,"
        f' \'{{"source": "chat"}}\', embedding::vector {chosen}',
        [_TEXT, bench.tenant, bench.store("large"), rows],
    )
    past.execute("CREATE INDEX ON peer_cookbook (user_id)")
    past.execute(
        "CREATE TABLE peer_document (id uuid PRIMARY KEY, vector vector(384), payload jsonb)"
    )
    past.execute(
        "INSERT INTO peer_document SELECT id, embedding,"
        " jsonb_build_object('user_id', user_id, 'data', content, 'hash', md5(id::text))"
        " FROM peer_cookbook"
    )
    for table, column in (("peer_cookbook", "embedding"), ("peer_document", "vector")):
        begin = time.monotonic()
        past.execute(f"CREATE INDEX ON {table} USING hnsw ({column} vector_cosine_ops)")
        print(f"  {table}: HNSW over {rows:,} rows in {time.monotonic() - begin:.0f} s", flush=True)
    past.execute("CHECKPOINT")
    past.execute("VACUUM ANALYZE peer_cookbook")
    past.execute("VACUUM ANALYZE peer_document")


def sizes(bench: "Bench") -> None:
    """Bytes of each table and index, over the number of passages."""
    past = bench.server.superuser()
    ((count,),) = past.execute("SELECT count(*) FROM ingestion_passage").fetchall()
    print(f"\n| table or index | bytes per passage, of {count:,} |\n| --- | --- |")
    found = past.execute(
        "SELECT coalesce(pg_partition_root(c.oid)::regclass::text, c.relname),"
        " sum(pg_relation_size(c.oid)) FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid"
        " WHERE c.relkind IN ('r', 'i') AND coalesce("
        "   pg_partition_root(coalesce(i.indrelid, c.oid))::regclass::text,"
        "   coalesce(i.indrelid, c.oid)::regclass::text) = ANY (%s) GROUP BY 1 ORDER BY 2 DESC",
        [list(_TABLES)],
    ).fetchall()
    for name, size in found:
        print(f"| {name} | {size / count:,.0f} |")
    print(f"| all | {sum(size for _, size in found) / count:,.0f} |")


def insert(bench: "Bench", *, passages: int = 5_000, batch: int = 500) -> None:
    """Passages, tokens and vectors as the run-time role, in transactions of some hundreds."""
    from bench.search import cpu_ms  # noqa: PLC0415

    store, loader = _new_store(bench, passages), Loader(bench.server, seed=23)
    app = bench.app()
    vectors = Vectors(9).some(passages, of=store.topics).astype(np.float16)
    spent, cpu, rows = 0.0, 0.0, 0
    columns = list(loader._needed_columns())
    names, places = ", ".join(f'"{c}"' for c in columns), ", ".join(["%s"] * len(columns))
    for at in range(0, passages, batch):
        made = [(store, uuid4(), vector) for vector in vectors[at : at + batch]]
        tokens = sorted(
            (row for one, id_, _ in made for row in loader._tokens(one, id_)),
            key=lambda row: row[2],
        )
        before, begin = cpu_ms(app), time.perf_counter()
        with app.transaction(), app.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [bench.tenant])
            cursor.executemany(
                f"INSERT INTO ingestion_passage ({names}) VALUES ({places})",
                list(loader._passages(made)),
            )
            cursor.executemany(
                "INSERT INTO ingestion_passagevector VALUES (%s, %s, %s, %s, %s, %s)".replace(
                    "ingestion_passagevector",
                    "ingestion_passagevector"
                    " (tenant_id, store_id, model, passage_id, bucket, embedding)",
                ),
                [(store.tenant_id, store.id, 1, id_, 0, HalfVector(v)) for _, id_, v in made],
            )
            cursor.execute(
                "INSERT INTO ingestion_passagetoken"
                " (tenant_id, store_id, token, passage_id, frequency, terms) SELECT %s, %s, *"
                " FROM unnest(%s::bigint[], %s::uuid[], %s::int[], %s::int[])",
                [store.tenant_id, store.id, *map(list, zip(*[r[2:] for r in tokens], strict=True))],
            )
        spent += time.perf_counter() - begin
        cpu += cpu_ms(app) - before
        rows += 2 * len(made) + len(tokens)
    print("\n| bulk insert, one client | |\n| --- | --- |")
    print(f"| passages/s (wall) | {passages / spent:,.0f} |")
    print(f"| rows of the three tables/s (wall) | {rows / spent:,.0f} |")
    print(f"| passages per second of the server's processor | {passages / cpu * 1e3:,.0f} |")
    print(f"| rows per second of the server's processor | {rows / cpu * 1e3:,.0f} |")


def erase(bench: "Bench", *, passages: int = 10_000) -> None:
    """Everything of a person with 10,000 passages, by the erasure job."""
    name = f"erased-{uuid4().hex[:8]}"
    store = _new_store(bench, passages, person=name)
    Loader(bench.server, seed=29).load([store])
    tenant = _tenant(bench)
    with tenant_scope(tenant.id):
        person = ensure_person(external_id=name)
        request_erasure(target="person", target_id=person.id)
    with _sql_time() as spent:
        (job,) = [job for job in run_jobs(tenant, Kind.ERASE) if job.kind == Kind.ERASE.value]
    print(f"\n| erasing a person of {passages:,} passages | seconds |\n| --- | --- |")
    print(f"| in all statements | {spent['wall']:.2f} |")
    print(f"| of the server's processor | {spent['cpu']:.2f} |")
    print(f"| state of the job | {job.state} |")


def promote(bench: "Bench") -> None:
    """Move the shared store to a graph of its own; the same questions before and after."""
    from bench.search import LIMIT, questions, recall, timed, truth  # noqa: PLC0415

    tenant, store_id = _tenant(bench), bench.store("large")
    asked = questions(bench, "large")
    wanted = truth(bench, "large", asked)
    app = bench.app()
    row = app.execute(
        "SELECT bucket FROM ingestion_largestore WHERE tenant_id = %s AND store_id = %s",
        [bench.tenant, store_id],
    ).fetchone()
    seconds = 0.0
    if row is None:
        with tenant_scope(tenant.id):
            accept_job(Kind.PROMOTE_STORE, subject_id=store_id, person_id=None, unit="passages")
        begin = time.monotonic()
        run_jobs(tenant, Kind.PROMOTE_STORE)
        seconds = time.monotonic() - begin
        row = app.execute(
            "SELECT bucket FROM ingestion_largestore WHERE tenant_id = %s AND store_id = %s",
            [bench.tenant, store_id],
        ).fetchone()
    assert row is not None  # noqa: S101
    head = "SELECT passage_id, {0} AS distance FROM ingestion_passagevector WHERE tenant_id = %(t)s"
    rest = " AND store_id = %(s)s AND model = 1 AND bucket = %(b)s ORDER BY {0} LIMIT " + str(LIMIT)
    graph, exact = (
        (head + rest).format(distance)
        for distance in (
            "embedding::halfvec(384) <#> %(q)s::halfvec(384)",
            "(embedding <#> %(q)s::halfvec) + 0",
        )
    )
    count = len(bench.kept("large")[0])
    print(f"\n| a shared store of {count:,} | p50 ms | p95 | p99 | CPU p50 | recall own | cross |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for title, sql in (("exact scan", exact), ("graph", graph)):
        parameters = {"t": bench.tenant, "s": store_id, "b": row[0]}
        calls = [
            lambda q=q, s=sql, p=parameters: app.execute(s, p | {"q": HalfVector(q)}).fetchall()
            for q in asked
        ]
        spent, found = timed(app, calls)
        own, cross = recall(found, wanted)
        print(f"| {title} | {spent.line()} | {own:.3f} | {cross:.3f} |")
    if seconds:
        print(f"\nPromotion of {count:,} vectors: {seconds:.0f} s, all of it in the background.")
        print(json.dumps({"promotion_seconds": round(seconds)}))


def vacuum(bench: "Bench") -> None:
    """Delete one row in a hundred of the largest partitions, and vacuum them."""
    past = bench.server.superuser()
    print("\n| vacuum after 1 % was deleted | rows | seconds |\n| --- | --- | --- |")
    found = past.execute(
        "SELECT DISTINCT ON (kind) relname, reltuples::bigint FROM ("
        " SELECT c.relname, c.reltuples, CASE WHEN c.relname ~ '_b[0-9]+$' THEN 'graph'"
        "   ELSE pg_partition_root(c.oid)::regclass::text END AS kind FROM pg_class c"
        "  WHERE c.relkind = 'r' AND c.relispartition AND pg_partition_root(c.oid)::regclass::text"
        "   IN ('ingestion_passagevector', 'ingestion_passagetoken')) parts"
        " ORDER BY kind, reltuples DESC"
    ).fetchall()
    for name, rows in found:
        past.execute(f"DELETE FROM {name} WHERE ctid IN (SELECT ctid FROM {name}"
                     " TABLESAMPLE BERNOULLI (1))")  # fmt: skip
        past.execute("CHECKPOINT")
        begin = time.monotonic()
        past.execute(f"VACUUM {name}")
        print(f"| {name} | {rows:,} | {time.monotonic() - begin:.1f} |")


def _new_store(bench: "Bench", passages: int, *, person: str = "") -> Store:
    with tenant_scope(UUID(bench.tenant)):
        row = personal_store(person=ensure_person(external_id=person or f"p-{uuid4().hex[:8]}"))
        memory = add_memory(store=row, statement=Statement(text="What all say."))
    topics = Vectors(31).topics(200)
    return Store(UUID(bench.tenant), row.id, passages, topics, memory.id)


@contextmanager
def _sql_time() -> Iterator[dict[str, float]]:
    """Seconds in statements over Django's connection, and of its server process."""
    spent = {"wall": 0.0, "cpu": 0.0}

    def measured(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        begin = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent["wall"] += time.perf_counter() - begin

    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        path = f"/proc/{cursor.fetchone()[0]}/schedstat"
    before = int(open(path).read().split()[0])  # noqa: PTH123, SIM115
    with django_connection.execute_wrapper(measured):
        yield spent
    spent["cpu"] = (int(open(path).read().split()[0]) - before) / 1e9  # noqa: PTH123, SIM115
