"""A new key for someone: what was sealed stays readable, and then the old key opens nothing."""

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.core.sealing import subjects_of
from souvenir.export.services import request_export
from souvenir.ingestion.services import remember
from souvenir.memories.metadata import entries_of
from souvenir.memories.models import MemoryVersion, Message, Person
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import keyring_transaction
from tenants.keyring.held import unwrapped_keys
from tenants.keyring.index_keys import index_keys
from tenants.keyring.models import SubjectKey
from tenants.keyring.services import rotate_tenant_key
from tenants.models import Job
from tenants.resealing import request_new_key
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs

_METADATA = {"projet": "Érable", "étape": 3, "fini": False}


def _fill(tenant: Tenant, person: str = "alice") -> UUID:
    import_bytes(tenant, chatgpt_export("Bonjour", "Salut"), person=person)
    with tenant_scope(tenant.id):
        someone = get_person(external_id=person)
        said = Statement(text="Un souvenir", metadata=_METADATA)
        remember(store=personal_store(person=someone), statement=said)
        request_export(person=someone)
    run_jobs(tenant, Kind.WRITE_EXPORT)
    return someone.id


def _versions(tenant: Tenant) -> set[int]:
    """The key versions that anything in the organization is sealed with."""
    found: set[int] = set()
    with tenant_scope(tenant.id):
        for message in Message.objects.all():
            found |= {version for _, version in subjects_of(message.__dict__["blocks"].stored)}
        for said in MemoryVersion.objects.all():
            for column in ("text", "metadata"):
                found |= {version for _, version in subjects_of(said.__dict__[column].stored)}
        for kind in objects.kinds():
            for name in objects.names(kind):
                found |= {version for _, version in objects.stored(kind, name).subjects()}
    return found


def _let_time_pass(tenant: Tenant, job_id: UUID) -> None:
    """As if the new key had been made two minutes ago, and the job's pause were over."""
    long_ago = timezone.now() - timedelta(minutes=10)
    with tenant_scope(tenant.id):
        with keyring_transaction(tenant.id):
            SubjectKey.objects.update(created_at=long_ago)
        Job.objects.filter(id=job_id).update(ring_at=long_ago)


def _read_all(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant.id):
        said = [block["text"] for row in Message.objects.all() for block in row.blocks]
        for row in MemoryVersion.objects.all():
            said += [row.text, *entries_of(row.metadata)]
        return sorted(said)


def test_everything_is_sealed_with_the_new_key_and_the_old_one_ends(acme: Tenant) -> None:
    person_id = _fill(acme)
    before = _read_all(acme)
    with tenant_scope(acme.id):
        job = request_new_key(subject_id=person_id)

    run_jobs(acme, Kind.SEAL_AGAIN)
    assert _versions(acme) == {2}
    for _ in range(2):
        _let_time_pass(acme, job.id)
        run_jobs(acme, Kind.SEAL_AGAIN)

    unwrapped_keys.clear()
    assert _read_all(acme) == before
    with tenant_scope(acme.id), keyring_transaction(acme.id):
        ended = SubjectKey.objects.filter(subject_id=person_id, destroyed_at__isnull=False)
        assert [row.version for row in ended] == [1]
        assert [bytes(row.wrapped) for row in ended] == [b""]
    with tenant_scope(acme.id):
        job.refresh_from_db()
        assert job.state == Job.State.SUCCEEDED


def test_the_old_key_is_not_ended_while_a_late_writer_may_still_use_it(acme: Tenant) -> None:
    person_id = _fill(acme)
    with tenant_scope(acme.id):
        job = request_new_key(subject_id=person_id)

    run_jobs(acme, Kind.SEAL_AGAIN)

    with tenant_scope(acme.id):
        job.refresh_from_db()
        assert job.state == Job.State.QUEUED
        with keyring_transaction(acme.id):
            alive = SubjectKey.objects.filter(subject_id=person_id, destroyed_at=None)
            assert alive.count() == 2


def test_what_is_written_after_the_rotation_has_the_new_key(acme: Tenant) -> None:
    person_id = _fill(acme)
    with tenant_scope(acme.id):
        request_new_key(subject_id=person_id)
        store = personal_store(person=get_person(external_id="alice"))
        remember(store=store, statement=Statement(text="Tout neuf"))

        newest = MemoryVersion.objects.order_by("-recorded_at")[0]

        assert dict(subjects_of(newest.__dict__["text"].stored)) == {person_id: 2}


def test_a_new_key_of_alice_touches_nothing_of_bob(acme: Tenant) -> None:
    alice = _fill(acme)
    _fill(acme, "bob")
    with tenant_scope(acme.id):
        bob = get_person(external_id="bob")
        request_new_key(subject_id=alice)

    run_jobs(acme, Kind.SEAL_AGAIN)

    with tenant_scope(acme.id):
        sealed = [
            dict(subjects_of(row.__dict__["blocks"].stored))
            for row in Message.objects.filter(store_id=personal_store(person=bob).id)
        ]
        assert sealed
        assert all(found == {bob.id: 1} for found in sealed)


def test_metadata_that_is_broken_keeps_the_old_key_alive(acme: Tenant) -> None:
    """What cannot be opened cannot be sealed again. Nothing else of it is lost for that."""
    person_id = _fill(acme)
    before = _read_all(acme)
    with tenant_scope(acme.id):
        whole = _stored_metadata()
        job = request_new_key(subject_id=person_id)
        _put_metadata(whole[:-1] + bytes([whole[-1] ^ 1]))
    for _ in range(3):
        _let_time_pass(acme, job.id)
        run_jobs(acme, Kind.SEAL_AGAIN)

    with tenant_scope(acme.id):
        job.refresh_from_db()
        assert (job.state, job.error_code) == ("failed", "seal-broken")
        assert "rable" not in str(job.error_params)
        with keyring_transaction(acme.id):
            alive = SubjectKey.objects.filter(subject_id=person_id, destroyed_at=None)
            assert alive.count() == 2
        _put_metadata(whole)
    unwrapped_keys.clear()
    assert _read_all(acme) == before


def test_metadata_that_was_emptied_stops_nothing_and_comes_back_from_nowhere(acme: Tenant) -> None:
    person_id = _fill(acme)
    with tenant_scope(acme.id):
        job = request_new_key(subject_id=person_id)
        _put_metadata(b"")
    for _ in range(3):
        _let_time_pass(acme, job.id)
        run_jobs(acme, Kind.SEAL_AGAIN)

    with tenant_scope(acme.id):
        job.refresh_from_db()
        assert job.state == Job.State.SUCCEEDED
        said = MemoryVersion.objects.get()
        assert (said.text, said.metadata) == ("Un souvenir", {})


def _stored_metadata() -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT metadata FROM memories_memoryversion")
        ((stored,),) = cursor.fetchall()
    return bytes(stored)


def _put_metadata(stored: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE memories_memoryversion SET metadata = %s", [stored])
        assert cursor.rowcount == 1


def test_a_memory_is_still_found_by_its_metadata_under_the_new_key(acme: Tenant) -> None:
    person_id = _fill(acme)
    with tenant_scope(acme.id):
        job = request_new_key(subject_id=person_id)
    for _ in range(3):
        _let_time_pass(acme, job.id)
        run_jobs(acme, Kind.SEAL_AGAIN)

    unwrapped_keys.clear()
    wanted = {"person": "alice", "metadata": {"étape": 3}}
    found = acme.http.post("/api/v1/memories/list", wanted, "application/json").json()
    assert [one["current"]["metadata"] for one in found["results"]] == [_METADATA]


def test_the_organization_s_key_is_rotated_without_touching_data(acme: Tenant) -> None:
    _fill(acme)
    before = _read_all(acme)
    with tenant_scope(acme.id):
        stored = [row.__dict__["blocks"].stored for row in Message.objects.order_by("id")]

        count = rotate_tenant_key()

        unwrapped_keys.clear()
        assert count >= 2  # the person's, and the search tokens'
        assert [row.__dict__["blocks"].stored for row in Message.objects.order_by("id")] == stored
        assert index_keys()
        assert Person.objects.get().external_id == "alice"
    assert _read_all(acme) == before


def test_globex_s_keys_are_left_alone(acme: Tenant, globex: Tenant) -> None:
    person_id = _fill(acme)
    _fill(globex)
    with tenant_scope(acme.id):
        request_new_key(subject_id=person_id)
        rotate_tenant_key()

    run_jobs(acme, Kind.SEAL_AGAIN)

    assert _versions(globex) == {1}
    assert "Un souvenir" in _read_all(globex)
