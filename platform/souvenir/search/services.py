"""Ask a memory: the passages that answer best, by meaning and by words."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection
from pgvector import HalfVector

from souvenir.core.metrics import searches, timed
from souvenir.core.sealing import blind_token
from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.ingestion.terms import terms
from souvenir.memories.models import Conversation, MemoryVersion, Message
from souvenir.search.beliefs import Belief, Beliefs, Model, read_told
from souvenir.search.errors import QuestionEmpty
from souvenir.search.nearest import nearest
from souvenir.search.question_vectors import question_vectors
from tenants.isolation.scope import current_tenant
from tenants.keyring.services import index_keys
from tenants.sealed import opened

_HYBRID = (Path(__file__).parent / "hybrid.sql").read_text()
_CANDIDATES = 100  # of each retriever, before they are mixed
# Half meaning, half words: the mix that did best on LoCoMo's turns (docs/benchmarks.md).
DENSE_WEIGHT = 0.5
_MAX_QUESTION = 8_000  # characters looked at
_NARROW = """CROSS JOIN LATERAL (
    SELECT 1 FROM ingestion_passage p
    WHERE p.tenant_id = %(tenant)s AND p.id = v.passage_id{condition} OFFSET 0
) narrowed"""
_TRIES = 3  # a store that moves, and a model that changes, in the same second
_beliefs = Beliefs()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and of what. Empty filters filter nothing."""

    text: str
    store_ids: list[UUID]
    limit: int = 10
    since: datetime | None = None  # inclusive, against when the source says it was said
    until: datetime | None = None  # exclusive
    providers: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    dense_weight: float = DENSE_WEIGHT  # of meaning against words, 0 to 1


@dataclass(frozen=True, slots=True)
class Found:
    """One passage: what it says, how well it fits, and where it stands.

    `score` is between 0 and 1 and compares passages of one answer only. `similarity` is the cosine
    (None: not embedded yet), `bm25` the words' own score (None: no word in common).
    """

    passage_id: UUID
    text: str
    score: float
    similarity: float | None
    bm25: float | None
    conversation_id: UUID | None
    conversation_title: str
    message_id: UUID | None
    memory_id: UUID | None
    block: int
    start: int
    end: int
    role: str
    provider: str
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Best first. `pending`: passages of these stores that have no vector yet."""

    results: list[Found]
    pending: int
    by_meaning: bool  # False: the embedder did not answer, and only words were compared


@dataclass(frozen=True, slots=True)
class Words:
    """Blind tokens to look for, and for each the number of the term that it stands for."""

    tokens: list[int]
    terms: list[int]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters."""

    sql: str
    parameters: dict[str, Any]


@timed(searches)
def search(question: Question) -> Answer:
    """One round trip to the database; another where stores or models have moved meanwhile.

    Needs a tenant scope.

    Raises:
        QuestionEmpty
    """
    text = question.text.strip()[:_MAX_QUESTION]
    if not text:
        raise QuestionEmpty
    tenant_id = current_tenant()
    for _ in range(_TRIES):
        belief = _beliefs.about(tenant_id, question.store_ids)
        answer, truth = _ask(question, text, belief)
        if truth == belief:
            break
        _beliefs.learn(tenant_id, question.store_ids, truth)
    return answer


def _ask(question: Question, text: str, belief: Belief) -> tuple[Answer, Belief]:
    """The answer under what is believed, and what is true."""
    # The tokens first: they look whether keys were destroyed, which ends cached vectors too.
    words = _tokens(text)
    vector = _vector(text, belief.model)
    statement = hybrid_statement(question, belief=belief, vector=vector, words=words)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters)
        rows = cursor.fetchall()
    results = [_found(row[1:]) for row in rows if row[1] is not None]
    told = read_told(rows[0][0])
    by_meaning = statement.parameters["vector"] is not None
    return Answer(results=results, pending=told.pending, by_meaning=by_meaning), told.belief


def hybrid_statement(
    question: Question, *, belief: Belief, vector: str | None, words: Words
) -> Statement:
    """What is asked of the database. `vector` is as PostgreSQL reads it; None: only words count."""
    condition, values = _filter(question)
    narrow = _NARROW.format(condition=condition) if condition else ""
    near, places = nearest(question.store_ids, belief, narrow=narrow, by_meaning=vector is not None)
    buckets = ", ".join(str(int(bucket)) for bucket in sorted({0, *belief.own.values()}))
    sql = _HYBRID.format(narrow=narrow, nearest=near, buckets=buckets)
    parameters: dict[str, Any] = {
        "tenant": current_tenant(),
        "stores": question.store_ids,
        "vector": vector,
        "tokens": words.tokens,
        "asked": words.terms,
        "candidates": max(_CANDIDATES, question.limit),
        "dense_weight": question.dense_weight if vector else 0.0,
        "limit": question.limit,
    }
    return Statement(sql, parameters | places | values)


def _tokens(text: str) -> Words:
    """The tokens to look for, under every index key in use."""
    numbered = list(enumerate(sorted(set(terms(text)))))
    pairs = [
        (blind_token(term, key=key), number) for _, key in index_keys() for number, term in numbered
    ]
    return Words([token for token, _ in pairs], [number for _, number in pairs])


def _vector(text: str, model: Model) -> str | None:
    """The question's vector as PostgreSQL reads it; None where the embedder does not answer."""
    try:
        vector = question_vectors.vector(current_tenant(), model.name, text)
        return HalfVector(vector).to_text()
    except EmbedderUnavailable:
        return None


def _filter(question: Question) -> tuple[str, dict[str, Any]]:
    """SQL to append to a condition on passages `p`, and its parameters."""
    parts = {
        "since": ("p.occurred_at >= %(since)s", question.since),
        "until": ("p.occurred_at < %(until)s", question.until),
        "providers": ("p.provider = ANY (%(providers)s)", question.providers),
        "roles": ("p.role = ANY (%(roles)s)", question.roles),
    }
    used = {name: part for name, part in parts.items() if part[1]}
    condition = "".join(f" AND {sql}" for sql, _ in used.values())
    return condition, {name: value for name, (_, value) in used.items()}


def _found(row: tuple[Any, ...]) -> Found:
    (
        score, similarity, bm25, passage_id, conversation_id, message_id, memory_id, block, start,
        end, role, provider, occurred_at, blocks, title, version_id, memory_text,
    ) = row  # fmt: skip
    if blocks is None:
        whole = opened(MemoryVersion, "text", version_id, memory_text)
    else:
        whole = opened(Message, "blocks", message_id, blocks)[block]["text"]
    return Found(
        passage_id=passage_id,
        text=whole[start:end],
        score=score,
        similarity=similarity,
        bm25=bm25,
        conversation_id=conversation_id,
        conversation_title=opened(Conversation, "title", conversation_id, title or b""),
        message_id=message_id,
        memory_id=memory_id,
        block=block,
        start=start,
        end=end,
        role=role,
        provider=provider,
        occurred_at=occurred_at,
    )
