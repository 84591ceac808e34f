"""The whole statement of search against its halves, and what frequent words cost."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from bench.search_asking import CANDIDATES, TO_TELL_P99, Bench, exact_sql, questions, timed
from bench.search_data import MODEL, PEOPLE, token_of
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.embedding.vectors import vector_text
from souvenir.search.beliefs import Belief, Model
from souvenir.search.candidates import Statement, Words, hybrid_statement
from souvenir.search.questions import Question
from tenants.isolation.scope import tenant_scope

_WORDS = 4


def some_words(random: np.random.Generator, store: UUID) -> list[int]:
    """The tokens of a question: words of that store, neither rare nor frequent."""
    return [token_of(store, int(rank)) for rank in random.integers(5, 400, size=_WORDS)]


def statement(
    bench: Bench, store: UUID, tokens: list[int], vector: np.ndarray | None, own: dict[UUID, int]
) -> Statement:
    """What search sends for these tokens and this vector."""
    belief = Belief(Model(MODEL, BilingualEmbedder.model_id, BilingualEmbedder.dimensions), own)
    with tenant_scope(UUID(bench.tenant)):
        return hybrid_statement(
            Question("x", [store], dense_weight=0.5 if vector is not None else 0.0),
            belief=belief,
            vector=vector_text(vector) if vector is not None else None,
            words=Words(tokens, list(range(len(tokens))), [1.0] * len(tokens)),
        )


def _ask(connection: psycopg.Connection[Any], asked: Statement) -> list[Any]:
    return connection.execute(asked.sql, asked.parameters).fetchall()


def hybrid(bench: Bench) -> None:
    """The whole statement against its halves: the bare scan of vectors, and words with texts.

    The halves are not alike. So the statement by meaning alone, with texts, is there too: what two
    questions instead of one would take.
    """
    print(
        "\n| passages | vectors, CPU p50 ms | words | both, with texts | ratio | by meaning alone |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    connection = bench.app()
    random = np.random.default_rng(5)
    for name in ("1k", "10k", "50k"):
        store = bench.store(name)
        ways: list[list[Callable[[], Any]]] = [[], [], [], []]
        for q in questions(bench, name):
            tokens = some_words(random, store)
            near = {"q": vector_text(q), "t": bench.tenant, "s": [store]}
            for way, asked in zip(
                ways,
                (
                    Statement(exact_sql(CANDIDATES), near),
                    statement(bench, store, tokens, None, {}),
                    statement(bench, store, tokens, q, {}),
                    statement(bench, store, [], q, {}),
                ),
                strict=True,
            ):
                way.append(partial(_ask, connection, asked))
        a, b, c, d = (timed(connection, calls, rounds=TO_TELL_P99)[0].mid for calls in ways)
        print(f"| {PEOPLE[name]:,} | {a:.2f} | {b:.2f} | {c:.2f} | {c / (a + b):.2f} | {d:.2f} |")
        bench.hold(f"both retrievers against their sum, {PEOPLE[name]:,}", "≤", 1.3, c / (a + b))
        title = f"one question against two, with texts, {PEOPLE[name]:,}"
        bench.hold(title, "≤", 1.3, c / (b + d))


def frequent(bench: Bench) -> None:
    """A question of four words of a large store, one of them in more and more of its passages."""
    print("\n| the most frequent word is in | of passages | p50 ms | p95 | p99 | CPU p50 |")
    print("| --- | --- | --- | --- | --- | --- |")
    connection = bench.app()
    store = bench.store("large")
    bucket = bench.bucket(connection, "large")
    count = len(bench.kept("large")[0])
    for rank in (1_000, 100, 20, 5, 1):
        tokens = [token_of(store, other) for other in (rank, 5_000, 9_000, 12_000)]
        ((hits,),) = connection.execute(
            "SELECT count(*) FROM ingestion_passagetoken"
            " WHERE tenant_id = %s AND store_id = %s AND token = %s",
            [bench.tenant, store, tokens[0]],
        ).fetchall()
        whole = statement(bench, store, tokens, None, {store: bucket} if bucket else {})
        calls = [lambda s=whole: connection.execute(s.sql, s.parameters).fetchall()] * 5
        spent, _ = timed(connection, calls)
        print(f"| {hits:,} | {count:,} | {spent.line()} |")
