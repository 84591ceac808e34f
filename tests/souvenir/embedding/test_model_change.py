"""Another model: filled beside the old one, compared, switched to, and the old one cleared."""

import itertools
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from souvenir.core.jobs import Job as Kind
from souvenir.embedding import filling, promotion
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.embedding.changing import (
    clear_retired_models,
    compare_models,
    start_model,
    stop_model,
    switch_model,
)
from souvenir.embedding.counts import search_counts
from souvenir.embedding.errors import EmbedderUnknown, ModelBusy, ModelIncomplete, NoModelFills
from souvenir.embedding.large_stores import ask_to_move
from souvenir.embedding.models import EmbeddingModel
from souvenir.embedding.registry import EMBEDDERS
from souvenir.embedding.selectors import filling_model, serving_model
from souvenir.embedding.services import SET_ASIDE
from souvenir.embedding.vectors import keep_vectors
from souvenir.ingestion.models import LargeStore, Passage, PassageVector
from souvenir.ingestion.past import homes
from souvenir.ingestion.services import remember
from souvenir.memories.models import Store
from souvenir.memories.services import Statement, ensure_shared_store
from souvenir.search.questions import Question
from souvenir.search.services import Answer, search
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, claim_job
from tenants.maintainer import maintain
from tenants.models import Job
from tests.builders import Tenant, make_tenant, run_jobs
from tests.killed import Killed
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


def _promoted(tenant: Tenant) -> Store:
    store = _store(tenant)
    with tenant_scope(tenant.id):
        ask_to_move(slug="team", kind=Kind.PROMOTE_STORE)
    run_jobs(tenant, Kind.PROMOTE_STORE)
    return store


def _graphs(tenant: Tenant) -> int:
    with tenant_scope(tenant.id):
        bucket = LargeStore.objects.get().bucket
    name = f"ingestion_passagevector_.*_b{bucket}_m[0-9]+"
    return int(maintain("SELECT count(*) FROM pg_class WHERE relname ~ %s", name)[0][0])


def test_a_model_that_begins_to_be_filled_while_a_store_moves_has_its_graph_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = make_tenant()
    build = promotion.index_store

    def and_a_model_is_started(tenant_id: UUID, bucket: int) -> None:
        build(tenant_id, bucket)
        if filling_model() is None:
            start_model(name=NEW)
            run_jobs(acme, Kind.FILL_MODEL)

    monkeypatch.setattr(promotion, "index_store", and_a_model_is_started)
    store = _promoted(acme)
    switch_model()

    assert _graphs(acme) == 2
    assert _vectors(acme) == {2: 2, 3: 2}
    assert _ask(acme, store, "blue kettle is").results[0].text == "The kettle is blue"


@override_settings(SOUVENIR_LARGE_STORE_PASSAGES=2)
def test_after_the_switch_it_is_measured_at_once_how_far_the_new_graph_is_believed() -> None:
    acme = make_tenant()
    _promoted(acme)

    _change(acme)
    (asked,) = run_jobs(acme, Kind.PROMOTE_STORE)

    assert asked.state == Job.State.SUCCEEDED
    with tenant_scope(acme.id):
        assert LargeStore.objects.get().trusted_model == serving_model().number


def test_a_model_that_is_started_again_keeps_what_a_clearing_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = make_tenant()
    _store(acme, *[f"Note {number}" for number in range(4)])
    _change(acme)
    clear_retired_models()
    steps = itertools.count(1)

    def started_again_in_the_second_step(store_ids: list[UUID]) -> list[UUID]:
        if next(steps) == 2:
            EmbeddingModel.objects.filter(name=OLD).update(state="filling")
        return homes(store_ids)

    monkeypatch.setattr(filling, "_STEP_VECTORS", 1)
    monkeypatch.setattr(filling, "homes", started_again_in_the_second_step)
    run_jobs(acme, Kind.CLEAR_MODEL)
    left = _vectors(acme)
    start_model(name=OLD)
    run_jobs(acme, Kind.FILL_MODEL)
    switch_model()

    assert left == {2: 3, 3: 4}
    assert _vectors(acme) == {2: 4, 3: 4}


def test_an_organization_without_a_passage_is_compared_and_switched_with_the_others() -> None:
    make_tenant()
    acme = make_tenant()
    _store(acme, *[f"Note {number} about the garden" for number in range(3)])
    start_model(name=NEW)
    run_jobs(acme, Kind.FILL_MODEL)

    compared = compare_models()
    switch_model()

    assert compared.asked == 3
    assert serving_model().name == NEW


def test_a_fill_that_was_killed_half_way_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = make_tenant()
    _store(acme, *[f"Note {number}" for number in range(5)])
    monkeypatch.setattr(filling, "_STEP_PASSAGES", 2)
    start_model(name=NEW)
    with tenant_scope(acme.id):
        lease = claim_job(Job.objects.get(kind=Kind.FILL_MODEL, state="queued").id)
    assert lease is not None
    steps = itertools.count()

    def die_in_the_second(*given: Any, **named: Any) -> None:
        if next(steps) == 1:
            raise Killed
        keep_vectors(*given, **named)

    with monkeypatch.context() as dying:
        dying.setattr(filling, "keep_vectors", die_in_the_second)
        with pytest.raises(Killed):
            filling.fill_store(lease)
    half = _vectors(acme)
    with pytest.raises(ModelIncomplete, match="3 passages"):
        switch_model()
    with tenant_scope(acme.id):
        Job.objects.filter(id=lease.job_id).update(holder="")
    run_jobs(acme, Kind.FILL_MODEL)
    switch_model()

    assert (half, _vectors(acme)) == ({2: 5, 3: 2}, {2: 5, 3: 5})


def test_a_model_can_be_given_up_before_the_switch_and_nothing_of_it_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = make_tenant()
    store = _store(acme, *[f"Note {number}" for number in range(4)])
    monkeypatch.setattr(filling, "_STEP_PASSAGES", 1)
    start_model(name=NEW)
    steps = itertools.count(1)

    def stopped_at_the_second(*given: Any, **named: Any) -> None:
        keep_vectors(*given, **named)
        if next(steps) == 2:
            stop_model()

    monkeypatch.setattr(filling, "keep_vectors", stopped_at_the_second)
    run_jobs(acme, Kind.FILL_MODEL)
    half = _vectors(acme)
    with pytest.raises(NoModelFills):
        switch_model()
    clear_retired_models()
    run_jobs(acme, Kind.CLEAR_MODEL)
    start_model(name=NEW)  # another may be tried, or the same again

    assert (half, _vectors(acme)) == ({2: 4, 3: 2}, {2: 4})
    assert serving_model().name == OLD
    assert _ask(acme, store, "Note 1").by_meaning


def test_two_models_are_compared_by_what_both_find() -> None:
    acme = make_tenant()
    _store(acme, *[f"Note {number} says nothing of note {number + 1}" for number in range(15)])
    start_model(name=NEW)
    run_jobs(acme, Kind.FILL_MODEL)

    comparison = compare_models(per_organization=10)

    assert comparison.asked == 10
    assert 0.3 < comparison.mean < 1.0, "two models that differ"
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
