"""A person's 50,000 passages through each filter, and looking back, beside the same without."""

import json
import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from pgvector import HalfVector

from bench.search_asking import LIMIT, Bench, questions, recall, timed
from bench.search_build import keep
from bench.search_data import MODEL, Loader, Store, Vectors, token_of
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.ingestion.past import homes, past_home
from souvenir.memories.metadata import wanted_in
from souvenir.memories.metadata_tokens import tokens_of
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import ensure_person
from souvenir.search.beliefs import Belief, Model
from souvenir.search.candidates import Statement, Words, hybrid_statement
from souvenir.search.looking_back import looks_back
from souvenir.search.narrowing import condition_on, narrowed_by
from souvenir.search.nearest import nearest
from souvenir.search.questions import Filters, Question
from tenants.isolation.scope import tenant_scope

_NAME, _COUNT = "filtered", 50_000
_BARRED = 2.0  # times what the same question takes without a filter
_MODEL = Model(MODEL, BilingualEmbedder.model_id, BilingualEmbedder.dimensions)


def _at(year: int, month: int = 1) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


def _asked() -> dict[str, Filters]:
    """Each filter where it leaves much and where it leaves little."""
    return {
        "nothing": Filters(),
        "half by time": Filters(since=_at(2023)),
        "a month": Filters(since=_at(2022, 5), until=_at(2022, 6)),
        "a kind": Filters(kinds=["fact"]),
        "a rare kind": Filters(kinds=["preference"]),
        "a source": Filters(providers=["chatgpt"]),
        "a source of ten": Filters(providers=["deepseek"]),
        "a source of none": Filters(providers=["grok"]),
        "a role": Filters(roles=["user"]),
        "trust": Filters(least_trust=2),
        "a language": Filters(languages=["fr"]),
        "three of these": Filters(languages=["fr"], roles=["user"], since=_at(2024)),
        "metadata of half of the memories": Filters(metadata=wanted_in({"room": "kitchen"})),
        "metadata of twenty": Filters(metadata=wanted_in({"room": "office"})),
        "as of 2025": Filters(as_of=_at(2025)),
        "as of early 2020": Filters(as_of=_at(2020, 2)),
        "as of 2010": Filters(as_of=_at(2010)),
        "known in late 2025": Filters(known_at=_at(2025, 11)),
        "known in early 2024": Filters(known_at=_at(2024, 2)),
        "known in 2010": Filters(known_at=_at(2010)),
        "both clocks": Filters(as_of=_at(2024), known_at=_at(2025)),
        "both clocks and a role": Filters(as_of=_at(2024), known_at=_at(2025), roles=["user"]),
    }


def filters(bench: Bench) -> None:
    """The whole statement, words and texts and all; and whether anything is missed."""
    _make(bench)
    print(
        f"\n| {_COUNT:,} passages, asked | of which it leaves | p50 ms | p95 | p99 | CPU p50 |"
        " × without | recall own | cross | rows |\n" + "| --- " * 10 + "|"
    )
    store, connection = bench.store(_NAME), bench.app()
    asked = questions(bench, _NAME)
    without = 0.0
    with tenant_scope(UUID(bench.tenant)):
        ways = _asked()
        statements = {name: _statements(store, asked, only) for name, only in ways.items()}
        arms = {name: _arm(bench, store, only) for name, only in ways.items()}
    for name, only in ways.items():
        calls = [
            lambda s=one: connection.execute(s.sql, s.parameters).fetchall()
            for one in statements[name]
        ]
        spent, _ = timed(connection, calls)
        without = without or spent.mid
        sql, parameters = arms[name]
        found = [
            connection.execute(sql, parameters | {"vector": HalfVector(q).to_text()}).fetchall()
            for q in asked
        ]
        left, wanted = _truth(bench, asked, only)
        own, cross = recall(found, wanted) if left else (1.0, 1.0)
        rows = min(map(len, found))
        print(
            f"| {name} | {left:,} | {spent.line()} | {spent.mid / without:.2f} | {own:.3f} |"
            f" {cross:.3f} | {rows} |",
            flush=True,
        )
        bench.hold(f"recall, {name}", "≥", 1.0, min(own, cross))
        bench.hold(f"rows, {name}", "≥", min(LIMIT, left), rows)
        bench.hold(f"× without a filter, {name}", "≤", _BARRED, spent.mid / without)


def _statements(store: UUID, asked: list[np.ndarray], only: Filters) -> list[Statement]:
    random = np.random.default_rng(5)
    found = []
    for q in asked:
        tokens = [token_of(store, int(rank)) for rank in random.integers(5, 400, size=4)]
        question = Question("x", [store], dense_weight=0.5, only=only)
        words = Words(tokens, [0, 1, 2, 3], [1.0] * 4)
        vector = HalfVector(q).to_text()
        belief = Belief(_MODEL, {})
        found.append(hybrid_statement(question, belief=belief, vector=vector, words=words))
    return found


def _arm(bench: Bench, store: UUID, only: Filters) -> tuple[str, dict[str, Any]]:
    """What is asked of the vectors alone."""
    stores = homes([store]) if looks_back(only) else [store]
    narrowed = narrowed_by(only)
    near = nearest(stores, Belief(_MODEL, {}), narrowed=narrowed, by_meaning=True, candidates=LIMIT)
    before = f"WITH {', '.join(near.before)}" if near.before else ""
    sql = f"{before} SELECT passage_id FROM ({near.sql}) n ORDER BY distance + 0 LIMIT {LIMIT}"
    given = {"tenant": bench.tenant, "stores": stores}
    return sql, given | near.parameters | narrowed.parameters


def _truth(bench: Bench, asked: list[np.ndarray], only: Filters) -> tuple[int, list[set[UUID]]]:
    """How many passages a filter leaves, each held against it by itself; and the nearest."""
    ids, stored = bench.kept(_NAME)
    with tenant_scope(UUID(bench.tenant)):
        condition, values = condition_on(only)
    now = "" if looks_back(only) else " AND past_version = 0"
    given = {"tenant": bench.tenant, "stores": [bench.store(_NAME)]}
    rows = bench.server.superuser().execute(
        "SELECT p.id FROM ingestion_passage p WHERE p.tenant_id = %(tenant)s"
        f" AND p.store_id = ANY (%(stores)s){now}{condition}",
        given | values,
    )
    passing = {id_ for (id_,) in rows}
    at = np.array([place for place, id_ in enumerate(ids) if id_ in passing], int)
    found = []
    for question in asked:
        scores = stored[at] @ question.astype(np.float16).astype(np.float32)
        found.append({ids[at[place]] for place in np.argsort(-scores)[:LIMIT]})
    return len(at), found


# Passages in the order of their ids, half of messages and half of memories; of each conversation
# ten messages, of every fiftieth memory a version that holds no more.
_NUMBERED = """
    CREATE TEMP TABLE numbered AS
    SELECT id, n, n / 20 AS talk, n %% 2 = 0 AS is_said, n %% 100 = 1 AS is_past,
           md5(%(store)s || 'message' || n)::uuid AS message,
           md5(%(store)s || 'talk' || n / 20)::uuid AS conversation,
           md5(%(store)s || 'memory' || CASE WHEN n %% 100 = 1 THEN n + 2 ELSE n END)::uuid
               AS memory,
           timestamptz '2020-01-01' + n * 7919 %% 2190 * interval '1 day' AS occurred,
           timestamptz '2024-01-01' + n / 20 * interval '7 hours' AS recorded
    FROM (SELECT id, row_number() OVER (ORDER BY id)::int - 1 AS n FROM ingestion_passage
          WHERE tenant_id = %(tenant)s AND store_id = %(store)s::uuid) p
"""
_MARK = """
    UPDATE ingestion_passage p SET
        conversation_id = CASE WHEN is_said THEN conversation END,
        message_id = CASE WHEN is_said THEN message END,
        memory_id = CASE WHEN NOT is_said THEN memory END,
        past_version = is_past::int, occurred_at = occurred, trust = 1 + n / 2 %% 3,
        role = CASE WHEN NOT is_said THEN '' WHEN n %% 4 = 0 THEN 'user' ELSE 'assistant' END,
        kind = CASE WHEN is_said THEN 'message' WHEN n %% 50 = 3 THEN 'preference' ELSE 'fact' END,
        provider = CASE WHEN n %% 5000 = 8 THEN 'deepseek' WHEN NOT is_said THEN 'souvenir'
                        WHEN n %% 3 = 0 THEN 'claude' ELSE 'chatgpt' END,
        language = CASE WHEN n %% 5 < 2 THEN 'fr' ELSE 'en' END, embedded_with = 'x'
    FROM numbered m WHERE p.tenant_id = %(tenant)s AND p.id = m.id
"""
_SAID = """
    INSERT INTO memories_{table} SELECT (jsonb_populate_record(NULL::memories_{table},
        jsonb_build_object('tenant_id', %(tenant)s::text, 'store_id', %(store)s::text,
            'provider_id', n, 'provider', 'chatgpt', 'time_original', '', 'ordinal', n,
            'current_leaf_origin', 'native', 'import_id', conversation, 'source_id', conversation,
            'role', 'user', 'model', '', 'hidden', false, 'blocks', sealed, 'extra', sealed,
            'author_name', sealed, 'title', sealed, 'occurred_at', occurred,
            'recorded_at', recorded, 'key_version', 1, 'conversation_id', conversation,
            'id', {id}))).*
    FROM (SELECT *, '\\x' || repeat(md5(n::text), 20) AS sealed FROM numbered
          WHERE is_said{each}) m
"""
_REMEMBERED = """
    INSERT INTO memories_{table} SELECT (jsonb_populate_record(NULL::memories_{table},
        jsonb_build_object('tenant_id', %(tenant)s::text, 'store_id', %(store)s::text,
            'memory_id', memory, 'kind', 'fact', 'state', 'active',
            'version', 1 + (n %% 100 = 3)::int, 'number', 1 + (n %% 100 = 3)::int,
            'text', sealed, 'reason', sealed,
            'metadata', sealed, 'origin', 'provided', 'method', 'agent', 'author', '',
            'valid_from', CASE WHEN n %% 3 = 1 THEN occurred END,
            'valid_to', CASE WHEN n %% 30 = 7 THEN occurred + interval '1 year' END,
            'observed_at', occurred, 'recorded_at', recorded, 'key_version', 1, 'id', {id}))).*
    FROM (SELECT *, '\\x' || repeat(md5(n::text), 10) AS sealed FROM numbered
          WHERE NOT is_said{each}) m
"""
_DESCRIBED = """
    INSERT INTO memories_metadatatoken
        (tenant_id, store_id, token, memory_id, past_version, epoch)
    SELECT %(tenant)s, %(store)s, %(token)s, memory, is_past::int, 1 FROM numbered
    WHERE NOT is_said AND {which}
"""
_MOVED = """
    UPDATE ingestion_passage{table} t SET store_id = %(home)s FROM numbered m
    WHERE t.tenant_id = %(tenant)s AND t.store_id = %(store)s::uuid AND t.passage_id = m.id
      AND is_past
"""


def _make(bench: Bench) -> None:
    """A store of its own, whose passages are of messages and memories; once."""
    if _NAME in bench.manifest["stores"]:
        return
    tenant_id = UUID(bench.tenant)
    with tenant_scope(tenant_id):
        store = personal_store(person=ensure_person(external_id=_NAME))
        tokens = {
            room: tokens_of(wanted_in({"room": room})[0])[0] for room in ("kitchen", "office")
        }
    loader, other = Loader(bench.server, seed=31), UUID(bytes=secrets.token_bytes(16))
    topics = Vectors(3).topics(200)
    loader.load([Store(tenant_id, store.id, _COUNT, topics, other, kept=_NAME)])
    keep(bench.folder, loader)
    past = bench.server.superuser()
    past.execute("SET session_replication_role = replica")  # sources and imports are names alone
    given = {"tenant": bench.tenant, "store": str(store.id), "home": past_home(store.id)}
    past.execute(_NUMBERED, given)
    past.execute(_MARK, given)
    past.execute(_SAID.format(table="message", id="message", each=""), given)
    past.execute(
        _SAID.format(table="conversation", id="conversation", each=" AND n %% 20 = 0"), given
    )
    past.execute(_REMEMBERED.format(table="memory", id="memory", each=" AND NOT is_past"), given)
    past.execute(_REMEMBERED.format(table="memoryversion", id="uuidv7()", each=""), given)
    for room, which in (("kitchen", "n %% 4 = 1"), ("office", "n %% 2500 = 5")):
        past.execute(_DESCRIBED.format(which=which), given | {"token": tokens[room]})
    for table in ("vector", "token"):
        past.execute(_MOVED.format(table=table), given)
    for table in ("passage", "passagevector", "passagetoken"):
        past.execute(f"VACUUM (ANALYZE) ingestion_{table}")
    for table in ("message", "conversation", "memory", "memoryversion", "metadatatoken"):
        past.execute(f"VACUUM (ANALYZE) memories_{table}")
    bench.manifest["stores"][_NAME] = str(store.id)
    (bench.folder / "manifest.json").write_text(json.dumps(bench.manifest))
