"""The data of bench.search: one organization that is measured, among thousands that are not.

Made once in a folder and kept. Vectors lean one way, stand in clusters and fall off in strength
from number to number, as a model's do; isotropic noise would flatter every index. Rows come in the
order of life: some passages of one store, then some of another.
"""

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from bench.search_rows import Column, ids_in_order, packed, uuids
from souvenir.config.embedded.postgres import SUPERUSER, EmbeddedPostgres
from souvenir.config.embedded.roles import Cluster, Passwords, bootstrap, new_passwords

DATABASE = "bench"
PEOPLE = {"100": 100, "1k": 1_000, "5k": 5_000, "10k": 10_000, "50k": 50_000}
TOGETHER = 5  # passages of one store that come one after the other: what is said, and the answer
AT_ONCE = 50_000  # passages that are made and stored together
MODEL = 2  # the one that serves in a new installation
TOKENS_MEAN, VOCABULARY, ONCE = 20, 30_000, 4  # frequencies are in quarters
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
        return self.about(self._random.choice(of, size=count))

    def about(self, topics: np.ndarray) -> np.ndarray:
        """One for each topic: float32, shape (len(topics), 384), unit length."""
        rows = self._random.standard_normal((len(topics), _DIMENSIONS), dtype=np.float32)
        rows *= 0.6
        rows += self._topics[topics]
        rows *= self._strength * np.float32(1.5)
        rows += self._lean
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


def connect(url: str) -> psycopg.Connection[Any]:
    """As Django connects: what is asked goes as one text, its parameters written into it."""
    connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor)
    register_vector(connection)
    return connection


@dataclass(frozen=True)
class Server:
    """The server of a folder, as started."""

    server: EmbeddedPostgres
    passwords: Passwords
    cluster: Cluster

    def superuser(self) -> psycopg.Connection[Any]:
        """Past row-level security, to load, to look at sizes, and for peers."""
        connection = connect(self.past_url)
        # As the run-time role: parameters are seen by the planner.
        connection.execute("SET plan_cache_mode = force_custom_plan")
        return connection

    @property
    def past_url(self) -> str:
        """Where one is past row-level security."""
        return self.server.address.dsn(
            user=SUPERUSER, password=self.passwords.superuser, database=DATABASE
        )


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
    memory_id: UUID
    kept: str = ""  # its name, if its vectors are kept beside the database


@dataclass(frozen=True)
class Rows:
    """Some passages as arrays: whose each is, its id and its vector, and its words.

    `words`: int64, shape (any, 2): the number of the passage, and the token.
    """

    stores: list[Store]
    of: np.ndarray  # place in `stores`
    ids: np.ndarray  # uint8, shape (passages, 16)
    vectors: np.ndarray  # float16, shape (passages, 384)
    words: np.ndarray


class Loader:
    """Loads passages, tokens and vectors in one order for all three."""

    def __init__(self, server: Server, *, seed: int) -> None:
        self._connection = server.superuser()
        # Others' stores are names alone: their foreign keys sleep.
        self._connection.execute("SET session_replication_role = replica")
        self._random = np.random.default_rng(seed)
        self._vectors = Vectors(seed)
        self._needed = self._types("ingestion_passage", " AND attnotnull")
        self._next_ms = time.time_ns() // 1_000_000
        self.kept: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}

    def load(self, stores: list[Store]) -> None:
        """All passages of some stores, mixed. While some are stored, the next are made."""
        counts = np.array([store.passages for store in stores])
        turns = np.repeat(np.arange(len(stores)), -(-counts // TOGETHER))
        self._random.shuffle(turns)
        left = counts.copy()
        with ThreadPoolExecutor(1) as storing:
            waiting = None
            for begin in range(0, len(turns), AT_ONCE // TOGETHER):
                rows = self._make(stores, turns[begin : begin + AT_ONCE // TOGETHER], left)
                if waiting:
                    waiting.result()
                waiting = storing.submit(self.store, rows)
            if waiting:
                waiting.result()

    def _make(self, stores: list[Store], turns: np.ndarray, left: np.ndarray) -> Rows:
        of = []
        for place in turns.tolist():
            count = min(TOGETHER, int(left[place]))
            left[place] -= count
            of += [place] * count
        return self.make(stores, np.array(of))

    def make(self, stores: list[Store], of: np.ndarray) -> Rows:
        """Passages of these stores in this order, stored nowhere yet, and kept where asked."""
        count = len(of)
        ids = ids_in_order(self._random, count, first_ms=self._next_ms)
        self._next_ms += count
        draws = self._random.integers(0, 2**31, count).tolist()
        topics = np.array(
            [
                stores[place].topics[draw % len(stores[place].topics)]
                for place, draw in zip(of.tolist(), draws, strict=True)
            ]
        )
        vectors = self._vectors.about(topics).astype(np.float16)
        for place in np.unique(of).tolist():
            if stores[place].kept:
                its = of == place
                self.kept.setdefault(stores[place].kept, []).append((ids[its], vectors[its]))
        return Rows(stores, of, ids, vectors, self._words(stores, of))

    def _words(self, stores: list[Store], of: np.ndarray) -> np.ndarray:
        terms = np.clip(self._random.lognormal(2.9, 0.5, len(of)), 2, 120).astype(np.int64)
        passages = np.repeat(np.arange(len(of)), terms)
        ranks = self._random.zipf(1.2, size=len(passages)) % VOCABULARY
        passages, ranks = np.divmod(np.unique(passages * VOCABULARY + ranks), VOCABULARY)
        low = np.array([store.id.int % 2**64 for store in stores], np.uint64)
        mixed = ranks.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ low[of[passages]]
        tokens = (mixed ^ np.uint64(2**63)).view(np.int64)
        order = np.lexsort((passages, tokens, of[passages]))
        return np.stack([passages[order], tokens[order]], axis=1)

    def store(self, rows: Rows) -> None:
        """Into the three tables."""
        tenants = uuids([store.tenant_id for store in rows.stores])
        stores = uuids([store.id for store in rows.stores])
        memories = uuids([store.memory_id for store in rows.stores])
        whose = [Column("tenant_id", "uuid", tenants[rows.of]),
                 Column("store_id", "uuid", stores[rows.of])]  # fmt: skip
        named = [Column("id", "uuid", rows.ids), Column("memory_id", "uuid", memories[rows.of])]
        self._copy("ingestion_passage", [*whose, *named, *self._plain()], len(rows.of))
        self._copy(
            "ingestion_passagevector",
            [
                *whose,
                Column("model", "int2", MODEL),
                Column("passage_id", "uuid", rows.ids),
                Column("bucket", "int4", 0),
                Column("embedding", "halfvec", rows.vectors),
            ],
            len(rows.of),
        )
        passages, tokens = rows.words[:, 0], rows.words[:, 1]
        self._copy(
            "ingestion_passagetoken",
            [
                Column("tenant_id", "uuid", tenants[rows.of[passages]]),
                Column("store_id", "uuid", stores[rows.of[passages]]),
                Column("token", "int8", tokens),
                Column("passage_id", "uuid", rows.ids[passages]),
                Column("frequency", "int4", ONCE),
                Column("terms", "int4", TOKENS_MEAN),
            ],
            len(passages),
        )

    def _plain(self) -> Iterator[Column]:
        """The columns of a passage that must have something, and the same in each."""
        same: dict[str, bytes | int] = {
            "int2": 2, "int4": 1, "int8": 1, "bool": 0, "text": b"", "varchar": b"x",
            "jsonb": b"\1{}",
        }  # fmt: skip
        for name, type_ in self._needed.items():
            if name not in ("tenant_id", "id", "store_id"):
                yield Column(name, type_, TOKENS_MEAN if name == "terms" else same[type_])

    def _types(self, table: str, only: str = "") -> dict[str, str]:
        found = self._connection.execute(
            "SELECT attname, typname FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped" + only,
            [table],
        )
        return dict(found.fetchall())

    def _copy(self, table: str, columns: list[Column], count: int) -> None:
        names = ", ".join(f'"{column.name}"' for column in columns)
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.write(packed(columns, count))


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
            count = min(2_000, int(size) - at)
            stores.append(Store(tenant, id_, count, vectors.topics(40), id_))
    return stores
