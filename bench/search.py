"""How fast a question is, and what its tables cost: scopes, growth, clients, peers, and upkeep.

    OPENBLAS_NUM_THREADS=1 PYTHONPATH=platform:. .venv/bin/python -m bench.search FOLDER

The data is made once in FOLDER (which takes a while) and kept. What is timed is the statement that
search sends, as the run-time role, over a Unix socket; the embedding of the question is apart. Both
the wall's time and the processor's time of the server process are told: the latter is moved least
by other load on the machine. Half of the questions are *own*: near something that is there; half
are *cross*: about what this store never talks about, where an index that filters afterwards fails.

Beside it, in the same run: the same vectors in memory (numpy); the table that guides to pgvector
show, with the vector beside the text and one HNSW; and the table that mem0 OSS makes, with the
filter inside a JSON document. Those two are built by us, from what their documents say.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from bench.search_data import PEOPLE, Server, Vectors, start, token_of

ROUNDS, QUESTIONS, LIMIT, CANDIDATES = 2, 16, 10, 100


@dataclass
class Bench:
    """The server, and what is known of the data on it."""

    folder: Path
    server: Server
    manifest: dict[str, Any]

    def app(self) -> psycopg.Connection[Any]:
        """As the run-time role, in the scope of the organization that is measured."""
        connection = psycopg.connect(self.server.cluster.app_url, autocommit=True)
        register_vector(connection)
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [self.tenant])
        return connection

    @property
    def tenant(self) -> str:
        return str(self.manifest["tenant"])

    def store(self, name: str) -> UUID:
        return UUID(self.manifest["stores"][name])

    def kept(self, name: str) -> tuple[list[UUID], np.ndarray]:
        """Ids and vectors of a store, float32, in one order."""
        ids = np.load(self.folder / f"{name}.ids.npy")
        vectors = np.load(self.folder / f"{name}.vectors.npy").astype(np.float32)
        return [UUID(bytes=bytes(row)) for row in ids], vectors


def configure(server: Server, folder: Path) -> None:
    """Let Django lead to the server, before it is imported."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "souvenir.config.settings",
        "SOUVENIR_PROFILE": "test",
        "SOUVENIR_DATABASE_URL": server.cluster.app_url,
        "SOUVENIR_OWNER_DATABASE_URL": server.cluster.owner_url,
        "SOUVENIR_MAINTAINER_DATABASE_URL": server.cluster.maintainer_url,
        "SOUVENIR_BROKER_URL": "memory://",
        "SOUVENIR_OBJECTS_DIR": str(folder / "objects"),
        "SOUVENIR_KEYS_DIR": str(folder / "keys"),
        "SOUVENIR_GRAPH_MEMORY_MB": "1024",
    }
    import django  # noqa: PLC0415 — the settings are read on import

    django.setup()


def cpu_ms(connection: psycopg.Connection[Any]) -> float:
    """Processor time that the connection's server process has had."""
    text = Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text()
    return int(text.split()[0]) / 1e6


@dataclass(frozen=True)
class Timed:
    """Milliseconds of some calls."""

    wall: list[float]
    cpu: list[float]

    def line(self) -> str:
        wall = sorted(self.wall)
        p50, p95, p99 = (wall[min(len(wall) - 1, int(len(wall) * q))] for q in (0.5, 0.95, 0.99))
        return f"{p50:.2f} | {p95:.2f} | {p99:.2f} | {self.mid:.2f}"

    @property
    def mid(self) -> float:
        return statistics.median(self.cpu)


def timed(
    connection: psycopg.Connection[Any] | None, calls: Sequence[Callable[[], Any]]
) -> tuple[Timed, list[Any]]:
    """Each call in each round, after one that warms; and the answers of the last round."""
    wall, cpu = [], []
    answers: list[Any] = []
    for round_ in range(ROUNDS + 1):
        answers = []
        for call in calls:
            before = cpu_ms(connection) if connection else time.process_time() * 1e3
            begin = time.perf_counter()
            answers.append(call())
            spent = (time.perf_counter() - begin) * 1e3
            after = cpu_ms(connection) if connection else time.process_time() * 1e3
            if round_:
                wall.append(spent)
                cpu.append(after - before)
    return Timed(wall, cpu), answers


def questions(bench: Bench, name: str) -> list[np.ndarray]:
    """Half own, half cross."""
    vectors = Vectors(77)
    _, stored = bench.kept(name)
    own = vectors.near(stored[:: max(1, len(stored) // (QUESTIONS // 2))][: QUESTIONS // 2].copy())
    cross = vectors.some(QUESTIONS // 2, of=vectors.topics(400))
    return [*own, *cross]


def exact_sql(limit: int = LIMIT) -> str:
    """The arm of nearest.py for an ordinary store."""
    return (
        "SELECT v.passage_id, (v.embedding <#> %(q)s) + 0 AS distance"
        " FROM ingestion_passagevector v WHERE v.tenant_id = %(t)s AND v.store_id = ANY (%(s)s)"
        f" AND v.model = 1 AND v.bucket = 0 ORDER BY distance LIMIT {limit}"
    )


def truth(bench: Bench, name: str, asked: list[np.ndarray]) -> list[set[UUID]]:
    """The nearest by brute force over the same half-precision numbers."""
    ids, stored = bench.kept(name)
    found = []
    for question in asked:
        scores = stored @ question.astype(np.float16).astype(np.float32)
        found.append({ids[place] for place in np.argsort(-scores)[:LIMIT]})
    return found


def recall(found: list[Any], wanted: list[set[UUID]]) -> tuple[float, float]:
    """Of own and of cross questions: the part of the nearest that was found."""
    shares = [
        len({row[0] for row in rows} & true) / len(true)
        for rows, true in zip(found, wanted, strict=True)
    ]
    half = len(shares) // 2
    return statistics.mean(shares[:half]), statistics.mean(shares[half:])


def ask_exact(bench: Bench, connection: psycopg.Connection[Any], name: str) -> Any:
    """Time the exact arm over one store, and judge its answers."""
    asked = questions(bench, name)
    store = [bench.store(name)]
    sql = exact_sql()
    calls = [
        lambda q=q: connection.execute(
            sql, {"q": HalfVector(q), "t": bench.tenant, "s": store}
        ).fetchall()
        for q in asked
    ]
    time_, found = timed(connection, calls)
    return time_, recall(found, truth(bench, name, asked)), min(map(len, found))


def scopes(bench: Bench) -> None:
    """Latency by size of the store, beside the same matrix in memory."""
    print("\n| asked | what | p50 ms | p95 | p99 | CPU p50 | recall own | cross | rows | × numpy |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    connection = bench.app()
    for name in PEOPLE:
        _, stored = bench.kept(name)
        k = min(LIMIT, len(stored))
        calls = [
            lambda q=q, m=stored, k=k: np.argpartition(-(m @ q), k - 1)[:k]
            for q in questions(bench, name)
        ]
        floor, _ = timed(None, calls)
        ours, (own, cross), rows = ask_exact(bench, connection, name)
        print(f"| {len(stored):,} | numpy, in memory | {floor.line()} | 1 | 1 | {k} | 1 |")
        print(
            f"| {len(stored):,} | exact, index only | {ours.line()} | {own:.3f} | {cross:.3f} |"
            f" {rows} | {ours.mid / max(floor.mid, 1e-3):.1f} |"
        )


def growth_point(bench: Bench) -> float:
    """CPU p50 of the 5,000 passages, now."""
    connection = bench.app()
    time_, _, _ = ask_exact(bench, connection, "5k")
    connection.close()
    return float(time_.mid)


def walls(bench: Bench) -> None:
    """What row-level security costs: the same question as the superuser."""
    print("\n| passages | CPU p50 ms with the wall | without | ratio |\n| --- | --- | --- | --- |")
    app, past = bench.app(), bench.server.superuser()
    for name in ("1k", "10k"):
        ratios = []
        for _ in range(3):
            ours, _, _ = ask_exact(bench, app, name)
            bare, _, _ = ask_exact(bench, past, name)
            ratios.append((ours.mid / bare.mid, ours.mid, bare.mid))
        ratio, ours_mid, bare_mid = statistics.median_low(ratios)
        print(f"| {PEOPLE[name]:,} | {ours_mid:.2f} | {bare_mid:.2f} | {ratio:.2f} |")


def hybrid(bench: Bench) -> None:
    """The whole statement against its two halves, on the same questions."""
    from souvenir.search.beliefs import Belief, Model  # noqa: PLC0415
    from souvenir.search.candidates import Words, hybrid_statement  # noqa: PLC0415
    from souvenir.search.questions import Question  # noqa: PLC0415
    from tenants.isolation.scope import tenant_scope  # noqa: PLC0415

    print("\n| passages | vectors, CPU p50 ms | words | both, with texts | ratio |")
    print("| --- | --- | --- | --- | --- |")
    connection = bench.app()
    random = np.random.default_rng(5)
    for name in ("1k", "10k", "50k"):
        store = bench.store(name)
        both, near, words = [], [], []
        for q in questions(bench, name):
            tokens = [token_of(store, int(rank)) for rank in random.integers(5, 400, size=4)]
            belief = Belief(Model(1, "multilingual-e5-small/q4/1", 384), {})
            with tenant_scope(UUID(bench.tenant)):
                statement = hybrid_statement(
                    Question("x", [store]),
                    belief=belief,
                    vector=HalfVector(q).to_text(),
                    words=Words(tokens, list(range(4)), [1.0] * 4),
                )
                silent = hybrid_statement(
                    Question("x", [store], dense_weight=0.0),
                    belief=belief,
                    vector=None,
                    words=Words(tokens, list(range(4)), [1.0] * 4),
                )
            both.append(lambda s=statement: connection.execute(s.sql, s.parameters).fetchall())
            words.append(lambda s=silent: connection.execute(s.sql, s.parameters).fetchall())
            near.append(
                lambda q=q, s=store: connection.execute(
                    exact_sql(CANDIDATES), {"q": HalfVector(q), "t": bench.tenant, "s": [s]}
                ).fetchall()
            )
        a, b, c = (timed(connection, calls)[0].mid for calls in (near, words, both))
        print(f"| {PEOPLE[name]:,} | {a:.2f} | {b:.2f} | {c:.2f} | {c / (a + b):.2f} |")


def _client(folder: str, url: str, tenant: str, store: str, seconds: float) -> int:
    connection = psycopg.connect(url, autocommit=True)
    register_vector(connection)
    connection.execute("SELECT set_config('app.tenant_id', %s, false)", [tenant])
    asked = Vectors(os.getpid()).some(50, of=np.arange(40))
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        parameters = {"q": HalfVector(asked[done % 50]), "t": tenant, "s": [UUID(store)]}
        connection.execute(exact_sql(), parameters).fetchall()
        done += 1
    return done


def clients(bench: Bench) -> None:
    """Questions a second of 5,000 passages, from one process and from several."""
    print("\n| clients | questions/s | × one |\n| --- | --- | --- |")
    one = 0.0
    context = get_context("spawn")
    for count in (1, 2, 4, 16):
        arguments = (
            str(bench.folder), bench.server.cluster.app_url, bench.tenant,
            str(bench.store("5k")), 4.0,
        )  # fmt: skip
        with context.Pool(count) as pool:
            pool.starmap(_client, [(*arguments[:-1], 0.2)] * count)
            done = sum(pool.starmap(_client, [arguments] * count))
        one = one or done / 4
        print(f"| {count} | {done / 4:.0f} | {done / 4 / one:.2f} |")


def cold(bench: Bench, arguments: argparse.Namespace) -> None:
    """The first question after the server was stopped and its files left the page cache."""
    print("\n| passages | first question, cold, ms | the same again |\n| --- | --- | --- |")
    for name in ("1k", "10k", "50k"):
        bench.server.server.stop()
        for path in (bench.server.server.places.data / "base").rglob("*"):
            if path.is_file():
                descriptor = os.open(path, os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)
        bench.server.server.start()
        connection = bench.app()
        q, sql = questions(bench, name)[0], exact_sql()
        other = {"q": HalfVector(q), "t": bench.tenant, "s": [bench.store("100")]}
        connection.execute(sql, other).fetchall()  # the catalogue is read
        spent = []
        for _ in range(2):
            begin = time.perf_counter()
            asked = {"q": HalfVector(q), "t": bench.tenant, "s": [bench.store(name)]}
            connection.execute(sql, asked).fetchall()
            spent.append((time.perf_counter() - begin) * 1e3)
        print(f"| {PEOPLE[name]:,} | {spent[0]:.1f} | {spent[1]:.1f} |")
        connection.close()


def main() -> None:
    """Make the data if it is not there, and print one table after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the data is kept")
    parser.add_argument("--passages", type=int, default=3_000_000)
    parser.add_argument("--large", type=int, default=500_000, help="passages of the shared store")
    parser.add_argument("--peers", type=int, default=500_000, help="rows of the peers' tables")
    parser.add_argument("--buffers", default="2GB", help="shared_buffers")
    parser.add_argument("--only", nargs="*", default=[], help="tables to print")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    server = start(folder, shared_buffers=arguments.buffers)
    configure(server, folder)
    path = folder / "manifest.json"
    try:
        manifest = (
            json.loads(path.read_text()) if path.exists() else _built(folder, server, arguments)
        )
        _tables(Bench(folder, server, manifest), arguments)
    finally:
        server.server.stop()


def _built(folder: Path, server: Server, arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.search_build import build  # noqa: PLC0415 — it needs the settings

    return build(
        folder,
        server,
        passages=arguments.passages,
        large=arguments.large,
        ask=lambda manifest: growth_point(Bench(folder, server, manifest)),
    )


def _tables(bench: Bench, arguments: argparse.Namespace) -> None:
    from bench import search_costs  # noqa: PLC0415 — it needs the settings

    wanted: dict[str, Callable[[], None]] = {
        "scopes": lambda: scopes(bench),
        "growth": lambda: _growth(bench),
        "walls": lambda: walls(bench),
        "hybrid": lambda: hybrid(bench),
        "clients": lambda: clients(bench),
        "peers": lambda: search_costs.peers(bench, rows=arguments.peers),
        "bytes": lambda: search_costs.sizes(bench),
        "insert": lambda: search_costs.insert(bench),
        "erase": lambda: search_costs.erase(bench),
        "promote": lambda: search_costs.promote(bench),
        "vacuum": lambda: search_costs.vacuum(bench),
        "cold": lambda: cold(bench, arguments),
    }
    for name, table in wanted.items():
        if not arguments.only or name in arguments.only:
            table()


def _growth(bench: Bench) -> None:
    print("\n| passages in the table | 5,000 passages, CPU p50 ms | × first |\n| --- | --- | --- |")
    found = bench.manifest["growth"]
    first = next(iter(found.values()))
    for size, mid in found.items():
        print(f"| {int(size):,} | {mid:.2f} | {mid / first:.2f} |")


if __name__ == "__main__":
    main()
