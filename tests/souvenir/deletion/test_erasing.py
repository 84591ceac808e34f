"""What is erased is gone from every table and from the object folder, and nothing else is."""

import zipfile
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.errors import ErasureTargetNotFound
from souvenir.deletion.models import Erasure
from souvenir.deletion.registry import ERASABLES, KEPT
from souvenir.deletion.services import request_erasure
from souvenir.export.models import Export
from souvenir.export.services import request_export
from souvenir.ingestion.models import Passage
from souvenir.ingestion.services import Upload, accept_import, remember
from souvenir.memories.models import Conversation, Evidence, Memory, Message, Person
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants import objects
from tenants.errors import LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger import claim_job
from tenants.models import ApiKey, Job, Organization
from tenants.services import issue_key
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs


def _tenant_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'tenant_id' AND table_schema = 'public' ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def _rows(tenant: Tenant) -> dict[str, int]:
    """Rows by table, asked of the catalogue, not of our own list."""
    counts = {}
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        for table in _tenant_tables():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def _erase(tenant: Tenant, target: str, target_id: UUID) -> Erasure:
    with tenant_scope(tenant.id):
        erasure = request_erasure(target=target, target_id=target_id)
    run_jobs(tenant, Kind.ERASE)
    with tenant_scope(tenant.id):
        erasure.refresh_from_db()
    return erasure


def _fill(tenant: Tenant, person: str = "alice") -> None:
    """Conversations with a file, a memory, vectors, finished exports, a key of one's own."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("conversations.json", chatgpt_export("Bonjour", "Salut"))
        archive.writestr("file-abc-photo.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    import_bytes(tenant, buffer.getvalue(), person=person, name="export.zip")
    with tenant_scope(tenant.id):
        someone = get_person(external_id=person)
        remember(store=personal_store(person=someone), statement=Statement(text="Un souvenir"))
        issue_key(label="agent", scopes=["memories:read"], person_id=someone.id)
        request_export(person=someone)
        request_export(person=None)
    run_jobs(tenant, Kind.EMBED_PASSAGES, Kind.WRITE_EXPORT)


def test_a_person_is_erased_from_every_table_and_folder(acme: Tenant) -> None:
    _fill(acme)
    with tenant_scope(acme.id):
        person_id = get_person(external_id="alice").id

    erasure = _erase(acme, "person", person_id)

    assert set(_rows(acme)) <= {"tenants_apikey"} | set(KEPT)
    assert erasure.finished_at is not None
    expected = {
        "people": 1, "stores": 1, "imports": 1, "conversations": 1, "messages": 2, "memories": 1,
        "passages": 3, "passage_vectors": 3, "raw_objects": 1, "assets": 1, "asset_files": 1,
        "exports": 2, "export_files": 2, "keys": 1,
    }  # fmt: skip
    assert expected.items() <= erasure.counts.items()
    with tenant_scope(acme.id):
        assert all(objects.names(kind) == [] for kind in ("assets", "exports", "uploads"))


def test_another_person_s_rows_stay(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("De Bob"), person="bob")
    before = _rows(acme)
    import_bytes(acme, chatgpt_export("D’Alice"), person="alice")
    with tenant_scope(acme.id):
        person_id = get_person(external_id="alice").id

    _erase(acme, "person", person_id)

    after = _rows(acme)
    changed = set(KEPT)
    assert {k: n for k, n in after.items() if k not in changed} == {
        k: n for k, n in before.items() if k not in changed
    }


def test_each_condition_of_an_erasure_is_asked_of_an_index(acme: Tenant) -> None:
    """Joined by OR, they would be asked of every row of the organization."""
    _fill(acme)
    with tenant_scope(acme.id):
        person_id = get_person(external_id="alice").id

    with CaptureQueriesContext(connection) as queries:
        _erase(acme, "person", person_id)

    tables = {f'FROM "{model._meta.db_table}"' for model in (Passage, Memory, Message, Evidence)}
    asked = [query["sql"] for query in queries if query["sql"].partition(" WHERE ")[1]]
    of_the_record = [one for one in asked if any(one.partition(" WHERE ")[0].endswith(table)
                                                 for table in tables)]  # fmt: skip
    assert len(of_the_record) >= len(tables)
    assert [statement for statement in of_the_record if " OR " in statement] == []


def test_an_organization_is_erased_but_for_the_report(acme: Tenant) -> None:
    _fill(acme)
    acme.http.patch("/api/v1/organization", {"timezone": "America/Regina"}, "application/json")

    erasure = _erase(acme, "organization", acme.id)

    assert set(_rows(acme)) <= set(KEPT)
    assert erasure.finished_at is not None
    left = Organization.objects.get(id=acme.id)
    assert (left.state, left.name_en, left.time_zone) == ("erased", "", "")
    assert acme.http.get("/api/v1/people").status_code == 401
    assert not (settings.SOUVENIR_OBJECTS_DIR / acme.id.hex).exists()


def test_a_conversation_is_erased_with_all_that_hangs_on_it(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Une", conversation="c-1"))
    import_bytes(acme, chatgpt_export("Deux", conversation="c-2"))
    with tenant_scope(acme.id):
        conversation = Conversation.objects.get(provider_id="c-1")

    erasure = _erase(acme, "conversation", conversation.id)

    counts = erasure.counts
    assert (counts["conversations"], counts["messages"], counts["raw_objects"]) == (1, 1, 1)
    with tenant_scope(acme.id):
        assert [c.provider_id for c in Conversation.objects.all()] == ["c-2"]


def test_a_memory_is_out_of_every_answer_before_the_job_runs(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        memory = remember(store=store, statement=Statement(text="Un secret"))

        request_erasure(target="memory", target_id=memory.id)

    body = {"query": "secret", "person": "alice"}
    assert (
        acme.http.post("/api/v1/memories/search", body, "application/json").json()["results"] == []
    )
    assert acme.http.get(f"/api/v1/memories/{memory.id}").status_code == 404
    run_jobs(acme, Kind.ERASE)
    with tenant_scope(acme.id):
        assert not Memory.objects.exists()
        counts = Erasure.objects.get().counts
    assert (counts["memories"], counts["memory_versions"], counts["passages"]) == (1, 1, 1)
    assert counts["passage_tokens"] > 0


def test_an_import_is_erased_and_what_a_later_one_said_again_stays(acme: Tenant) -> None:
    first = import_bytes(acme, chatgpt_export("Bonjour", "Salut"))
    import_bytes(acme, chatgpt_export("Bonjour", "Salut", "Encore"))

    _erase(acme, "import", first.id)

    with tenant_scope(acme.id):
        messages = [m.blocks[0]["text"] for m in Message.objects.order_by("ordinal")]
    assert messages == ["Bonjour", "Salut", "Encore"]
    assert _rows(acme)["ingestion_import"] == 1


def test_what_only_the_erased_import_said_goes(acme: Tenant) -> None:
    first = import_bytes(acme, chatgpt_export("Bonjour", "Salut", "À effacer"))
    import_bytes(acme, chatgpt_export("Bonjour", "Salut", title="A newer title"))

    _erase(acme, "import", first.id)

    with tenant_scope(acme.id):
        messages = [m.blocks[0]["text"] for m in Message.objects.order_by("ordinal")]
    assert messages == ["Bonjour", "Salut"]
    assert _rows(acme)["ingestion_passage"] == 2


def test_finished_copies_that_hold_it_go_too(acme: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export("Bonjour"))
    with tenant_scope(acme.id):
        ensure_person(external_id="bob")
        kept = request_export(person=get_person(external_id="bob"))
        request_export(person=get_person(external_id="alice"))
        request_export(person=None)
    run_jobs(acme, Kind.WRITE_EXPORT)

    _erase(acme, "import", record.id)

    with tenant_scope(acme.id):
        assert [export.id for export in Export.objects.all()] == [kept.id]
        assert objects.names("exports") == [str(kept.id)]


def test_erasing_twice_does_no_harm(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    with tenant_scope(acme.id):
        person_id = get_person(external_id="alice").id
        request_erasure(target="person", target_id=person_id)
        request_erasure(target="person", target_id=person_id)

    states = {job.state for job in run_jobs(acme, Kind.ERASE)}

    assert states == {"succeeded"}
    with tenant_scope(acme.id):
        assert not Person.objects.exists()


@pytest.mark.parametrize("target", ["conversation", "import", "person"])
def test_what_is_not_there_cannot_be_erased(acme: Tenant, target: str) -> None:
    with tenant_scope(acme.id), pytest.raises(ErasureTargetNotFound):
        request_erasure(target=target, target_id=uuid4())


def test_globex_cannot_erase_acme_s_conversation(acme: Tenant, globex: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    with tenant_scope(acme.id):
        conversation = Conversation.objects.get()

    body = {"target": "conversation", "id": str(conversation.id)}
    answer = globex.http.post("/api/v1/erasures", body, "application/json")

    assert answer.status_code == 404
    assert answer.json()["code"] == "erasure-target-not-found"
    with tenant_scope(acme.id):
        assert Conversation.objects.exists()


def test_every_tenant_table_is_in_the_registry() -> None:
    known = {erasable.model._meta.db_table for erasable in ERASABLES} | set(KEPT)

    assert set(_tenant_tables()) == known


def test_an_organization_s_keys_and_jobs_do_not_outlive_it(acme: Tenant) -> None:
    _erase(acme, "organization", acme.id)

    with tenant_scope(acme.id):
        assert not ApiKey.objects.exists()
        assert {job.state for job in Job.objects.all()} == {"succeeded"}


def test_an_import_under_way_stops_when_it_is_erased(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        upload = Upload("c.json", [chatgpt_export("Bonjour")])
        record = accept_import(person=person, upload=upload)
        assert record.job_id is not None
        lease = claim_job(record.job_id)
    assert lease is not None

    _erase(acme, "import", record.id)

    with pytest.raises(LeaseLost), lease.step():
        pass
    with tenant_scope(acme.id):
        assert Job.objects.get(id=record.job_id).state == "cancelled"
        assert objects.names("uploads") == []
