"""While a store moves, whoever searches and writes waits for nothing, and nothing is lost by it.

The app's connection gives up where it would wait for a lock. Where the graph is being built, which
may take minutes, it is held there: built by a transaction that does not end before it is told.
"""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.embedding import promotion
from souvenir.embedding.large_stores import ask_to_move
from souvenir.embedding.moving import Move, catch_up, clear_some
from souvenir.embedding.selectors import serving_model
from souvenir.ingestion.models import LargeStore, Passage, PassageVector
from souvenir.ingestion.past import past_home
from souvenir.ingestion.services import correct
from souvenir.memories.models import Memory
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.maintainer import maintain
from tenants.models import Job
from tests.builders import Tenant, run_jobs
from tests.souvenir.embedding.moves import (
    KETTLE,
    assert_whole,
    filled_store,
    go_on,
    graph_being_built,
    kill_at,
    run,
    say,
    texts,
)
from tests.souvenir.search.planned import plans, reading

_JOINS = ("Nested Loop", "Hash Join", "Merge Join")


def _stopped_with_a_memory(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> tuple[UUID, UUID]:
    """A store whose move was killed before its graph was built, and one memory that is in it."""
    store_id = filled_store(acme)
    memory_id = say(acme, store_id, "The ferry sails at noon")
    run_jobs(acme, Kind.EMBED_PASSAGES)
    kill_at("index_store", monkeypatch, acme, store_id)
    return store_id, memory_id


@pytest.fixture
def impatient() -> Iterator[None]:
    """Whoever serves gives up where it would wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


@pytest.mark.usefixtures("impatient")
def test_while_the_graph_is_built_nobody_waits_for_it(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_id, memory_id = _stopped_with_a_memory(acme, monkeypatch)

    with graph_being_built(acme, store_id, serving_model()):
        found = texts(acme, store_id)
        say(acme, store_id, "Nadine repairs the snow blower")
        with tenant_scope(acme.id):
            correct(memory_id=memory_id, statement=Statement(text="The ferry sails at one"))
        (embedded,) = run_jobs(acme, Kind.EMBED_PASSAGES)
        later = texts(acme, store_id, "Who mends machines?")
    go_on(acme)
    (moved,) = run_jobs(acme, Kind.PROMOTE_STORE)

    assert found[0] == KETTLE
    assert later[0] == "Nadine repairs the snow blower"
    assert (embedded.state, moved.state) == (Job.State.SUCCEEDED, Job.State.SUCCEEDED)
    assert texts(acme, store_id, "Who mends machines?")[0] == later[0]
    assert texts(acme, store_id, "When does the boat leave?")[0] == "The ferry sails at one"
    assert_whole(acme, store_id)


@pytest.mark.usefixtures("impatient")
def test_a_person_s_store_is_written_and_erased_beside_a_store_that_moves(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_id = filled_store(acme)
    kill_at("index_store", monkeypatch, acme, store_id)
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        mine = personal_store(person=person)

    with graph_being_built(acme, store_id, serving_model()):
        say(acme, mine.id, "The kettle is mine")
        (embedded,) = run_jobs(acme, Kind.EMBED_PASSAGES)
        found = texts(acme, mine.id)
        with tenant_scope(acme.id):
            request_erasure(target="person", target_id=person.id)
        run_jobs(acme, Kind.ERASE)
        with tenant_scope(acme.id):
            is_gone = not PassageVector.objects.filter(store_id=mine.id).exists()

    (done,) = run_jobs(acme, Kind.ERASE)

    assert (embedded.state, done.state) == (Job.State.SUCCEEDED, Job.State.SUCCEEDED)
    assert found == ["The kettle is mine"]
    assert is_gone


def test_an_erasure_does_not_hold_its_worker_up_for_a_graph_and_ends_after_it(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_id, memory_id = _stopped_with_a_memory(acme, monkeypatch)
    with tenant_scope(acme.id):
        request_erasure(target="memory", target_id=memory_id)

    with graph_being_built(acme, store_id, serving_model()):
        (waiting,) = run_jobs(acme, Kind.ERASE)
    with tenant_scope(acme.id):
        is_gone = not Memory.objects.filter(id=memory_id).exists()
        Job.objects.filter(kind=Kind.ERASE).update(ring_at=timezone.now())
    (done,) = run_jobs(acme, Kind.ERASE)

    assert (waiting.state, waiting.error_code) == (Job.State.QUEUED, "tables-busy")
    assert is_gone, "what search reads goes at once; the copy that nobody reads, at the end"
    assert done.state == Job.State.SUCCEEDED
    with tenant_scope(acme.id):
        assert not PassageVector.objects.exclude(
            passage_id__in=Passage.objects.values("id")
        ).exists()


_PLACES = (
    "copy_some", "index_store", "catch_up", "count_large_store", "_change", "remove_gone",
    "clear_some", "vacuum_partitions", "measure_trust",
)  # fmt: skip


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("then", [Kind.PROMOTE_STORE, Kind.DEMOTE_STORE])
def test_a_move_that_is_killed_anywhere_goes_on_or_is_undone(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, place: str, then: Kind
) -> None:
    store_id = filled_store(acme)
    before = texts(acme, store_id)

    kill_at(place, monkeypatch, acme, store_id)
    halfway = texts(acme, store_id)
    with tenant_scope(acme.id):
        ask_to_move(slug="team", kind=then)
    go_on(acme)
    (done,) = run_jobs(acme, Kind.PROMOTE_STORE, Kind.DEMOTE_STORE)

    assert (done.kind, done.state) == (then, Job.State.SUCCEEDED)
    assert before == halfway == texts(acme, store_id)
    assert_whole(acme, store_id)
    with tenant_scope(acme.id):
        states = list(LargeStore.objects.values_list("state", flat=True))
    assert states == (["serving"] if then == Kind.PROMOTE_STORE else [])
    partitions = "SELECT count(*) FROM pg_class WHERE obj_description(oid, 'pg_class') = %s"
    assert maintain(partitions, str(acme.id)) == [(len(states),)]


def test_a_move_joins_nothing_to_a_bucket_of_which_nothing_was_counted(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planner takes it for empty: to join 10,000 vectors with it took minutes."""
    store_id = filled_store(acme)
    kill_at("index_store", monkeypatch, acme, store_id)

    with tenant_scope(acme.id):
        bucket = LargeStore.objects.get().bucket
        with CaptureQueriesContext(connection) as queries:
            for old, new in ((0, bucket), (bucket, 0)):
                catch_up(Move(store_id, old, new))
            removed = clear_some(Move(store_id, bucket, 0), most=50)
        planned = plans(queries)

    assert removed == 50
    assert len(planned) == 5
    for nodes in planned:
        assert reading(nodes, "ingestion_passagevector")
        assert [node for node in nodes if node["Node Type"] in _JOINS] == []


def test_asking_for_the_way_back_ends_a_move_that_is_under_way(acme: Tenant) -> None:
    store_id = filled_store(acme)
    with tenant_scope(acme.id):
        ask_to_move(slug="team", kind=Kind.PROMOTE_STORE)
        ask_to_move(slug="team", kind=Kind.PROMOTE_STORE)
        ask_to_move(slug="team", kind=Kind.DEMOTE_STORE)
        ask_to_move(slug="team", kind=Kind.DEMOTE_STORE)

        moves = Job.objects.filter(subject_id=store_id).exclude(kind=Kind.EMBED_PASSAGES)
        states = list(moves.order_by("created_at").values_list("kind", "state"))

    assert states == [("promote-store", "cancelled"), ("demote-store", "queued")]


def test_what_was_sent_back_meanwhile_is_not_put_in_effect(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two jobs at once, which nobody asks for: each would clear what the other had made."""
    store_id = filled_store(acme)
    build = promotion.index_store

    def and_the_other_begins(tenant_id: UUID, bucket: int) -> None:
        build(tenant_id, bucket)
        with tenant_scope(acme.id):
            LargeStore.objects.update(state=LargeStore.State.CLOSING)

    with monkeypatch.context() as beside:
        beside.setattr(promotion, "index_store", and_the_other_begins)
        refused = run(acme, Kind.PROMOTE_STORE, store_id)

    assert (refused.state, refused.error_code) == (Job.State.FAILED, "store-moving")
    with tenant_scope(acme.id):
        assert LargeStore.objects.get().state == LargeStore.State.CLOSING
    assert run(acme, Kind.DEMOTE_STORE, store_id).state == Job.State.SUCCEEDED
    assert_whole(acme, store_id)


def test_what_is_corrected_while_its_store_moves_is_of_the_past_and_of_nothing_else(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_id, memory_id = _stopped_with_a_memory(acme, monkeypatch)
    with tenant_scope(acme.id):
        correct(memory_id=memory_id, statement=Statement(text="The ferry sails at one"))
    go_on(acme)

    run_jobs(acme, Kind.PROMOTE_STORE, Kind.EMBED_PASSAGES)

    with tenant_scope(acme.id):
        past = Passage.objects.filter(memory_id=memory_id).exclude(past_version=0)[0]
        homes = PassageVector.objects.filter(passage_id=past.id).values_list("store_id", flat=True)
        assert list(homes) == [past_home(store_id)]
