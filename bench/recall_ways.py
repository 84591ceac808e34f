"""The ways of answering that are compared: search as it is, its halves, and their ranks fused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from bench.recall_metrics import Answered, Result
from bench.recall_sets import QuestionSet
from souvenir.core.jobs import Job
from souvenir.embedding.local import local_embedder
from souvenir.memories.models import Message
from souvenir.memories.selectors import get_person, personal_store
from souvenir.search.questions import DENSE_WEIGHT, Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, import_bytes, make_tenant, run_jobs

SOUVENIR, MEANING, WORDS = "Souvenir", "vectors alone", "BM25 alone"
FUSED = "RRF of these two"
_WEIGHTS = {SOUVENIR: DENSE_WEIGHT, MEANING: 1.0, WORDS: 0.0}
_RRF_K = 60
SHOWN = 10
LONG = 200  # results: more than the largest context takes

Answers = dict[str, list[Answered]]  # by way: one for each question of the set
_Ask = Callable[[str, float, int], list[Result]]


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
    """Each question: the mix that search uses, each half of it, and both by reciprocal rank."""
    ask = _asker(stored)
    found: Answers = {name: [] for name in (SOUVENIR, MEANING, WORDS, FUSED)}
    for question in stored.asked.questions:
        for name, weight in _WEIGHTS.items():
            shown, long = (ask(question.text, weight, limit) for limit in (SHOWN, LONG))
            found[name].append(Answered(shown, long))
        fused = _fused([found[MEANING][-1].long, found[WORDS][-1].long])
        found[FUSED].append(Answered(fused, fused))
    return found


def _asker(stored: Stored) -> _Ask:
    with tenant_scope(stored.tenant.id):
        store = personal_store(person=get_person(external_id="alice"))

    def ask(text: str, weight: float, limit: int) -> list[Result]:
        with tenant_scope(stored.tenant.id):
            question = Question(text, [store.id], limit=limit, dense_weight=weight)
            found = search(question).results
        return [
            Result(stored.keys[one.message_id], tokens_of(one.text), str(one.passage_id))
            for one in found
        ]

    return ask


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
