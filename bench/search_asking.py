"""How the tables of search are asked in bench.search, timed, and their answers judged."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector

from bench.search_data import MODEL, Server, Vectors, connect
from souvenir.config.embedded.throwaway import settings_of

ROUNDS, QUESTIONS, LIMIT, CANDIDATES = 2, 16, 10, 100
TO_TELL_P99 = 12  # rounds: 192 questions
_SECONDS = 8.0  # after which what is asked is not asked in another round


@dataclass(frozen=True)
class Bar:
    """One line of the table at the end. `bound` is "≤" or "≥"."""

    what: str
    bound: str
    bar: float
    measured: float

    @property
    def is_met(self) -> bool:
        return self.measured <= self.bar if self.bound == "≤" else self.measured >= self.bar


@dataclass
class Bench:
    """The server, and what is known of the data on it."""

    folder: Path
    server: Server
    manifest: dict[str, Any]
    bars: list[Bar] = field(default_factory=list)

    def hold(self, what: str, bound: str, bar: float, measured: float) -> None:
        """Hold a figure against its bar, in the table at the end."""
        self.bars.append(Bar(what, bound, bar, measured))

    def app(self) -> psycopg.Connection[Any]:
        """As the run-time role, in the scope of the organization that is measured."""
        connection = connect(self.server.cluster.app_url)
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [self.tenant])
        return connection

    @property
    def tenant(self) -> str:
        return str(self.manifest["tenant"])

    def store(self, name: str) -> UUID:
        return UUID(self.manifest["stores"][name])

    def bucket(self, connection: psycopg.Connection[Any], name: str) -> int | None:
        """Where a store's vectors are, if it has moved."""
        row = connection.execute(
            "SELECT bucket FROM ingestion_largestore WHERE tenant_id = %s AND store_id = %s"
            " AND state IN ('serving', 'leaving')",
            [self.tenant, self.store(name)],
        ).fetchone()
        return None if row is None else int(row[0])

    def kept(self, name: str) -> tuple[list[UUID], np.ndarray]:
        """Ids and vectors of a store, float32, in one order."""
        ids = np.load(self.folder / f"{name}.ids.npy")
        vectors = np.load(self.folder / f"{name}.vectors.npy").astype(np.float32)
        return [UUID(bytes=bytes(row)) for row in ids], vectors


def configure(server: Server, folder: Path) -> None:
    """Let Django lead to the server, before it is imported."""
    os.environ |= settings_of(server.cluster, folder) | {
        "SOUVENIR_BROKER_URL": "memory://",
        "SOUVENIR_GRAPH_MEMORY_MB": "2048",
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

    def halves(self, questions: int) -> tuple[float, float]:
        """CPU p50 of own and of cross questions, of which there are as many."""
        half = questions // 2
        own = [spent for place, spent in enumerate(self.cpu) if place % questions < half]
        cross = [spent for place, spent in enumerate(self.cpu) if place % questions >= half]
        return statistics.median(own), statistics.median(cross)


def timed(
    connection: psycopg.Connection[Any] | None,
    calls: Sequence[Callable[[], Any]],
    *,
    rounds: int = ROUNDS,
) -> tuple[Timed, list[Any]]:
    """Each call in each round, after one that warms; and the answers of the last round."""
    wall, cpu = [], []
    answers: list[Any] = []
    until = time.monotonic() + _SECONDS
    for round_ in range(rounds + 1):
        if round_ > 1 and time.monotonic() > until:
            break
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
        f" AND v.model = {MODEL} AND v.bucket = 0 ORDER BY distance LIMIT {limit}"
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
    time_, found = timed(connection, calls, rounds=TO_TELL_P99)
    return time_, recall(found, truth(bench, name, asked)), min(map(len, found))
