"""A change of metadata alone: a version of its own, and nothing to be embedded or moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.models import Passage, PassageToken, PassageVector
from souvenir.ingestion.services import correct, describe, remember
from souvenir.memories.metadata import wanted_in
from souvenir.memories.models import Memory, MemoryVersion
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from souvenir.search.questions import Filters, Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, make_tenant, run_jobs
from tests.souvenir.export.copies import copy_of, restored

BLUE, RED = "La bouilloire est bleue", "La bouilloire est rouge"


def _year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


@contextmanager
def _alice(tenant: Tenant) -> Iterator[UUID]:
    with tenant_scope(tenant.id):
        yield personal_store(person=ensure_person(external_id="alice")).id


def _ask(tenant: Tenant, metadata: dict[str, Any] | None = None, **only: Any) -> list[str]:
    with _alice(tenant) as store_id:
        filters = Filters(metadata=wanted_in(metadata or {}), **only)
        found = search(Question("bouilloire", [store_id], only=filters)).results
    return [one.text for one in found]


def _keep(tenant: Tenant) -> Memory:
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        statement = Statement(BLUE, valid_from=_year(2010), metadata={"room": "kitchen"})
        return remember(store=store, statement=statement)


def _describe(tenant: Tenant, memory: Memory, room: str) -> None:
    with tenant_scope(tenant.id):
        describe(memory_id=memory.id, metadata={"room": room}, author="key:1")


def _searchable(tenant: Tenant) -> dict[str, list[Any]]:
    """Every row that search reads, and where and by whom it was written last."""
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        found = {}
        for model in (PassageToken, PassageVector):
            cursor.execute(f"SELECT ctid::text, xmin::text FROM {model._meta.db_table} ORDER BY 1")
            found[model.__name__] = cursor.fetchall()
        found["passages"] = list(Passage.objects.order_by("id").values_list("id", "embedded_with"))
        found["jobs"] = list(Job.objects.order_by("id").values_list("id", flat=True))
    return found


def test_nothing_is_embedded_again_and_no_job_is_asked_for(acme: Tenant) -> None:
    memory = _keep(acme)
    run_jobs(acme, Kind.EMBED_PASSAGES)
    before = _searchable(acme)

    for room in ("office", "cellar", "cellar", "attic"):
        _describe(acme, memory, room)

    assert _searchable(acme) == before
    assert len(before["PassageVector"]) == 1
    assert _ask(acme, {"room": "attic"}) == [BLUE]
    with tenant_scope(acme.id):
        assert MemoryVersion.objects.filter(memory_id=memory.id).count() == 4


@pytest.fixture
def four_times(acme: Tenant) -> Memory:
    """Blue in the kitchen, then (2021) the office; red in the office (2022), then the cellar."""
    memory = _keep(acme)
    _describe(acme, memory, "office")
    with tenant_scope(acme.id):
        correct(memory_id=memory.id, statement=Statement(RED, valid_from=_year(2015)))
    _describe(acme, memory, "cellar")
    with tenant_scope(acme.id):
        for number in range(1, 5):
            version = MemoryVersion.objects.filter(memory_id=memory.id, number=number)
            version.update(recorded_at=_year(2019 + number))
    run_jobs(acme, Kind.EMBED_PASSAGES)
    return memory


HELD: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"known_at": _year(2019)}, None, None),
    ({"known_at": _year(2020)}, BLUE, "kitchen"),
    ({"known_at": _year(2021)}, BLUE, "office"),
    ({"known_at": _year(2022)}, RED, "office"),
    ({"known_at": _year(2023)}, RED, "cellar"),
    ({"as_of": _year(2012)}, BLUE, "office"),
    ({"as_of": _year(2012), "known_at": _year(2020)}, BLUE, "kitchen"),
    ({"as_of": _year(2016)}, RED, "cellar"),
    ({}, RED, "cellar"),
]


def _check_what_held(tenant: Tenant) -> None:
    for only, text, room in HELD:
        assert _ask(tenant, **only) == ([text] if text else []), only
        for asked in ("kitchen", "office", "cellar"):
            found = [text] if asked == room else []
            assert _ask(tenant, {"room": asked}, **only) == found, (only, asked)


@pytest.mark.usefixtures("four_times")
def test_each_version_has_the_words_and_the_metadata_that_it_had(acme: Tenant) -> None:
    _check_what_held(acme)


@pytest.fixture
def elsewhere(acme: Tenant, four_times: Memory) -> Tenant:
    """Where a copy of it was restored."""
    other = make_tenant()
    assert restored(other, copy_of(acme)).state == "succeeded"
    run_jobs(other, Kind.EMBED_PASSAGES)
    return other


def test_a_copy_that_is_restored_knows_it_too_and_embeds_what_is_said_once(
    acme: Tenant, elsewhere: Tenant
) -> None:
    _check_what_held(elsewhere)
    counts = []
    for tenant in (acme, elsewhere):
        with tenant_scope(tenant.id):
            said = Passage.objects.order_by("past_version")
            of = list(said.values_list("past_version", "since_version"))
            counts.append((of, PassageVector.objects.count()))

    assert counts[0] == ([(0, 3), (2, 1)], 2)
    assert counts[1] == counts[0]


def test_globex_s_metadata_leads_to_nothing_of_acme_s(
    acme: Tenant, globex: Tenant, four_times: Memory
) -> None:
    with _alice(acme) as store_id:
        pass
    _keep(globex)

    with tenant_scope(globex.id):
        for known_at in (None, _year(2021)):
            filters = Filters(metadata=wanted_in({"room": "office"}), known_at=known_at)
            assert search(Question("bouilloire", [store_id], only=filters)).results == []
