"""Another model: filled beside the old one, compared, switched to, and the old one cleared."""

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.embedding.changing import (
    clear_retired_models,
    compare_models,
    start_model,
    switch_model,
)
from souvenir.embedding.counts import search_counts
from souvenir.embedding.errors import EmbedderUnknown, ModelBusy, ModelIncomplete, NoModelFills
from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.registry import EMBEDDERS
from souvenir.embedding.selectors import serving_model
from souvenir.embedding.services import SET_ASIDE
from souvenir.ingestion.models import Passage, PassageVector
from souvenir.ingestion.services import remember
from souvenir.memories.models import Store
from souvenir.memories.services import Statement, ensure_shared_store
from souvenir.search.questions import Question
from souvenir.search.services import Answer, search
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tests.builders import Tenant, make_tenant, run_jobs
from tests.word_embedder import WordEmbedder

OLD, NEW = BilingualEmbedder.model_id, WordEmbedder.model_id


@pytest.fixture(autouse=True)
def _a_second_embedder(other_cell: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EMBEDDERS, NEW, WordEmbedder)


def _store(tenant: Tenant, *texts: str) -> Store:
    with tenant_scope(tenant.id):
        store = ensure_shared_store(slug="team")
        for text in texts or ("The kettle is blue", "Nadine repairs the snow blower"):
            remember(store=store, statement=Statement(text=text))
    run_jobs(tenant, Kind.EMBED_PASSAGES)
    return store


def _ask(tenant: Tenant, store: Store, text: str) -> Answer:
    with tenant_scope(tenant.id):
        return search(Question(text, [store.id], dense_weight=1.0))


def _vectors(tenant: Tenant) -> dict[int, int]:
    """How many vectors of each model, by its number."""
    with tenant_scope(tenant.id):
        found = list(PassageVector.objects.values_list("model", flat=True))
    return {model: found.count(model) for model in sorted(set(found))}


def _change(*tenants: Tenant) -> None:
    start_model(name=NEW)
    for tenant in tenants:
        run_jobs(tenant, Kind.FILL_MODEL)
    switch_model()


def test_search_asks_the_old_model_until_the_switch_and_the_new_one_after() -> None:
    acme, globex = make_tenant(), make_tenant()
    store, theirs = _store(acme), _store(globex)
    question = "Who mends machines in winter?"  # no word in common: by words, nothing is near

    first = _ask(acme, store, question).results[0]
    start_model(name=NEW)
    run_jobs(acme, Kind.FILL_MODEL)
    during = _ask(acme, store, question).results[0]
    with pytest.raises(ModelIncomplete, match="2 passages"):
        switch_model()
    run_jobs(globex, Kind.FILL_MODEL)
    switch_model()
    after = _ask(acme, store, "blue kettle is").results[0]

    assert first.text == during.text == "Nadine repairs the snow blower"
    assert first.similarity == during.similarity
    assert after.text == "The kettle is blue"
    assert after.similarity == pytest.approx(0.87, abs=0.02)
    assert _ask(globex, theirs, "kettle").by_meaning
    assert serving_model().name == NEW


def test_what_comes_while_a_model_fills_gets_both_vectors() -> None:
    acme = make_tenant()
    _store(acme)
    start_model(name=NEW)

    _store(acme, "The ferry sails at noon")
    filled_later = _vectors(acme)
    run_jobs(acme, Kind.FILL_MODEL)

    assert filled_later == {2: 3, 3: 1}
    assert _vectors(acme) == {2: 3, 3: 3}


def test_what_was_set_aside_is_not_tried_again_by_each_round_and_holds_up_no_switch() -> None:
    acme = make_tenant()
    store = _store(acme)
    with tenant_scope(acme.id):
        bad = Passage.objects.filter(store_id=store.id).first()
        assert bad is not None
        Passage.objects.filter(id=bad.id).update(embedded_with=SET_ASIDE)
        PassageVector.objects.filter(passage_id=bad.id).delete()
    start_model(name=NEW)
    run_jobs(acme, Kind.FILL_MODEL)

    compared = compare_models()
    switch_model()

    assert _vectors(acme) == {2: 1, 3: 1}
    assert compared.asked == 0, "the only one left has nothing beside it"
    with tenant_scope(acme.id):
        counts = search_counts()
    assert counts.agree(serving=NEW)
    assert (counts.passages, counts.set_aside) == (2, 1)


def test_after_the_switch_the_old_vectors_go_and_the_counts_agree() -> None:
    acme = make_tenant()
    store = _store(acme)
    _change(acme)
    kept = _vectors(acme)

    clear_retired_models()
    run_jobs(acme, Kind.CLEAR_MODEL)

    assert (kept, _vectors(acme)) == ({2: 2, 3: 2}, {3: 2})
    with tenant_scope(acme.id):
        counts = search_counts()
    assert counts.agree(serving=NEW)
    assert (counts.passages, counts.vectors, counts.token_sets) == (2, {NEW: 2}, 2)
    assert len(_ask(acme, store, "kettle").results) == 2


def test_a_switch_can_be_taken_back_with_nothing_to_fill() -> None:
    acme = make_tenant()
    _store(acme)
    _change(acme)

    start_model(name=OLD)
    switch_model()

    assert serving_model().name == OLD
    assert serving_model().number == 2
    assert _vectors(acme) == {2: 2, 3: 2}


def test_a_large_store_s_graph_is_there_for_both_models() -> None:
    acme = make_tenant()
    store = _store(acme)
    with tenant_scope(acme.id):
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    run_jobs(acme, Kind.PROMOTE_STORE)

    _change(acme)

    assert _ask(acme, store, "blue kettle is").results[0].text == "The kettle is blue"
    clear_retired_models()
    run_jobs(acme, Kind.CLEAR_MODEL)
    assert _vectors(acme) == {3: 2}


def test_two_models_are_compared_by_what_both_find() -> None:
    acme = make_tenant()
    _store(acme, *[f"Note {number} says nothing of note {number + 1}" for number in range(15)])
    start_model(name=NEW)
    run_jobs(acme, Kind.FILL_MODEL)

    comparison = compare_models(per_organization=10)

    assert comparison.asked == 10
    assert 0.3 < comparison.mean <= 1.0
    assert 0.0 <= comparison.tenth <= comparison.mean


def test_a_model_that_differs_in_nothing_overlaps_wholly(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = make_tenant()
    _store(acme, *[f"Note {number} about the garden" for number in range(15)])

    class Twin(WordEmbedder):
        model_id = "hashed-words/2"

    monkeypatch.setitem(EMBEDDERS, Twin.model_id, Twin)
    _change(acme)
    start_model(name=Twin.model_id)
    run_jobs(acme, Kind.FILL_MODEL)

    assert compare_models(per_organization=5).mean == 1.0


def test_models_that_cannot_be_started_or_switched_to_are_refused() -> None:
    with pytest.raises(EmbedderUnknown):
        start_model(name="nobody-s/1")
    with pytest.raises(ModelBusy):
        start_model(name=OLD)
    with pytest.raises(NoModelFills):
        switch_model()

    start_model(name=NEW)
    start_model(name=NEW)  # again: asks for what is missing

    assert EmbeddingModel.objects.count() == 2
