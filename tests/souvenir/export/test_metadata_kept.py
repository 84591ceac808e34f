"""Metadata and time zones survive a copy; older copies lack them; forged ones are refused."""

import zipfile
from datetime import UTC, datetime
from io import BytesIO

import pytest

from souvenir.ingestion.services import correct, remember
from souvenir.memories.metadata import wanted_in
from souvenir.memories.models import Memory, MemoryVersion
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement, ensure_person
from souvenir.search.questions import Filters, Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, make_tenant
from tests.souvenir.export.copies import copy_of, forged, lines_of, restored, with_files

PEOPLE, MEMORIES = "people.jsonl", "memories.jsonl"


def _keep_two_versions(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice", time_zone="America/Halifax")
        said = Statement(text="Une clé", metadata={"où": "tiroir"})
        memory = remember(store=personal_store(person=person), statement=said)
        correct(memory_id=memory.id, statement=Statement(text="Deux clés"))


def _first(body: bytes) -> bytes:
    """The archive as version 1 wrote it."""
    people = [
        {k: v for k, v in line.items() if k != "time_zone"} for line in lines_of(body, PEOPLE)
    ]
    memories = lines_of(body, MEMORIES)
    for memory in memories:
        for version in memory["versions"]:
            del version["metadata"]
    older = forged(forged(body, PEOPLE, *people), MEMORIES, *memories)
    with zipfile.ZipFile(BytesIO(older)) as archive:
        manifest = archive.read("manifest.json").replace(b'"version":2', b'"version":1')
    return with_files(older, {"manifest.json": manifest})


def test_an_archive_from_before_there_was_metadata_comes_back(acme: Tenant) -> None:
    _keep_two_versions(acme)
    elsewhere = make_tenant()

    job = restored(elsewhere, _first(copy_of(acme)))

    assert (job.state, job.error_code) == ("succeeded", "")
    with tenant_scope(elsewhere.id):
        assert get_person(external_id="alice").time_zone == ""
        said = MemoryVersion.objects.order_by("number")
        assert [version.metadata for version in said] == [{}, {}]


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        {"a": None},
        {"a": [1]},
        {"": 1},
        {"cafe\u0301": 1},
        {"a": 2**60},
        {"a": float("nan")},
    ],
)
def test_metadata_that_souvenir_does_not_write_is_refused(acme: Tenant, metadata: object) -> None:
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        remember(store=store, statement=Statement(text="Un souvenir"))
    body = copy_of(acme)
    (memory,) = lines_of(body, MEMORIES)
    memory["versions"][0]["metadata"] = metadata
    elsewhere = make_tenant()

    job = restored(elsewhere, forged(body, MEMORIES, memory))

    assert (job.state, job.error_code) == ("failed", "archive-altered")
    with tenant_scope(elsewhere.id):
        assert not Memory.objects.exists()


def test_a_restored_memory_is_found_by_its_metadata_of_now_and_of_then(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        since = datetime(2020, 1, 1, tzinfo=UTC)
        said = Statement(text="La clé", valid_from=since, metadata={"où": "tiroir"})
        memory = remember(store=store, statement=said)
        later = datetime(2025, 1, 1, tzinfo=UTC)
        moved = Statement(text="La clé", valid_from=later, metadata={"où": "sac"})
        correct(memory_id=memory.id, statement=moved)
    elsewhere = make_tenant()
    restored(elsewhere, copy_of(acme))

    def ask(place: str, moment: datetime | None) -> int:
        with tenant_scope(elsewhere.id):
            store = personal_store(person=get_person(external_id="alice"))
            only = Filters(as_of=moment, metadata=wanted_in({"où": place}))
            return len(search(Question("clé", [store.id], only=only)).results)

    then = datetime(2024, 1, 1, tzinfo=UTC)
    assert [ask("tiroir", then), ask("sac", then), ask("tiroir", None), ask("sac", None)] == [
        1,
        0,
        0,
        1,
    ]


def test_who_is_here_keeps_their_time_zone(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        ensure_person(external_id="alice", time_zone="America/Halifax")
        ensure_person(external_id="bob", time_zone="America/Halifax")
    body = copy_of(acme, person=None)
    elsewhere = make_tenant()
    with tenant_scope(elsewhere.id):
        ensure_person(external_id="alice", time_zone="America/Regina")

    restored(elsewhere, body, person=None)

    with tenant_scope(elsewhere.id):
        zones = [get_person(external_id=name).time_zone for name in ("alice", "bob")]
        assert zones == ["America/Regina", "America/Halifax"]
