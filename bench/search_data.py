"""The data of bench.search: one organization that is measured, among thousands that are not.

Made once in a folder and kept. Vectors lean one way, stand in clusters and fall off in strength
from number to number, as a model's do; isotropic noise would flatter every index. Rows come in the
order of life: some passages of one store, then some of another.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from souvenir.config.embedded.postgres import SUPERUSER, EmbeddedPostgres
from souvenir.config.embedded.roles import Cluster, Passwords, bootstrap, new_passwords

DATABASE = "bench"
PEOPLE = {"100": 100, "1k": 1_000, "5k": 5_000, "10k": 10_000, "50k": 50_000}
TOGETHER = 25  # passages of one store that come one after the other
TOKENS_MEAN, VOCABULARY = 20, 30_000
_DIMENSIONS, _TOPICS = 384, 4_000


class Vectors:
    """A source of vectors. `some` are of topics that a store talks about; `topics` of any."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        fixed = np.random.default_rng(1)  # the world is the same for all
        self._strength = (np.arange(1, _DIMENSIONS + 1) ** -0.35).astype(np.float32)
        self._lean = 1.6 * fixed.standard_normal(_DIMENSIONS).astype(np.float32)
        self._topics = fixed.standard_normal((_TOPICS, _DIMENSIONS)).astype(np.float32)

    def some(self, count: int, *, of: np.ndarray) -> np.ndarray:
        """float32, shape (count, 384), unit length."""
        noise = self._random.standard_normal((count, _DIMENSIONS)).astype(np.float32)
        about = self._topics[self._random.choice(of, size=count)]
        rows = self._lean + (about + 0.6 * noise) * self._strength * 1.5
        return _unit(rows)

    def topics(self, count: int) -> np.ndarray:
        """Numbers of topics, for a store to talk about."""
        return self._random.choice(_TOPICS, size=count, replace=False)

    def near(self, rows: np.ndarray) -> np.ndarray:
        """The same in other words."""
        noise = self._random.standard_normal(rows.shape).astype(np.float32)
        return _unit(rows + 0.25 * noise / np.sqrt(_DIMENSIONS))


def _unit(rows: np.ndarray) -> np.ndarray:
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


@dataclass(frozen=True)
class Server:
    """The server of a folder, as started."""

    server: EmbeddedPostgres
    passwords: Passwords
    cluster: Cluster

    def superuser(self) -> psycopg.Connection[Any]:
        """Past row-level security, to load and to look at sizes."""
        dsn = self.server.address.dsn(
            user=SUPERUSER, password=self.passwords.superuser, database=DATABASE
        )
        connection = psycopg.connect(dsn, autocommit=True)
        register_vector(connection)
        return connection


def start(folder: Path, *, shared_buffers: str) -> Server:
    """Start the server that keeps the data; the first time, an empty one."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    kept = folder / "passwords.json"
    if not kept.exists():
        kept.write_text(json.dumps(vars(new_passwords()), indent=1))
    passwords = Passwords(**json.loads(kept.read_text()))
    server = EmbeddedPostgres(
        folder / "home", password=passwords.superuser, durable=False, fallback=folder / "postgres"
    )
    server.start()
    address = server.address
    dsn = address.dsn(user=SUPERUSER, password=passwords.superuser, database="postgres")
    with psycopg.connect(dsn, autocommit=True) as admin:
        row = admin.execute("SHOW shared_buffers").fetchone()
        if row != (shared_buffers,):
            admin.execute(f"ALTER SYSTEM SET shared_buffers = '{shared_buffers}'")
            admin.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
            admin.close()
            server.stop()
            server.start()
    return Server(server, passwords, bootstrap(address, passwords, database=DATABASE))


@dataclass(frozen=True)
class Store:
    """Whose passages come, how many, and the topics that they are about."""

    tenant_id: UUID
    id: UUID
    passages: int
    topics: np.ndarray
    memory_id: UUID | None = None
    kept: str = ""  # its name, if its vectors are kept beside the database


class Loader:
    """Loads passages, tokens and vectors in one order for all three."""

    def __init__(self, server: Server, *, seed: int) -> None:
        self._connection = server.superuser()
        # Others' stores are names alone: their foreign keys sleep.
        self._connection.execute("SET session_replication_role = replica")
        self._random = np.random.default_rng(seed)
        self._vectors = Vectors(seed)
        self._needed = dict(
            self._connection.execute(
                "SELECT attname, typname FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid"
                " WHERE attrelid = 'ingestion_passage'::regclass AND attnum > 0"
                " AND NOT attisdropped AND attnotnull"
            ).fetchall()
        )
        self.kept: dict[str, list[tuple[UUID, np.ndarray]]] = {}

    def load(self, stores: list[Store]) -> None:
        """All passages of some stores, mixed."""
        turns = [
            (store, min(TOGETHER, store.passages - at))
            for store in stores
            for at in range(0, store.passages, TOGETHER)
        ]
        order = self._random.permutation(len(turns))
        for begin in range(0, len(order), 2_000):
            self._load_some([turns[place] for place in order[begin : begin + 2_000]])

    def _load_some(self, turns: list[tuple[Store, int]]) -> None:
        rows = []
        for store, count in turns:
            vectors = self._vectors.some(count, of=store.topics).astype(np.float16)
            for vector in vectors:
                id_ = UUID(bytes=self._random.bytes(16))
                rows.append((store, id_, vector))
                if store.kept:
                    self.kept.setdefault(store.kept, []).append((id_, vector))
        self._copy("ingestion_passage", list(self._needed_columns()), self._passages(rows))
        self._copy(
            "ingestion_passagevector",
            ["tenant_id", "store_id", "model", "passage_id", "bucket", "embedding"],
            ((s.tenant_id, s.id, 1, id_, 0, HalfVector(vector)) for s, id_, vector in rows),
        )
        tokens = [token for store, id_, _ in rows for token in self._tokens(store, id_)]
        self._copy(
            "ingestion_passagetoken",
            ["tenant_id", "store_id", "token", "passage_id", "frequency", "terms"],
            iter(sorted(tokens, key=lambda token: (token[1], token[2]))),
        )

    def _needed_columns(self) -> Iterator[str]:
        yield from {**self._needed, "memory_id": "uuid"}

    def _passages(self, rows: list[tuple[Store, UUID, np.ndarray]]) -> Iterator[tuple[Any, ...]]:
        plain = {"int2": 0, "int4": 1, "int8": 1, "bool": False, "text": "", "varchar": "x"}
        for store, id_, _ in rows:
            named = {
                "tenant_id": store.tenant_id,
                "id": id_,
                "store_id": store.id,
                "memory_id": store.memory_id,
                "start": 0,
                "terms": TOKENS_MEAN,
            }
            yield tuple(
                named[column] if column in named else plain[self._needed[column]]
                for column in self._needed_columns()
            )

    def _tokens(self, store: Store, id_: UUID) -> Iterator[tuple[Any, ...]]:
        terms = int(np.clip(self._random.lognormal(2.9, 0.5), 2, 120))
        for rank in set((self._random.zipf(1.2, size=terms) % VOCABULARY).tolist()):
            yield (store.tenant_id, store.id, token_of(store.id, rank), id_, 1, TOKENS_MEAN)

    def _copy(self, table: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        described = self._connection.execute(
            "SELECT attname, typname FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid"
            " WHERE attrelid = %s::regclass AND attnum > 0",
            [table],
        )
        types = dict(described.fetchall())
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types([types[column] for column in columns])
            for row in rows:
                copy.write_row(row)


def token_of(store_id: UUID, rank: int) -> int:
    """The blind token of a store's word, by how common the word is."""
    mixed = (rank * 0x9E3779B97F4A7C15 ^ store_id.int) % 2**64
    return mixed - 2**63


def strangers(count: int, *, passages: int) -> list[Store]:
    """Tenants of Zipf sizes that nobody asks, in stores of at most 2,000 passages."""
    vectors = Vectors(2)
    share = 1 / np.arange(1, count + 1) ** 0.9
    sizes = np.maximum(1, passages * share / share.sum()).astype(int)
    stores = []
    for size in sizes:
        tenant = UUID(bytes=secrets.token_bytes(16))
        for at in range(0, int(size), 2_000):
            id_ = UUID(bytes=secrets.token_bytes(16))
            stores.append(Store(tenant, id_, min(2_000, int(size) - at), vectors.topics(40)))
    return stores
