"""Stage 2: give passages their vectors."""

from uuid import UUID

from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.registry import embedder_of
from souvenir.embedding.selectors import models_in_use
from souvenir.embedding.vectors import keep_vectors
from souvenir.ingestion.models import Passage
from souvenir.ingestion.surroundings import searchables_of
from tenants.ledger import Cost, Lease
from tenants.ledger.breakage import BREAKS, where_it_broke
from tenants.ledger.items import (
    clear_suspects,
    judge_the_watched,
    set_aside_one,
    suspect,
    suspects,
    take_retried,
    watched,
)

_STEP_PASSAGES = 32  # about two seconds of one core
_CAREFUL_FROM = 2  # claims without moving on: something in the next step may kill us
SET_ASIDE = "-"  # stands for a model: the passage has no vector, and is found by its words alone


def embed_store(lease: Lease) -> None:
    """Give a vector to every passage of a store that has none, for a turn or to the end.

    Safe to run twice, or side by side. While a new model is being filled it gets one of that too.
    The texts are read in one step and the vectors written in the next, which ends the job too where
    nothing is left: no transaction is open while the model works. A passage that has gone in
    between gets none; one that breaks us, or kills us, is set aside.

    Raises:
        EmbedderUnavailable
        LeaseLost
    """
    suspected = set[str]() if lease.is_first else _look_back(lease)
    while True:
        with lease.step():
            waiting = _waiting(lease.subject_id)
            if not waiting:
                clear_suspects(lease)
                lease.finish()
                return
            if lease.turn_is_over:
                lease.give_turn_back()
                return
            alone = str(waiting[0].id) in suspected
            waiting = waiting[: 1 if alone else _STEP_PASSAGES]
            texts, models = passage_texts(waiting), models_in_use()
        if alone:
            with watched(lease, str(waiting[0].id)):
                _embed(lease, waiting, texts, models)
        elif _embed(lease, waiting, texts, models, may_end=len(waiting) < _STEP_PASSAGES):
            return


def _look_back(lease: Lease) -> set[str]:
    """See what became of earlier claims. Gives the passages that are to be embedded alone."""
    with lease.step():
        _mark(take_retried(lease), "")
        _mark(judge_the_watched(lease), SET_ASIDE)
        if lease.attempts >= _CAREFUL_FROM and not suspects(lease):
            suspect(lease, [str(passage.id) for passage in _waiting(lease.subject_id)])
        return suspects(lease)


def _embed(
    lease: Lease,
    waiting: list[Passage],
    texts: dict[UUID, str],
    models: list[EmbeddingModel],
    *,
    may_end: bool = False,
) -> bool:
    """Embed some passages; if that breaks us, each alone, so that only the bad one is set aside.

    Says whether the job has ended: only where it may, and no passage of the store waits any more.
    """
    wanted = [passage for passage in waiting if passage.id in texts]
    said = [texts[passage.id] for passage in wanted]
    try:
        made = [embedder_of(model.name).embed(said, kind="passage") for model in models]
    except BREAKS as error:
        if len(waiting) > 1:
            for passage in waiting:
                _embed(lease, [passage], texts, models)
            return False
        with lease.step():
            set_aside_one(lease, str(waiting[0].id), where_it_broke(error))
            _mark([str(waiting[0].id)], SET_ASIDE)
        return False
    with lease.step():
        for model, vectors in zip(models, made, strict=True):
            keep_vectors(wanted, vectors, model=model)
        _mark([str(passage.id) for passage in waiting], models[0].name)
        cost = Cost(tokens=sum(passage.terms for passage in wanted))
        lease.move_on(done=len(waiting), cost=cost)
        if not may_end or _waiting(lease.subject_id):
            return False
        clear_suspects(lease)
        lease.finish()
        return True


def _mark(passage_ids: list[str], model: str) -> None:
    Passage.objects.filter(id__in=passage_ids).update(embedded_with=model)


def passage_texts(passages: list[Passage]) -> dict[UUID, str]:
    """What is embedded of each passage, by its id; without those whose text has gone."""
    found = searchables_of(passages)
    return {passage_id: one.for_meaning() for passage_id, one in found.items()}


def _waiting(store_id: UUID) -> list[Passage]:
    found = Passage.objects.filter(store_id=store_id, embedded_with="")
    return list(found.order_by("id")[:_STEP_PASSAGES])
