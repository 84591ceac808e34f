"""The ways of answering that are compared: search as it is, its halves, and their ranks fused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bench.recall_metrics import BUDGETS, Answered, Result
from bench.recall_sets import QuestionSet
from souvenir.core.jobs import Job
from souvenir.embedding.local import local_embedder
from souvenir.ingestion.models import Trust
from souvenir.memories.models import Message
from souvenir.memories.selectors import get_person, personal_store
from souvenir.search.context import context
from souvenir.search.questions import Question
from souvenir.search.services import Found, search
from souvenir.search.tokens import TokenCounter
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, import_bytes, make_tenant, run_jobs

SOUVENIR, MEANING, WORDS = "Souvenir", "vectors alone", "BM25 alone"
FUSED, CONTEXT = "RRF of these two", "Souvenir, its block for a prompt"
# What dates, sources and whose words it is cost: the results as they are, each with these.
DATED = "Souvenir's results, each dated"
BUDGETED_ONLY = frozenset({CONTEXT, DATED})
_RRF_K = 60
SHOWN = 10
LONG = 200  # results: more than the largest context takes

_WHOSE = {
    Trust.STATED: "the person",
    Trust.ANSWERED: "an assistant",
    Trust.BROUGHT: "a third party",
}

Answers = dict[str, list[Answered]]  # by way: one for each question of the set


@dataclass(frozen=True)
class Stored:
    """A set of questions whose messages have been brought in and embedded."""

    asked: QuestionSet
    tenant: Tenant
    keys: dict[object, str]  # of messages, by id: as the source numbers them


def bring_in(asked: QuestionSet) -> Stored:
    """By the services that the doors call: upload, import, passages, vectors."""
    tenant = make_tenant()
    for name, body in asked.exports():
        import_bytes(tenant, body, name=name)
    run_jobs(tenant, Job.EMBED_PASSAGES)
    with tenant_scope(tenant.id):
        keys: dict[object, str] = dict(Message.objects.values_list("id", "provider_id"))
    return Stored(asked, tenant, keys)


def answers_of_search(stored: Stored) -> Answers:
    """Each question: search as it is, each of its halves, and both halves by reciprocal rank."""
    with tenant_scope(stored.tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
    found: Answers = {name: [] for name in (SOUVENIR, MEANING, WORDS, FUSED)}
    for asked in stored.asked.questions:
        question = Question(asked.text, [store.id], limit=SHOWN)
        with tenant_scope(stored.tenant.id):
            shown, long = (
                _results(stored, search(replace(question, limit=n)).results) for n in (SHOWN, LONG)
            )
            near = search(replace(question, limit=LONG, dense_weight=1.0)).results
            worded = search(replace(question, limit=LONG, dense_weight=0.0)).results
        found[SOUVENIR].append(Answered(shown, long))
        halves = [
            _results(stored, sorted(near, key=lambda one: -(one.similarity or 0))),
            _results(stored, sorted(worded, key=lambda one: -(one.bm25 or 0))),
        ]
        for name, results in zip((MEANING, WORDS, FUSED), [*halves, _fused(halves)], strict=True):
            found[name].append(Answered(results, results))
    return found


def answers_of_context(stored: Stored) -> list[Answered]:
    """Each question: what stands in the block for a prompt, dates, titles and marks counted too."""
    with tenant_scope(stored.tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
    found = []
    for asked in stored.asked.questions:
        blocks = {}
        for budget in BUDGETS:
            with tenant_scope(stored.tenant.id):
                items = context(Question(asked.text, [store.id]), budget=budget).items
            blocks[budget] = {stored.keys[item.message_id] for item in items}
        found.append(Answered([], [], blocks))
    return found


def answers_dated(stored: Stored) -> list[Answered]:
    """Each question: the results in their order, each written as a block writes a record."""
    with tenant_scope(stored.tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
    counter = TokenCounter()
    answered = []
    for asked in stored.asked.questions:
        with tenant_scope(stored.tenant.id):
            found = search(Question(asked.text, [store.id], limit=LONG)).results
        long = [
            Result(stored.keys[one.message_id], counter.lines("\n".join(_as_a_record(one))))
            for one in found
        ]
        answered.append(Answered([], long))
    return answered


def _as_a_record(one: Found) -> list[str]:
    """With date, source and whose words it is on a line of its own, under no heading."""
    day = f"{one.occurred_at:%Y-%m-%d}" if one.occurred_at else "undated"
    return [
        f"[10] {day} · {one.provider} · {_WHOSE[Trust(one.trust)]}",
        *(f"| {line}" for line in one.text.splitlines()),
    ]


def _results(stored: Stored, found: Iterable[Found]) -> list[Result]:
    return [
        Result(stored.keys[one.message_id], tokens_of(one.text), str(one.passage_id))
        for one in found
    ]


def _fused(rankings: Sequence[Sequence[Result]]) -> list[Result]:
    """Cormack, Clarke, Büttcher, SIGIR 2009."""
    score: dict[Result, float] = {}
    for ranking in rankings:
        for rank, result in enumerate(ranking, start=1):
            score[result] = score.get(result, 0.0) + 1 / (_RRF_K + rank)
    return sorted(score, key=lambda result: -score[result])


@cache
def tokens_of(text: str) -> int:
    """How long a text is for the local model."""
    return local_embedder().count_tokens(text)
