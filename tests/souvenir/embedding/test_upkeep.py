"""The tables of search are kept in order by a role that reads none of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.test import override_settings

from souvenir.core.jobs import Job as Kind
from souvenir.embedding import upkeep
from souvenir.embedding.large_stores import ask_to_move
from souvenir.embedding.upkeep import covering_indexes, keep_in_order
from souvenir.ingestion.models import LargeStore, Passage, PassageToken, PassageVector
from souvenir.ingestion.services import remember
from souvenir.memories.models import Store
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person, ensure_shared_store
from tenants.errors import MaintainerMissing, TablesBusy
from tenants.isolation.scope import tenant_scope
from tenants.maintainer import maintain
from tenants.models import Job
from tests.builders import Tenant, make_tenant, run_jobs
from tests.tenants.second_server import leading
from tests.vectors import fill_store_with, some_vectors


def _shared(tenant: Tenant, *texts: str) -> Store:
    with tenant_scope(tenant.id):
        store = ensure_shared_store(slug="team")
        for text in texts:
            remember(store=store, statement=Statement(text=text))
    run_jobs(tenant, Kind.EMBED_PASSAGES)
    return store


def _leaf(tenant: Tenant) -> str:
    return f"{maintain(upkeep._SIXTEENTH, tenant.id)[0][0]}_common"


def test_a_grown_index_is_built_anew_and_others_are_left(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_FEW_PAGES", 10)
    store = _shared(acme)
    with tenant_scope(acme.id):
        # In no order, as in life: each new vector goes between two that are there.
        ids = fill_store_with(store.id, some_vectors(3_000))
        Passage.objects.filter(id__in=ids[::2]).delete()
    with tenant_scope(acme.id):
        connections["default"].cursor().execute(
            "DELETE FROM ingestion_passagevector WHERE tenant_id = %s AND passage_id = ANY (%s)",
            [acme.id, ids[::2]],
        )
    leaf = _leaf(acme)
    maintain(f"VACUUM (ANALYZE) {leaf}")
    before = {index.name: index.growth for index in covering_indexes()}

    done = keep_in_order()

    assert done is not None
    after = {index.name: index.growth for index in covering_indexes()}
    grown = {name for name, growth in before.items() if growth >= upkeep.GROWN}
    assert f"{leaf}_pkey" in grown
    assert f"{leaf}_pkey" in done.rebuilt
    assert after[f"{leaf}_pkey"] < 1.1


def test_partitions_that_vacuum_has_not_seen_are_vacuumed(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_FEW_PAGES", 1)
    store = _shared(acme)
    with tenant_scope(acme.id):
        fill_store_with(store.id, some_vectors(200))
    maintain(f"ANALYZE {_leaf(acme)}")

    done = keep_in_order()

    assert done is not None
    assert _leaf(acme) in done.vacuumed


def test_a_bucket_whose_store_was_erased_is_closed(acme: Tenant) -> None:
    store = _shared(acme, "The kettle is blue")
    with tenant_scope(acme.id):
        ask_to_move(slug="team", kind=Kind.PROMOTE_STORE)
    run_jobs(acme, Kind.PROMOTE_STORE)
    with tenant_scope(acme.id):
        connections["default"].cursor().execute("DELETE FROM ingestion_passagevector")
        LargeStore.objects.filter(store_id=store.id).delete()

    done = keep_in_order()

    assert done is not None
    assert done.buckets_closed >= 1


@contextmanager
def _an_old_transaction(*, reading: str = "pg_class") -> Iterator[None]:
    """Somebody copies the database, and has begun before whatever the body does."""
    with (
        leading("maintainer-elsewhere", {**connections.databases["maintainer"]}),
        connections["maintainer-elsewhere"].cursor() as cursor,
    ):
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(f"LOCK TABLE {reading} IN ACCESS SHARE MODE")
        cursor.execute("SELECT count(*) FROM pg_class")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _unfinished(leaf: str) -> int:
    found = "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid = %s::regclass"
    return int(maintain(found, leaf)[0][0])


def _interrupt_a_rebuild(leaf: str) -> None:
    with _an_old_transaction():
        maintain("SET lock_timeout = '100ms'")
        with pytest.raises(TablesBusy):
            maintain(f"REINDEX INDEX CONCURRENTLY {leaf}_pkey")
        maintain("RESET lock_timeout")


def test_what_an_interrupted_rebuild_left_is_dropped(acme: Tenant) -> None:
    leaf = _leaf(acme)
    _interrupt_a_rebuild(leaf)
    before = _unfinished(leaf)

    done = keep_in_order()

    assert done is not None
    assert (before, _unfinished(leaf)) == (1, 0)
    assert done.unfinished_dropped >= 1


def test_what_is_in_use_is_left_and_the_round_goes_on(acme: Tenant) -> None:
    leaf = _leaf(acme)
    _interrupt_a_rebuild(leaf)

    with _an_old_transaction(reading=leaf):
        done = keep_in_order()
    left = _unfinished(leaf)
    keep_in_order()

    assert done is not None
    assert (done.unfinished_dropped, left, _unfinished(leaf)) == (0, 1, 0)


def test_a_rebuild_does_not_wait_for_a_long_copy_of_the_database_and_leaves_nothing(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = _leaf(acme)
    monkeypatch.setattr(upkeep, "_LONGEST_WAIT", "100ms")
    grown = upkeep.CoveringIndex(f"{leaf}_pkey", pages=10_000, growth=1.5)
    monkeypatch.setattr(upkeep, "covering_indexes", lambda: [grown])

    with _an_old_transaction():
        hindered = keep_in_order()
    later = keep_in_order()

    assert hindered is not None
    assert hindered.rebuilt == ()
    assert _unfinished(leaf) == 0
    assert later is not None
    assert later.rebuilt == (f"{leaf}_pkey",)


def test_one_round_runs_at_a_time() -> None:
    held = {**connections.databases["maintainer"]}
    with (
        leading("maintainer-elsewhere", held),
        connections["maintainer-elsewhere"].cursor() as cursor,
    ):
        cursor.execute("SELECT pg_advisory_lock(%s)", [upkeep._LOCK])
        assert keep_in_order() is None
        cursor.execute("SELECT pg_advisory_unlock(%s)", [upkeep._LOCK])
    assert keep_in_order() is not None


def test_the_maintainer_reads_no_row_and_closes_no_bucket_in_use(acme: Tenant) -> None:
    store = _shared(acme, "The kettle is blue")
    with tenant_scope(acme.id):
        LargeStore.objects.create(store_id=store.id, bucket=5, state="filling")
    maintain("SELECT open_bucket(%s, %s)", acme.id, 5)
    with tenant_scope(acme.id):
        connections["default"].cursor().execute(
            "INSERT INTO ingestion_passagevector SELECT tenant_id, store_id, model, passage_id, 5,"
            " embedding FROM ingestion_passagevector"
        )

    for table in ("ingestion_passage", "ingestion_passagetoken", _leaf(acme)):
        with pytest.raises(DatabaseError, match="permission denied"):
            maintain(f"SELECT * FROM {table}")
    with pytest.raises(DatabaseError, match="in use"):
        maintain("SELECT close_bucket(%s, %s)", acme.id, 5)
    with pytest.raises(DatabaseError, match="permission denied"):
        connections["default"].cursor().execute("SELECT close_bucket(%s, %s)", [acme.id, 5])


def test_without_the_maintainer_s_connection_nothing_is_kept_in_order() -> None:
    before = connections.databases.pop("maintainer")
    try:
        with pytest.raises(MaintainerMissing):
            keep_in_order()
        with pytest.raises(CommandError, match="may not maintain"):
            call_command("tend_search")
    finally:
        connections.databases["maintainer"] = before


@override_settings(SOUVENIR_LARGE_STORE_PASSAGES=2)
def test_shared_stores_that_are_large_are_asked_to_move_and_people_s_are_not(
    acme: Tenant,
) -> None:
    store = _shared(acme, "The kettle is blue", "The ferry sails at noon")
    with tenant_scope(acme.id):
        mine = personal_store(person=ensure_person(external_id="alice"))
        for number in range(3):
            remember(store=mine, statement=Statement(text=f"Note {number}"))

    call_command("tend_search", stdout=StringIO())
    call_command("tend_search", stdout=StringIO())

    with tenant_scope(acme.id):
        moves = list(Job.objects.filter(kind=Kind.PROMOTE_STORE).values_list("subject_id"))
    assert moves == [(store.id,)]


@pytest.mark.usefixtures("other_cell")
def test_the_check_tells_of_what_disagrees() -> None:
    acme = make_tenant()
    _shared(acme, "The kettle is blue", "le la les")
    said = StringIO()
    call_command("check_search", "--all", stdout=said)
    assert [acme.organization.slug, "2", "0", "0", "2", "2", "0"] in [
        [line.split()[-1], *line.split()[:-1]] for line in said.getvalue().splitlines()
    ]

    with tenant_scope(acme.id):
        PassageToken.objects.all().delete()
    with pytest.raises(CommandError, match="1 organization do"):
        call_command("check_search", stdout=StringIO())


@pytest.mark.usefixtures("other_cell")
@pytest.mark.parametrize("where", ["nowhere", "in a bucket that is not read"])
def test_the_check_names_who_misses_a_vector_where_search_reads(where: str) -> None:
    acme, globex = make_tenant(), make_tenant()
    for tenant in (acme, globex):
        _shared(tenant, "The kettle is blue")
    with tenant_scope(acme.id):
        vector = PassageVector.objects.values("store_id", "model", "passage_id", "embedding").get()
        PassageVector.objects.all().delete()
    if where != "nowhere":
        maintain("SELECT open_bucket(%s, %s)", acme.id, 7)
        with tenant_scope(acme.id):
            PassageVector.objects.create(**vector, bucket=7)

    said = StringIO()
    with pytest.raises(CommandError, match="1 organization do"):
        call_command("check_search", stdout=said)

    (line,) = said.getvalue().splitlines()[1:]
    assert line.split() == ["1", "0", "0", "0", "1", "0", acme.organization.slug]
    assert globex.organization.slug not in said.getvalue()
