"""Filters by metadata: blind, exact, of the version asked about, and of nobody else's memories."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.core.sealing import blind_entry
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.services import correct, describe, remember
from souvenir.memories.held import held_at
from souvenir.memories.metadata import entry_of, wanted_in
from souvenir.memories.metadata_tokens import memories_with
from souvenir.memories.models import Memory, MemoryVersion, MetadataToken
from souvenir.memories.selectors import get_person, memories, personal_store
from souvenir.memories.services import Statement, ensure_person, ensure_shared_store
from souvenir.search.questions import Filters, Question
from souvenir.search.rebuilding import request_new_index_key
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import keyring_transaction
from tenants.keyring.index_keys import index_keys
from tenants.keyring.models import IndexKey
from tenants.ledger import accept_job
from tenants.maintainer import maintain
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.vectors import fill_store_with, some_vectors

BEFORE, AFTER = datetime(2024, 6, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def _store(person: str = "alice") -> UUID:
    return personal_store(person=ensure_person(external_id=person)).id


def _keep(tenant: Tenant, text: str, metadata: dict[str, Any], **said: Any) -> Memory:
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id=said.pop("person", "alice")))
        return remember(store=store, statement=Statement(text, metadata=metadata, **said))


def _ask(tenant: Tenant, metadata: dict[str, Any], **only: Any) -> list[str]:
    with tenant_scope(tenant.id):
        stores = only.pop("stores", None) or [_store()]
        filters = Filters(metadata=wanted_in(metadata), **only)
        found = search(Question("bouilloire", stores, only=filters)).results
    return sorted(one.text for one in found)


def _list(tenant: Tenant, metadata: dict[str, Any], **moments: Any) -> list[UUID]:
    with tenant_scope(tenant.id):
        stores = [_store()]
        found = memories(store_ids=stores)
        if moments:
            found = held_at(found, as_of=moments.get("as_of"), known_at=moments.get("known_at"))
        return [one.id for one in memories_with(found, wanted_in(metadata), store_ids=stores)]


@pytest.fixture
def kettles(acme: Tenant) -> dict[str, Memory]:
    import_bytes(acme, chatgpt_export("Une bouilloire, dit-elle"))
    return {
        name: _keep(acme, f"La bouilloire {name}", metadata)
        for name, metadata in (
            ("bleue", {"room": "kitchen", "level": 1}),
            ("rouge", {"room": "office", "level": 1.0}),
            ("verte", {"room": "Office", "level": True}),
            ("nue", {}),
        )
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"room": "kitchen"}, ["bleue"]),
        ({"room": ["kitchen", "office"]}, ["bleue", "rouge"]),
        ({"level": 1}, ["bleue", "rouge"]),
        ({"level": 1.0, "room": "office"}, ["rouge"]),
        ({"level": True}, ["verte"]),
        ({"level": "1"}, []),
        ({"room": "kitch"}, []),
        ({"Room": "kitchen"}, []),
        ({"kitchen": "room"}, []),
    ],
)
def test_what_has_all_of_it_is_found_and_nothing_else(
    acme: Tenant, kettles: dict[str, Memory], asked: dict[str, Any], found: list[str]
) -> None:
    assert _ask(acme, asked) == [f"La bouilloire {name}" for name in found]
    assert set(_list(acme, asked)) == {kettles[name].id for name in found}


@pytest.mark.usefixtures("kettles")
def test_it_narrows_with_every_other_filter(acme: Tenant) -> None:
    asked = {"level": 1}

    assert len(_ask(acme, asked, kinds=["fact"], languages=["fr"])) == 2
    assert _ask(acme, asked, kinds=["message"]) == []
    assert _ask(acme, asked, roles=["user"]) == []
    assert _ask(acme, asked, since=timezone.now() + timedelta(days=1)) == []


def test_one_person_s_and_the_shared_store_are_asked_together(acme: Tenant) -> None:
    _keep(acme, "La bouilloire d’Alice", {"room": "kitchen"})
    _keep(acme, "La bouilloire de Bob", {"room": "kitchen"}, person="bob")
    with tenant_scope(acme.id):
        shared = ensure_shared_store(slug="team")
        remember(
            store=shared,
            statement=Statement("La bouilloire de tous", metadata={"room": "kitchen"}),
            about=["bob"],
        )
        stores = [_store(), shared.id]

    found = _ask(acme, {"room": "kitchen"}, stores=stores)

    assert found == ["La bouilloire de tous", "La bouilloire d’Alice"]


def test_globex_finds_nothing_by_acme_s_values(acme: Tenant, globex: Tenant) -> None:
    _keep(acme, "La bouilloire d’Acme", {"room": "kitchen"})
    _keep(globex, "La bouilloire de Globex", {"room": "office"})
    with tenant_scope(acme.id):
        stores = [_store()]

    with tenant_scope(globex.id):
        wanted = wanted_in({"room": "kitchen"})
        assert not memories_with(memories(), wanted, store_ids=stores).exists()
    assert _ask(globex, {"room": "kitchen"}, stores=stores) == []
    assert _ask(globex, {"room": "kitchen"}) == []


def test_the_same_value_has_another_token_in_another_organization(
    acme: Tenant, globex: Tenant
) -> None:
    for tenant in (acme, globex):
        _keep(tenant, "La bouilloire", {"room": "kitchen"})

    tokens = []
    for tenant in (acme, globex):
        with tenant_scope(tenant.id):
            (token,) = MetadataToken.objects.values_list("token", flat=True)
            tokens.append(bytes(token))
    assert tokens[0] != tokens[1]
    assert {len(token) for token in tokens} == {16}


def test_no_name_and_no_value_stands_in_the_database(acme: Tenant) -> None:
    memory = _keep(acme, "La bouilloire", {"topinambour": "zinnia"})

    with tenant_scope(acme.id), connection.cursor() as cursor:
        for table in ("memories_memoryversion", "memories_metadatatoken", "memories_memory"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            text = " ".join(row for (row,) in cursor.fetchall())
            for word in ("topinambour", "zinnia"):
                assert word not in text
                assert word.encode().hex() not in text
        assert MemoryVersion.objects.get(memory_id=memory.id).metadata == {"topinambour": "zinnia"}


@pytest.fixture
def moved(acme: Tenant) -> Memory:
    """In the kitchen from 2020, in the office from June 2025; known here since July 2025."""
    since = {"valid_from": datetime(2020, 1, 1, tzinfo=UTC)}
    memory = _keep(acme, "La bouilloire bleue", {"room": "kitchen", "level": 1}, **since)
    statement = Statement(
        text="La bouilloire bleue",
        valid_from=datetime(2025, 6, 1, tzinfo=UTC),
        metadata={"room": "office"},
    )
    with tenant_scope(acme.id):
        correct(memory_id=memory.id, statement=statement)
        for number, year in ((1, 2024), (2, 2025)):
            found = MemoryVersion.objects.filter(memory_id=memory.id, number=number)
            found.update(recorded_at=datetime(year, 7, 1, tzinfo=UTC))
    return memory


@pytest.mark.parametrize(
    ("moments", "room"),
    [
        ({}, "office"),
        ({"as_of": BEFORE}, "kitchen"),
        ({"as_of": AFTER}, "office"),
        ({"known_at": datetime(2024, 8, 1, tzinfo=UTC)}, "kitchen"),
        ({"known_at": AFTER}, "office"),
        ({"as_of": BEFORE, "known_at": AFTER}, "kitchen"),
        ({"as_of": datetime(2019, 1, 1, tzinfo=UTC)}, None),
    ],
)
def test_looking_back_the_version_that_held_is_what_counts(
    acme: Tenant, moved: Memory, moments: dict[str, datetime], room: str | None
) -> None:
    for asked in ("kitchen", "office"):
        has = asked == room
        assert _ask(acme, {"room": asked}, **moments) == (["La bouilloire bleue"] if has else [])
        assert _list(acme, {"room": asked}, **moments) == ([moved.id] if has else [])
    kept = [moved.id] if room else []
    assert _list(acme, {"level": 1}, **moments) == kept, "what is not named stays"


def test_a_change_of_metadata_alone_keeps_what_is_said(acme: Tenant) -> None:
    said = {"valid_from": datetime(2020, 1, 1, tzinfo=UTC), "origin": "observed"}
    memory = _keep(acme, "La bouilloire bleue", {"room": "kitchen"}, **said)
    with tenant_scope(acme.id):
        changed = describe(memory_id=memory.id, metadata={"room": "office"}, author="key:1")
        same = describe(memory_id=memory.id, metadata={"room": "office"}, author="key:2")
        first, second = MemoryVersion.objects.filter(memory_id=memory.id).order_by("number")

        assert (changed.version, same.version) == (2, 2)
        for name in ("text", "valid_from", "observed_at", "origin", "method"):
            assert getattr(first, name) == getattr(second, name)
        assert second.author == "key:1"
    assert _ask(acme, {"room": "office"}) == ["La bouilloire bleue"]
    assert _ask(acme, {"room": "kitchen"}) == []
    assert _ask(acme, {"room": "kitchen"}, known_at=first.recorded_at) == ["La bouilloire bleue"]


def _tokens(tenant: Tenant) -> int:
    with tenant_scope(tenant.id):
        return MetadataToken.objects.count()


def test_forgetting_a_memory_takes_its_tokens(acme: Tenant, moved: Memory) -> None:
    assert _tokens(acme) == 4
    with tenant_scope(acme.id):
        request_erasure(target="memory", target_id=moved.id)

    assert _list(acme, {"level": 1}) == []
    (job,) = run_jobs(acme, Kind.ERASE)

    assert _tokens(acme) == 0
    assert job.state == "succeeded"


@pytest.mark.parametrize("leaving", ["alice", "bob"])
def test_erasing_a_person_takes_the_tokens_of_what_is_about_them(
    acme: Tenant, leaving: str
) -> None:
    with tenant_scope(acme.id):
        for name in ("alice", "bob"):
            ensure_person(external_id=name)
        remember(
            store=ensure_shared_store(slug="team"),
            statement=Statement("La bouilloire des deux", metadata={"room": "kitchen"}),
            about=["alice", "bob"],
        )
        leaver = get_person(external_id=leaving)
        request_erasure(target="person", target_id=leaver.id)
    run_jobs(acme, Kind.ERASE)

    assert _tokens(acme) == 0


def test_a_new_index_key_leaves_no_token_of_the_old_one(acme: Tenant, moved: Memory) -> None:
    with tenant_scope(acme.id):
        ((_, old),) = index_keys()
        job = request_new_index_key()
    under_both = _keep(acme, "La bouilloire neuve", {"room": "office"})

    def check() -> None:
        assert set(_list(acme, {"room": "office"})) == {moved.id, under_both.id}
        assert _list(acme, {"room": "kitchen"}, as_of=BEFORE) == [moved.id]
        assert len(_ask(acme, {"room": "office"})) == 2

    check()
    run_jobs(acme, Kind.REBUILD_TOKENS)
    check()
    long_ago = timezone.now() - timedelta(minutes=10)
    with tenant_scope(acme.id):
        with keyring_transaction(acme.id):
            IndexKey.objects.update(created_at=long_ago)
        Job.objects.filter(id=job.id).update(ring_at=long_ago)
    run_jobs(acme, Kind.REBUILD_TOKENS)
    check()

    with tenant_scope(acme.id):
        job.refresh_from_db()
        assert job.state == Job.State.SUCCEEDED
        assert [epoch for epoch, _ in index_keys()] == [2]
        left = {bytes(token) for token in MetadataToken.objects.values_list("token", flat=True)}
        entries = (entry_of("room", "office"), entry_of("room", "kitchen"), entry_of("level", 1))
        assert not left & {blind_entry(entry, key=old) for entry in entries}


def _fill_with_others(store_id: UUID, memories_made: int, entries: int) -> None:
    others = [Memory(store_id=store_id) for _ in range(memories_made)]
    Memory.objects.bulk_create(others)
    MetadataToken.objects.bulk_create(
        MetadataToken(
            store_id=store_id,
            token=(1_000 * entry + place % 50).to_bytes(16, "big"),
            memory_id=other.id,
            epoch=1,
        )
        for place, other in enumerate(others)
        for entry in range(entries)
    )


def _reads(query: str) -> list[tuple[str, str]]:
    """How a query reads the tokens, as it is planned: (the step, its condition)."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) {query}")
        plan = [line.strip() for (line,) in cursor.fetchall()]
    return [
        (step, condition)
        for step, condition in pairwise(plan)
        if " on memories_metadatatoken " in f"{step} "
    ]


@pytest.mark.parametrize("tended", [False, True])
def test_tokens_are_looked_up_by_index_under_the_run_time_role(acme: Tenant, tended: bool) -> None:  # noqa: FBT001 (both ways)
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        for place in range(40):
            metadata = {"room": f"r{place % 3}", "place": place}
            remember(store=store, statement=Statement(f"Bouilloire {place}", metadata=metadata))
        _fill_with_others(store.id, 3_000, 6)
    if tended:
        for table in ("memories_metadatatoken", "memories_memory"):
            maintain(f"VACUUM (ANALYZE) {table}")
    filters = Filters(metadata=wanted_in({"room": ["r1", "r2"], "place": 4}))

    with tenant_scope(acme.id):
        with CaptureQueriesContext(connection) as queries:
            found = search(Question("bouilloire", [store.id], only=filters)).results
            listed = memories_with(memories(), filters.metadata, store_ids=[store.id])[:50]
            assert [one.text for one in found] == ["Bouilloire 4"]
            assert len(listed) == 1
        searched, in_list = (_reads(queries[at]["sql"]) for at in (-2, -1))

    assert searched
    for step, condition in searched:
        assert "Index" in step, step
        assert "tenant_id = " in condition
        assert "memory_id = " in condition or "token = " in condition, searched
    assert any("_pkey" in step and "token = " in condition for step, condition in in_list)
    assert all("Index" in step or "Bitmap" in step for step, _ in in_list), in_list


def test_in_a_large_store_the_few_that_are_described_are_all_found(acme: Tenant) -> None:
    """No walk of the graph passes by them, and none is made for them."""
    with tenant_scope(acme.id):
        store = ensure_shared_store(slug="team")
        fill_store_with(store.id, some_vectors(2_000))
        for place in range(30):
            said = Statement(f"Bouilloire {place}", metadata={"place": place % 3})
            remember(store=store, statement=said)
    run_jobs(acme, Kind.EMBED_PASSAGES)
    with tenant_scope(acme.id):
        asked = [wanted_in({"place": 1}), wanted_in({"place": [1, 2]})]
        questions = [
            Question("kettle", [store.id], only=Filters(metadata=one), limit=50, dense_weight=1.0)
            for one in asked
        ]
        before = [[one.passage_id for one in search(each).results] for each in questions]
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    run_jobs(acme, Kind.PROMOTE_STORE)

    with tenant_scope(acme.id):
        after = [[one.passage_id for one in search(each).results] for each in questions]

    assert [len(found) for found in before] == [10, 20]
    assert after == before
