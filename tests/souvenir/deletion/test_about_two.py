"""A memory that speaks of two people ends with either of them."""

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.models import Passage
from souvenir.ingestion.services import remember
from souvenir.memories.models import Memory, MemorySubject, MemoryVersion
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement, ensure_person, ensure_shared_store
from tenants.isolation.scope import tenant_scope
from tenants.keyring.errors import ContentGone
from tenants.keyring.services import destroy_subject_keys
from tests.builders import Tenant, run_jobs


def _shared_memory(tenant: Tenant, *about: str) -> Memory:
    with tenant_scope(tenant.id):
        for name in about:
            ensure_person(external_id=name)
        return remember(
            store=ensure_shared_store(slug="team"),
            statement=Statement(text="Alice et Bob partent en Gaspésie"),
            about=about,
        )


def _text(tenant: Tenant, memory: Memory) -> str:
    with tenant_scope(tenant.id):
        return str(MemoryVersion.objects.get(memory_id=memory.id).text)


@pytest.mark.parametrize("leaving", ["alice", "bob"])
def test_either_key_destroyed_destroys_it(acme: Tenant, leaving: str) -> None:
    memory = _shared_memory(acme, "alice", "bob")
    assert _text(acme, memory) == "Alice et Bob partent en Gaspésie"

    with tenant_scope(acme.id):
        destroy_subject_keys(get_person(external_id=leaving).id)

    with pytest.raises(ContentGone):
        _text(acme, memory)


@pytest.mark.parametrize("leaving", ["alice", "bob"])
def test_erasing_either_erases_it_and_leaves_the_rest_of_the_store(
    acme: Tenant, leaving: str
) -> None:
    memory, other = _shared_memory(acme, "alice", "bob"), _shared_memory(acme)
    with tenant_scope(acme.id):
        person_id = get_person(external_id=leaving).id
        request_erasure(target="person", target_id=person_id)
        assert not Memory.objects.filter(id=memory.id, state=Memory.State.ACTIVE).exists()
        assert not Passage.objects.filter(memory_id=memory.id).exists()

    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id):
        assert list(Memory.objects.values_list("id", flat=True)) == [other.id]
        assert not MemorySubject.objects.exists()
    assert _text(acme, other)


def test_alice_s_memory_about_bob_ends_with_bob(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        alice = ensure_person(external_id="alice")
        bob = ensure_person(external_id="bob")
        memory = remember(
            store=personal_store(person=alice),
            statement=Statement(text="Bob est allergique aux noix"),
            about=["bob"],
        )
        destroy_subject_keys(bob.id)

    with pytest.raises(ContentGone):
        _text(acme, memory)


def test_the_api_says_whom_it_is_about_and_answers_410_once_it_is_gone(acme: Tenant) -> None:
    acme.http.post("/api/v1/people", {"external_id": "alice"}, content_type="application/json")
    made = acme.http.post(
        "/api/v1/memories",
        {"person": "alice", "text": "Bob conduit une Civic", "about": ["bob"]},
        content_type="application/json",
    )
    assert made.status_code == 201
    assert made.json()["about"] == ["bob"]
    with tenant_scope(acme.id):
        destroy_subject_keys(get_person(external_id="bob").id)

    answer = acme.http.get(f"/api/v1/memories/{made.json()['id']}")

    assert answer.status_code == 410
    assert answer.json()["code"] == "content-gone"


def test_too_many_are_refused_and_nothing_is_kept(acme: Tenant) -> None:
    acme.http.post("/api/v1/people", {"external_id": "alice"}, content_type="application/json")

    answer = acme.http.post(
        "/api/v1/memories",
        {"person": "alice", "text": "Une fête", "about": [f"p{n}" for n in range(21)]},
        content_type="application/json",
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "too-many-subjects")
    with tenant_scope(acme.id):
        assert not Memory.objects.exists()


def test_globex_learns_nothing_of_it(acme: Tenant, globex: Tenant) -> None:
    memory = _shared_memory(acme, "alice", "bob")

    answer = globex.http.get(f"/api/v1/memories/{memory.id}")

    assert answer.status_code == 404
    assert "bob" not in str(globex.http.get("/api/v1/people").json())
