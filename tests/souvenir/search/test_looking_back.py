"""Questions that look back: as it was at a time, and as far as was known at one."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.embedding.counts import search_counts
from souvenir.embedding.selectors import serving_model
from souvenir.ingestion.past import past_home
from souvenir.ingestion.services import correct, remember
from souvenir.memories.models import Memory, MemoryVersion, Message
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from souvenir.search.questions import Filters, Question
from souvenir.search.rebuilding import request_new_index_key
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.vectors import fill_store_with, some_vectors


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _store_id(tenant: Tenant) -> UUID:
    with tenant_scope(tenant.id):
        return personal_store(person=ensure_person(external_id="alice")).id


def _ask(tenant: Tenant, text: str = "habite", **only: str) -> list[str]:
    filters = Filters(**{name: _at(moment) for name, moment in only.items()})  # type: ignore[arg-type]  # the two moments
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        return [f.text for f in search(Question(text, [store.id], only=filters)).results]


def _remember(tenant: Tenant, *said: Statement) -> Memory:
    """A memory of several versions."""
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        memory = remember(store=store, statement=said[0])
        for statement in said[1:]:
            correct(memory_id=memory.id, statement=statement)
    return memory


def _recorded(tenant: Tenant, memory: Memory, *moments: str) -> None:
    """Set back when each version was stored."""
    with tenant_scope(tenant.id):
        for number, moment in enumerate(moments, start=1):
            found = MemoryVersion.objects.filter(memory_id=memory.id, number=number)
            found.update(recorded_at=_at(moment))


@pytest.fixture
def moved(acme: Tenant) -> Memory:
    """Lived in Montréal from 2020, in Québec from June 2025; we heard of the latter in July."""
    memory = _remember(
        acme,
        Statement(text="Nadine habite à Montréal", valid_from=_at("2020-01-01")),
        Statement(text="Nadine habite à Québec", valid_from=_at("2025-06-01")),
    )
    _recorded(acme, memory, "2024-01-01", "2025-07-01")
    return memory


@pytest.mark.parametrize(
    ("only", "where"),
    [
        ({}, "Québec"),
        ({"as_of": "2024-06-01"}, "Montréal"),
        ({"as_of": "2025-06-02"}, "Québec"),
        ({"as_of": "2019-01-01"}, None),
        ({"known_at": "2025-06-15"}, "Montréal"),
        ({"known_at": "2025-07-02"}, "Québec"),
        ({"known_at": "2023-01-01"}, None),
        ({"as_of": "2025-06-15", "known_at": "2025-06-15"}, "Montréal"),
        ({"as_of": "2022-01-01", "known_at": "2026-01-01"}, "Montréal"),
    ],
)
@pytest.mark.usefixtures("moved")
def test_where_did_she_live_depends_on_each_clock(
    acme: Tenant, only: dict[str, str], where: str | None
) -> None:
    assert _ask(acme, **only) == ([f"Nadine habite à {where}"] if where else [])


def test_a_better_wording_takes_the_place_of_the_one_before(acme: Tenant) -> None:
    memory = _remember(
        acme,
        Statement(text="Elle habite à Montréal", valid_from=_at("2020-01-01")),
        Statement(text="Elle habite à Québec", valid_from=_at("2025-06-01")),
        Statement(text="Elle habite à Lévis"),
    )
    _recorded(acme, memory, "2020-02-01", "2025-07-01", "2026-01-01")

    assert _ask(acme, as_of="2025-08-01") == ["Elle habite à Lévis"]
    assert _ask(acme, as_of="2022-01-01") == ["Elle habite à Montréal"]
    assert _ask(acme, as_of="2025-08-01", known_at="2025-12-01") == ["Elle habite à Québec"]


def test_what_has_ended_held_until_then_and_not_after(acme: Tenant) -> None:
    _remember(
        acme,
        Statement(text="Elle habite à Gatineau", valid_from=_at("2020-01-01")),
        Statement(text="Elle habite à Hull", valid_to=_at("2024-01-01")),
    )

    assert _ask(acme, as_of="2023-01-01") == ["Elle habite à Hull"]
    assert _ask(acme, as_of="2025-01-01") == []


def test_messages_count_if_they_were_said_and_brought_by_then(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Nadine habite à Sherbrooke"))  # said in October 2025
    with tenant_scope(acme.id):
        Message.objects.update(recorded_at=_at("2026-03-01"))

    assert _ask(acme, as_of="2025-12-01") == ["Nadine habite à Sherbrooke"]
    assert _ask(acme, as_of="2025-01-01") == []
    assert _ask(acme, known_at="2026-04-01") == ["Nadine habite à Sherbrooke"]
    assert _ask(acme, known_at="2026-02-01") == []


def _places(tenant: Tenant) -> dict[str, int]:
    """How many tokens and vectors stand under the store, and under its past."""
    found = {}
    store_id = _store_id(tenant)
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        for name, home in (("now", store_id), ("past", past_home(store_id))):
            for table in ("ingestion_passagetoken", "ingestion_passagevector"):
                cursor.execute(f"SELECT count(*) FROM {table} WHERE store_id = %s", [home])
                found[f"{name} {table.removeprefix('ingestion_passage')}"] = cursor.fetchone()[0]
    return found


def test_the_past_stands_where_no_ordinary_question_looks(acme: Tenant) -> None:
    _remember(acme, Statement(text="Elle habite Laval"))
    run_jobs(acme, Kind.EMBED_PASSAGES)
    once = _places(acme)
    with tenant_scope(acme.id):
        correct(memory_id=Memory.objects.get().id, statement=Statement(text="Elle habite Lévis"))
    run_jobs(acme, Kind.EMBED_PASSAGES)

    assert once["past token"] == once["past vector"] == 0
    later = _places(acme)
    assert later["past token"] == once["now token"]
    assert later["past vector"] == later["now vector"] == 1
    with tenant_scope(acme.id):
        assert search_counts().agree(serving=serving_model().name)


@pytest.mark.usefixtures("moved")
def test_the_past_gets_its_vectors_and_new_tokens_too(acme: Tenant) -> None:
    run_jobs(acme, Kind.EMBED_PASSAGES)
    with tenant_scope(acme.id):
        request_new_index_key()
    run_jobs(acme, Kind.REBUILD_TOKENS)

    places = _places(acme)
    assert places["past vector"] == places["now vector"] == 1
    assert _ask(acme, "Montréal", as_of="2024-01-01") == ["Nadine habite à Montréal"]
    assert _ask(acme, "Where does she live?", as_of="2024-01-01") == ["Nadine habite à Montréal"]


def test_an_erasure_takes_every_version(acme: Tenant, moved: Memory) -> None:
    run_jobs(acme, Kind.EMBED_PASSAGES)
    with tenant_scope(acme.id):
        request_erasure(target="memory", target_id=moved.id)

    assert set(_places(acme).values()) == {0}
    assert _ask(acme, as_of="2024-01-01") == []


def test_erasing_a_person_takes_the_past_of_their_store(acme: Tenant, moved: Memory) -> None:
    run_jobs(acme, Kind.EMBED_PASSAGES)
    store_id = _store_id(acme)
    with tenant_scope(acme.id):
        request_erasure(target="person", target_id=moved.person_id)  # type: ignore[arg-type]  # a personal store's
    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id), connection.cursor() as cursor:
        for table in ("ingestion_passagetoken", "ingestion_passagevector"):
            cursor.execute(
                f"SELECT count(*) FROM {table} WHERE store_id = ANY (%s)",
                [[store_id, past_home(store_id)]],
            )
            assert cursor.fetchone() == (0,)


@pytest.mark.usefixtures("moved")
def test_another_organization_s_past_is_not_there(acme: Tenant, globex: Tenant) -> None:
    store_id = _store_id(acme)
    only = Filters(as_of=_at("2024-01-01"))
    with tenant_scope(globex.id):
        assert search(Question("habite", [store_id], only=only)).results == []


def test_what_was_known_is_found_where_thousands_that_are_nearer_were_not(acme: Tenant) -> None:
    """The nearest are tried first; if too few of them were known, all that was is compared."""
    vectors = some_vectors(1_530)
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        fill_store_with(store.id, vectors[:1_500])
        new = set(Memory.objects.values_list("id", flat=True))
        old = fill_store_with(store.id, -vectors[1_500:])  # as far from any question as can be
        versions = MemoryVersion.objects.exclude(memory_id__in=new)
        versions.update(recorded_at=_at("2020-01-01"), observed_at=_at("2020-01-01"))
        asked = [
            Question("bouilloire", [store.id], limit=40, only=only, dense_weight=1.0)
            for only in (
                Filters(),
                Filters(known_at=_at("2021-01-01")),
                Filters(as_of=_at("2021-01-01")),
                Filters(as_of=_at("2021-01-01"), kinds=["message"]),
                Filters(known_at=_at("2019-01-01")),
            )
        ]
        now, *then, before = [{f.passage_id for f in search(one).results} for one in asked]

    assert not now & set(old)
    assert then == [set(old)] * 3
    assert before == set()
