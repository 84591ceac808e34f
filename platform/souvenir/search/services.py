"""Ask a memory: the passages that answer best, by meaning and by words."""

from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from souvenir.core.metrics import searches, timed
from souvenir.ingestion.languages import language_of
from souvenir.search.beliefs import Belief, Beliefs
from souvenir.search.candidates import candidates, hybrid_statement, pool_of, vector_of, words_of
from souvenir.search.errors import QuestionEmpty
from souvenir.search.phrases import phrases_in
from souvenir.search.priors import prior_of_time
from souvenir.search.questions import Question
from souvenir.search.ranking import Besides, Ranked, answers, filling, ranked
from souvenir.search.records import Facts, facts_of
from souvenir.search.rerank import Rerank, configured_reranker, opened, process_pause, reranked
from souvenir.search.speakers import named_in
from souvenir.search.time_expressions import Understood, time_in
from tenants.isolation.scope import current_tenant, has_transaction, tenant_scope

_MAX_QUESTION = 8_000  # characters looked at
_TRIES = 3  # a store that moves, and a model that changes, in the same second
_beliefs = Beliefs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Facts):
    """One passage: what it says, how well it fits, and where it stands.

    `score` is between 0 and 1 and compares passages of one answer only. `similarity` is the cosine
    (None: not embedded yet), `bm25` the words' own score (None: no word in common).
    """

    passage_id: UUID
    text: str
    score: float
    similarity: float | None
    bm25: float | None
    conversation_title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Best first. `pending`: passages of these stores that have no vector yet."""

    results: list[Found]
    pending: int
    by_meaning: bool  # False: the embedder did not answer, and only words were compared
    time: Understood | None  # what the question says of when; passages of then come sooner
    rerank: Rerank = Rerank.OFF


@dataclass(frozen=True, slots=True)
class Ranking:
    """All that may answer, best first: nothing is folded yet, and nothing held back."""

    items: list[Ranked]
    pending: int
    by_meaning: bool
    time: Understood | None
    rerank: Rerank = Rerank.OFF


@timed(searches)
def search(question: Question) -> Answer:
    """The best passages, each text once, and no source more often than its share.

    Needs a tenant that is named. Round trips and the second look as `looked_over`.

    Raises:
        QuestionEmpty
    """
    found = looked_over(question)
    with tenant_scope(current_tenant()):  # texts are opened now
        results = [_found(item) for item in answers(found.items, limit=question.limit)]
    return Answer(
        results=results,
        pending=found.pending,
        by_meaning=found.by_meaning,
        time=found.time,
        rerank=found.rerank,
    )


def looked_over(question: Question) -> Ranking:
    """The ranking, in the reranker's order where there is one.

    That one is called outside any transaction; where the caller holds one, it is not called.

    Raises:
        QuestionEmpty
    """
    reranker = None if has_transaction() else configured_reranker()
    with tenant_scope(current_tenant()):
        found = ranking(question)
        if reranker is None:
            return found
        shown = opened(found.items, by=reranker)
    items, outcome = reranked(question.text, shown, by=reranker, pause=process_pause)
    return replace(found, items=items, rerank=outcome)


def ranking(question: Question) -> Ranking:
    """One round trip to the database; another where stores or models have moved meanwhile, and
    where a single conversation would fill the answer.

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
        found, truth = _ask(question, text, belief)
        if truth == belief:
            break
        _beliefs.learn(tenant_id, question.store_ids, truth)
    return found


def _ask(question: Question, text: str, belief: Belief) -> tuple[Ranking, Belief]:
    """What is found under what is believed, and what is true."""
    language = language_of(text)
    # The tokens first: they look whether keys were destroyed, which ends cached vectors too.
    words = words_of(text, language=language)
    vector = vector_of(text, belief.model)
    time = time_in(text, asked_at=question.asked_at, zone=question.zone)
    statement = partial(
        hybrid_statement, question, belief=belief, vector=vector, words=words, time=time
    )
    found, told = candidates(statement())
    if len(found) >= pool_of(question, words) and (talk := filling(found, limit=question.limit)):
        # One long talk is all that was found: what is best besides is looked for too.
        found += candidates(statement(without=talk))[0]
    by_meaning = vector is not None
    weight = question.dense_weight if by_meaning else 0.0
    besides = Besides(
        prior=prior_of_time(question.asked_at, time),
        phrases=phrases_in(text),
        names=named_in(text),
    )
    best = ranked(found, language=language, dense_weight=weight, besides=besides)
    best = [item for item in best if item.score >= question.min_score]
    return Ranking(best, told.pending, by_meaning, time), told.belief


def _found(item: Ranked) -> Found:
    one = item.candidate
    return Found(
        **facts_of(one),
        passage_id=one.passage_id,
        text=one.text,
        score=item.score,
        similarity=one.similarity,
        bm25=one.bm25,
        conversation_title=one.title,
        start=one.start,
        end=one.end,
    )
