"""What the tables of search cost: bytes, inserting, erasing, vacuum."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from django.db import connection as django_connection
from django.db import connections
from pgvector import HalfVector

from bench.search_asking import Bench, cpu_ms
from bench.search_data import MODEL, ONCE, TOKENS_MEAN, Loader, Rows, Store, Vectors
from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.models import Passage
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, add_memory, ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.models import Organization
from tests.builders import Tenant, run_jobs

_TABLES = ("ingestion_passage", "ingestion_passagevector", "ingestion_passagetoken")
_BATCH = 500
_TOLD = 6  # of the kinds of statements of an erasure
_KIND = re.compile(r'(DELETE FROM|INSERT INTO|UPDATE|SELECT\b.*?\bFROM) "?(\w+)', re.DOTALL)


def tenant_of(bench: Bench) -> Tenant:
    return Tenant(Organization.objects.get(id=bench.tenant), key="")


def sizes(bench: Bench) -> None:
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


def insert(bench: Bench, *, passages: int = 10_000) -> None:
    """Passages, tokens and vectors with the statements of the product, as the run-time role."""
    store, loader = _new_store(bench, passages), Loader(bench.server, seed=23)
    spent, cpu, rows = 0.0, 0.0, 0
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    for at in range(0, passages, _BATCH):
        made = loader.make([store], np.zeros(min(_BATCH, passages - at), int))
        drafts, tokens, vectors = _as_written(store, made)
        before, begin = _cpu_seconds(pid), time.perf_counter()
        with tenant_scope(store.tenant_id), django_connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ingestion_passagetoken"
                " (tenant_id, store_id, token, passage_id, frequency, terms) SELECT %s, * FROM"
                " unnest(%s::uuid[], %s::bigint[], %s::uuid[], %s::int[], %s::int[])",
                [store.tenant_id, *tokens],
            )
            Passage.objects.bulk_create(drafts, batch_size=_BATCH)
            cursor.executemany(
                "INSERT INTO ingestion_passagevector"
                " (tenant_id, store_id, model, passage_id, bucket, embedding)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                vectors,
            )
        spent += time.perf_counter() - begin
        cpu += _cpu_seconds(pid) - before
        rows += 2 * len(drafts) + len(tokens[0])
    print("\n| bulk insert, one client | |\n| --- | --- |")
    print(f"| passages/s (wall) | {passages / spent:,.0f} |")
    print(f"| rows of the three tables/s (wall) | {rows / spent:,.0f} |")
    print(f"| passages per second of the server's processor | {passages / cpu:,.0f} |")
    print(f"| rows per second of the server's processor | {rows / cpu:,.0f} |")
    bench.hold("rows of the full schema inserted in a second", "≥", 15_000, rows / spent)


def _as_written(store: Store, made: Rows) -> tuple[list[Passage], list[list[Any]], list[Any]]:
    """Passages, columns of tokens and rows of vectors, as the product has them in hand."""
    ids = [UUID(bytes=row.tobytes()) for row in made.ids]
    drafts = [
        Passage(
            tenant_id=store.tenant_id,
            id=id_,
            store_id=store.id,
            memory_id=store.memory_id,
            start=0,
            end=1,
            terms=TOKENS_MEAN,
            embedded_with="x",
        )
        for id_ in ids
    ]
    passages, tokens = made.words[:, 0].tolist(), made.words[:, 1].tolist()
    count = len(tokens)
    columns = [[store.id] * count, tokens, [ids[place] for place in passages],
               [ONCE] * count, [TOKENS_MEAN] * count]  # fmt: skip
    vectors = [
        (store.tenant_id, store.id, MODEL, id_, 0, HalfVector(vector).to_text())
        for id_, vector in zip(ids, made.vectors, strict=True)
    ]
    return drafts, columns, vectors


def erase(bench: Bench, *, passages: int = 10_000) -> None:
    """Everything of a person with 10,000 passages, by the erasure job."""
    name = f"erased-{uuid4().hex[:8]}"
    store = _new_store(bench, passages, person=name)
    Loader(bench.server, seed=29).load([store])
    tenant = tenant_of(bench)
    with tenant_scope(tenant.id):
        person = ensure_person(external_id=name)
        request_erasure(target="person", target_id=person.id)
    with _sql_time() as spent:
        (job,) = [job for job in run_jobs(tenant, Kind.ERASE) if job.kind == Kind.ERASE.value]
    print(f"\n| erasing a person of {passages:,} passages | how many | wall, s | of the server |")
    print("| --- | --- | --- | --- |")
    kinds = sorted(spent.by_kind.items(), key=lambda one: -one[1].cpu)
    for kind, one in kinds[:_TOLD]:
        print(f"| {kind} | {one.count} | {one.wall:.3f} | {one.cpu:.3f} |")
    every = sum(spent.by_kind.values(), start=Spent())
    print(f"| all statements | {every.count} | {every.wall:.3f} | {every.cpu:.3f} |")
    print(f"| with the ends of transactions | | | {spent.server:.3f} |")
    print(f"| state of the job | {job.state} | | |")
    bench.hold(f"s of database time, a person of {passages:,} erased", "≤", 0.25, spent.server)


def vacuum(bench: Bench) -> None:
    """Delete one row in a hundred of strangers' largest partitions, and vacuum them."""
    past = bench.server.superuser()
    print("\n| vacuum after 1 % was deleted | rows | seconds |\n| --- | --- | --- |")
    found = past.execute(
        "SELECT DISTINCT ON (root) c.relname, c.reltuples::bigint,"
        "       pg_partition_root(c.oid)::regclass::text AS root FROM pg_class c"
        " WHERE c.relkind = 'r' AND c.relispartition AND c.relname !~ '_b[0-9]+$'"
        "   AND pg_partition_root(c.oid)::regclass::text"
        "       IN ('ingestion_passagevector', 'ingestion_passagetoken')"
        "   AND NOT satisfies_hash_partition(pg_partition_root(c.oid), 16,"
        "       substring(c.relname from '_([0-9]{2})(_common)?$')::int, %s::uuid)"
        " ORDER BY root, c.reltuples DESC",
        [bench.tenant],
    ).fetchall()
    for name, rows, _ in found:
        past.execute(
            f"DELETE FROM {name} WHERE ctid IN (SELECT ctid FROM {name} TABLESAMPLE BERNOULLI (1))"
        )
        print(f"| {name} | {rows:,} | {_vacuumed(past, name):.1f} |")


def vacuum_graph(bench: Bench) -> None:
    """The same of the large store, whose vectors are put back afterwards."""
    past = bench.server.superuser()
    print("\n| vacuum after 1 % was deleted | rows | seconds |\n| --- | --- | --- |")
    bucket = bench.bucket(bench.app(), "large")
    if bucket is None:
        return
    (name,) = past.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ %s", [f"_b{bucket}$"]
    ).fetchone()  # type: ignore[misc] # it has moved there
    gone = past.execute(
        f"DELETE FROM {name} WHERE ctid IN (SELECT ctid FROM {name} TABLESAMPLE BERNOULLI (1))"
        " RETURNING tenant_id, store_id, model, passage_id, bucket, embedding"
    ).fetchall()
    count = len(bench.kept("large")[0])
    print(f"| {name}, with its graph | {count:,} | {_vacuumed(past, name):.1f} |")
    before = cpu_ms(past)
    with past.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ingestion_passagevector VALUES (%s, %s, %s, %s, %s, %s)".replace(
                " VALUES", " (tenant_id, store_id, model, passage_id, bucket, embedding) VALUES"
            ),
            gone,
        )
    print(f"\nA vector put into that graph: {(cpu_ms(past) - before) / len(gone):.1f} ms of CPU.")
    past.execute(f"VACUUM {name}")


def _vacuumed(past: Any, name: str) -> float:
    past.execute("CHECKPOINT")
    begin = time.monotonic()
    past.execute(f"VACUUM {name}")
    return time.monotonic() - begin


def _new_store(bench: Bench, passages: int, *, person: str = "") -> Store:
    with tenant_scope(UUID(bench.tenant)):
        row = personal_store(person=ensure_person(external_id=person or f"p-{uuid4().hex[:8]}"))
        memory = add_memory(store=row, statement=Statement(text="What all say."))
    topics = Vectors(31).topics(200)
    return Store(UUID(bench.tenant), row.id, passages, topics, memory.id)


@dataclass(frozen=True, slots=True)
class Spent:
    """What some statements took: seconds of the wall, and of their server process."""

    count: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.count + other.count, self.wall + other.wall, self.cpu + other.cpu)


@dataclass(slots=True)
class _Statements:
    """By kind; and the seconds of both server processes from the first to the last."""

    by_kind: dict[str, Spent] = field(default_factory=dict)
    server: float = 0.0


@contextmanager
def _sql_time() -> Iterator[_Statements]:
    """What statements take over Django's two connections: to the data, and to the keyring."""
    found = _Statements()
    with ExitStack() as stack:
        pids = []
        for alias in ("default", "keyring"):
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            measured = partial(_measured, found.by_kind, pids[-1])
            stack.enter_context(connections[alias].execute_wrapper(measured))
        before = [_cpu_seconds(pid) for pid in pids]
        yield found
        found.server = sum(map(_cpu_seconds, pids)) - sum(before)


def _measured(
    spent: dict[str, Spent], pid: int, execute: Any, sql: str, params: Any, *rest: Any
) -> Any:
    before, begin = _cpu_seconds(pid), time.perf_counter()
    try:
        return execute(sql, params, *rest)
    finally:
        named = _KIND.search(sql)
        kind = f"{named[1].split()[0]} {named[2]}" if named else "other"
        took = Spent(1, time.perf_counter() - begin, _cpu_seconds(pid) - before)
        spent[kind] = spent.get(kind, Spent()) + took


def _cpu_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
