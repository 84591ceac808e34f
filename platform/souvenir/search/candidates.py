"""Fetches what may answer a question: one round trip to the database."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from souvenir.core.sealing import blind_token
from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.embedding.registry import embedder_of
from souvenir.embedding.vectors import vector_text
from souvenir.ingestion.languages import language_of
from souvenir.ingestion.past import homes
from souvenir.ingestion.terms import asked_terms, exact_terms
from souvenir.search import frequent
from souvenir.search.beliefs import Belief, Model, Told, read_told
from souvenir.search.looking_back import looks_back
from souvenir.search.narrowing import narrowed_by
from souvenir.search.nearest import nearest
from souvenir.search.phrases import MOST_WITH_PHRASES, apart, phrase_arms
from souvenir.search.question_vectors import question_vectors
from souvenir.search.questions import Question
from souvenir.search.records import COLUMNS, LOOKED_UP, Candidate, candidates_in
from souvenir.search.time_expressions import Understood
from souvenir.search.timely import timely
from tenants.isolation.scope import current_tenant
from tenants.keyring.index_keys import index_keys

_HYBRID = (Path(__file__).parent / "hybrid.sql").read_text()
_CANDIDATES = 100  # of each retriever, before they are mixed
LEAST_POOL, _POOL_PER_RESULT = 80, 3  # with 40, an answer on LoCoMo had .01 less of the evidence
_EXACT_WEIGHT = 0.2  # of what is found as it is written, on top of its stem
# Of what words alone have found, how near it is.
_COMPARED = """SELECT c.passage_id, c.bm25, coalesce(c.similarity, v.similarity) AS similarity
    FROM candidate c
    LEFT JOIN LATERAL (
        SELECT -((embedding <#> (SELECT vector FROM question)) + 0) AS similarity
        FROM ingestion_passagevector
        WHERE c.similarity IS NULL AND tenant_id = %(tenant)s AND store_id = ANY (%(stores)s)
          AND model = %(model)s AND bucket IN ({buckets}) AND passage_id = c.passage_id OFFSET 0
    ) v ON true"""
_NOT_COMPARED = "SELECT passage_id, bm25, NULL::float8 AS similarity FROM candidate"
_MERGED = {"most": "max", "merged": "GROUP BY a.term, a.weight, t.passage_id"}
_AS_THEY_ARE = {"most": "", "merged": ""}


@dataclass(frozen=True, slots=True)
class Words:
    """The blind tokens to look for; of each the number of its word, and how much that counts."""

    tokens: list[int]
    terms: list[int]
    weights: list[float]
    merged: bool = False  # a passage may have a word twice, as two terms of which one counts
    phrases: tuple[list[int], ...] = ()  # of each phrase the numbers of its words


@dataclass(frozen=True, slots=True)
class Statement:
    """What the database is asked."""

    sql: str
    parameters: dict[str, Any]


def words_of(text: str, *, language: str) -> Words:
    """What to look for, under every index key in use. `language` as `languages` names it.

    What is quoted may be of the other language, as the text that it is quoted from.
    """
    quoted, rest = apart(text)
    phrases = [asked_terms(phrase, language=language_of(phrase)) for phrase in quoted]
    asked = sorted({*asked_terms(rest, language=language), *chain.from_iterable(phrases)})
    words = [(found, 1.0) for found in asked]
    exact = sorted(exact_terms(text, is_question=True))
    words += [((term,), _EXACT_WEIGHT) for term in exact]
    rows = [
        (blind_token(term, key=key), number, weight)
        for _, key in index_keys()
        for number, (alternatives, weight) in enumerate(words)
        for term in alternatives
    ]
    numbers = [[asked.index(term) for term in phrase] for phrase in phrases]
    return Words(
        tokens=[token for token, _, _ in rows],
        terms=[number for _, number, _ in rows],
        weights=[weight for _, _, weight in rows],
        merged=any(len(alternatives) > 1 for alternatives, _ in words),
        phrases=tuple(phrase for phrase in numbers if phrase),
    )


def vector_of(text: str, model: Model) -> str | None:
    """The question's vector as PostgreSQL reads it; None where the embedder does not answer."""
    try:
        return vector_text(question_vectors.vector(current_tenant(), model.name, text))
    except EmbedderUnavailable:
        return None


def hybrid_statement(
    question: Question,
    *,
    belief: Belief,
    vector: str | None,
    words: Words,
    time: Understood | None = None,
    without: UUID | None = None,
) -> Statement:
    """What is asked of the database.

    Args:
        vector: as PostgreSQL reads it; None: only words count.
        without: a conversation of which nothing more is wanted.
    """
    narrowed = narrowed_by(question.only, without=without)
    stores = homes(question.store_ids) if looks_back(question.only) else question.store_ids
    near = nearest(
        stores,
        belief,
        narrowed=narrowed,
        by_meaning=vector is not None,
        candidates=max(_CANDIDATES, pool_of(question, words)),
    )
    buckets = ", ".join(str(int(bucket)) for bucket in sorted({0, *belief.own.values()}))
    scored = _COMPARED.format(buckets=buckets) if vector else _NOT_COMPARED
    asked_of = timely(time, narrow=narrowed.by_key, buckets=buckets, by_meaning=vector is not None)
    is_large = not belief.own.keys().isdisjoint(stores)
    dense_weight = question.dense_weight if vector else 0.0
    sql = _HYBRID.format(
        before="".join(f"{query}, " for query in near.before),
        nearest=near.sql,
        among=near.among,
        by_key=near.by_key,
        scored=scored,
        more=asked_of.arm + phrase_arms(len(words.phrases), narrow=narrowed.by_key),
        dated=asked_of.dated,
        timely_share=asked_of.share,
        columns=COLUMNS,
        looked_up=LOOKED_UP,
        asked=frequent.words_asked(is_large=is_large, by_meaning=dense_weight > 0),
        tokens="ARRAY(SELECT token FROM asked)" if is_large else "%(tokens)s",
        **(_MERGED if words.merged else _AS_THEY_ARE),
    )
    parameters = near.parameters | narrowed.parameters | asked_of.parameters
    parameters |= _asked(question, words) | {
        "tenant": current_tenant(),
        "stores": stores,
        "vector": vector,
        "dense_weight": dense_weight,
    }
    unrelated, same = _nearness_range(belief.model)
    return Statement(sql, parameters | {"unrelated": unrelated, "same": same})


def _asked(question: Question, words: Words) -> dict[str, Any]:
    """The parameters that say what is looked for, and how much of it."""
    quoted: dict[str, Any] = {
        f"phrase_{place}": numbers for place, numbers in enumerate(words.phrases)
    }
    return quoted | {
        "looks_back": looks_back(question.only),
        "tokens": words.tokens,
        "asked": words.terms,
        "weights": words.weights,
        "pool": pool_of(question, words),
        "frequent": frequent.LEAST,
        "frequent_share": frequent.SHARE,
    }


def pool_of(question: Question, words: Words) -> int:
    """How many candidates are ranked, if there are as many."""
    # Only an opened text shows whether it has a phrase as it is written.
    more = MOST_WITH_PHRASES if words.phrases else 0
    return max(LEAST_POOL, _POOL_PER_RESULT * question.limit) + more


def _nearness_range(model: Model) -> tuple[float, float]:
    try:
        return embedder_of(model.name).nearness_range
    except EmbedderUnavailable:
        return 0.0, 1.0  # nothing is near, and it does not matter


def candidates(statement: Statement) -> tuple[list[Candidate], Told]:
    """Passages that may answer, likeliest first; and what is true. One round trip."""
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters)
        rows = cursor.fetchall()
    found = candidates_in([columns for _, is_found, *columns in rows if is_found])
    return found, read_told(rows[0][0])
