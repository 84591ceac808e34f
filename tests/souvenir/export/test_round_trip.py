"""Nothing is lost on the way out: export, restore elsewhere, export: the same bytes."""

import json
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import pytest

from souvenir.config.demo.archive import demo_exports
from souvenir.core.jobs import Job as Kind
from souvenir.export.models import Export
from souvenir.export.services import EXPORTS, request_export
from souvenir.ingestion.models import Import
from souvenir.ingestion.services import correct, remember
from souvenir.memories.models import Conversation, Evidence, Memory, Message
from souvenir.memories.selectors import current_versions, get_person, personal_store
from souvenir.memories.services import Statement, ensure_person, ensure_shared_store
from souvenir.search.questions import Filters, Question
from souvenir.search.services import search
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs
from tests.souvenir.export.copies import (
    contents_of,
    copy_of,
    forged,
    lines_of,
    restored,
    with_files,
)

METADATA = {"source": "dossier 7", "fois": 1.0, "grave": True, "taux": 0.1, "é": "ô"}


def _fill(tenant: Tenant, person: str = "alice") -> None:
    """A year with branches, tool calls and a file; a memory with a history and its evidence."""
    for export in demo_exports():
        import_bytes(tenant, export.packed(), person=person, name=export.file_name)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "conversations.json", chatgpt_export("Regarde 🦔", "Ça alors", conversation="x")
        )
        archive.writestr("file-abc-photo.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    import_bytes(tenant, buffer.getvalue(), person=person, name="one more.zip")
    with tenant_scope(tenant.id):
        store = personal_store(person=get_person(external_id=person))
        memory = remember(
            store=store,
            statement=Statement(text="Allergique aux noix", metadata=METADATA),
            about=["zoé", "carl"],
        )
        better = Statement(text="Aux noisettes", reason="É", metadata={"source": None, "fois": 2})
        memory = correct(memory_id=memory.id, statement=better)
        ensure_person(external_id=person, time_zone="America/St_Johns")
        message = Message.objects.filter(store_id=store.id).earliest("id")
        version = current_versions([memory])[memory.id]
        Evidence.objects.create(
            version=version, message=message, block=0, start=0, end=3, quote_sha256="0" * 64
        )


def test_a_person_s_copy_restored_and_copied_again_is_the_same(acme: Tenant) -> None:
    _fill(acme)
    first = copy_of(acme)
    elsewhere = make_tenant()

    job = restored(elsewhere, first)
    second = copy_of(elsewhere)

    assert job.state == "succeeded", job.error_code
    assert contents_of(second) == contents_of(first)


def test_an_organization_s_copy_restored_and_copied_again_is_the_same(acme: Tenant) -> None:
    _fill(acme)
    import_bytes(acme, chatgpt_export("De Bob"), person="bob")
    with tenant_scope(acme.id):
        remember(store=ensure_shared_store(slug="team"), statement=Statement(text="À tous"))
    first = copy_of(acme, person=None)
    elsewhere = make_tenant()

    job = restored(elsewhere, first, person=None)
    second = copy_of(elsewhere, person=None)

    assert job.state == "succeeded", job.error_code
    assert contents_of(second) == contents_of(first)


def test_the_copy_holds_every_message_and_every_byte_that_came(acme: Tenant) -> None:
    body = chatgpt_export("Où?", "Là.")
    import_bytes(acme, body)

    contents = contents_of(copy_of(acme))

    raw = [data for name, data in contents.items() if name.startswith("raw/")]
    assert raw == [body[1:-1]]
    assert len(contents["messages.jsonl"].splitlines()) == 2
    assert {"README.en.md", "README.fr.md"} <= set(contents)
    assert any(name.startswith("schemas/") for name in contents)


def test_the_manifest_lists_every_file_with_its_hash(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Où?"))
    body = copy_of(acme)

    with zipfile.ZipFile(BytesIO(body)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = set(archive.namelist()) - {"manifest.json"}

    assert {file["path"] for file in manifest["files"]} == names
    assert (manifest["format"], manifest["version"], manifest["scope"]) == (
        "souvenir-archive", 2, "person"
    )  # fmt: skip


def test_restoring_twice_adds_nothing(acme: Tenant) -> None:
    _fill(acme)
    body = copy_of(acme)
    elsewhere = make_tenant()
    restored(elsewhere, body)

    restored(elsewhere, body)

    with tenant_scope(elsewhere.id):
        last = Import.objects.latest("recorded_at", "id")
        assert last.report["added"] == {}
    assert contents_of(copy_of(elsewhere)) == contents_of(body)


def test_one_person_s_copy_can_be_brought_back_as_another_s(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour", "Salut"))
    with tenant_scope(acme.id):
        store = personal_store(person=get_person(external_id="alice"))
        remember(store=store, statement=Statement(text="Un souvenir"))

    job = restored(acme, copy_of(acme), person="bob")

    assert job.state == "succeeded", job.error_code
    with tenant_scope(acme.id):
        bob = personal_store(person=get_person(external_id="bob"))
        assert Message.objects.filter(store_id=bob.id).count() == 2
        assert Memory.objects.filter(store_id=bob.id).count() == 1
        assert Message.objects.filter(store_id=store.id).count() == 2


def test_a_copy_of_several_people_is_not_taken_for_one(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"), person="alice")
    import_bytes(acme, chatgpt_export("Bonsoir"), person="bob")
    elsewhere = make_tenant()

    job = restored(elsewhere, copy_of(acme, person=None), person="carol")

    assert job.error_code == "archive-of-several"


@pytest.mark.parametrize(
    "changed",
    [
        {"messages.jsonl": b"{}\n"},
        {"messages.jsonl": None},
        {"raw/extra": b"x"},
        {"memories.jsonl": b"\n"},
    ],
)
def test_an_altered_archive_is_refused_whole(
    acme: Tenant, changed: dict[str, bytes | None]
) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    elsewhere = make_tenant()

    job = restored(elsewhere, with_files(copy_of(acme), changed))

    assert (job.state, job.error_code) == ("failed", "archive-altered")
    with tenant_scope(elsewhere.id):
        assert not Conversation.objects.exists()


def test_a_newer_archive_is_refused_with_what_to_do(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    body = copy_of(acme)
    with zipfile.ZipFile(BytesIO(body)) as archive:
        manifest = archive.read("manifest.json").replace(b'"version":2', b'"version":3')

    job = restored(make_tenant(), with_files(body, {"manifest.json": manifest}))

    assert job.error_code == "archive-version"


def test_globex_s_rows_are_not_in_acme_s_copy(acme: Tenant, globex: Tenant) -> None:
    import_bytes(globex, chatgpt_export("Un secret de globex"))
    import_bytes(acme, chatgpt_export("Bonjour"))

    body = b"".join(contents_of(copy_of(acme, person=None)).values())

    assert b"Un secret de globex" not in body


def test_a_copy_that_loses_its_lease_is_never_given_a_name(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    with tenant_scope(acme.id):
        export = request_export(person=None)
        Job.objects.filter(subject_id=export.id).update(state="cancelled")

    run_jobs(acme, Kind.WRITE_EXPORT)

    with tenant_scope(acme.id):
        assert objects.names(EXPORTS) == []
        assert Export.objects.get(id=UUID(str(export.id))).expires_at is None


def test_an_upload_of_memories_alone_comes_back_too(acme: Tenant) -> None:
    memories = json.dumps([{"conversations_memory": "**Work**\n- Maps", "account_uuid": "a"}])
    record = import_bytes(acme, memories.encode(), name="memories.json")
    elsewhere = make_tenant()

    job = restored(elsewhere, copy_of(acme))

    assert record.report["complete"] is True
    assert (job.state, job.error_code) == ("succeeded", "")
    assert contents_of(copy_of(elsewhere)) == contents_of(copy_of(acme))


def test_an_archive_for_one_person_writes_to_no_shared_store(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    with tenant_scope(acme.id):
        remember(store=ensure_shared_store(slug="team"), statement=Statement(text="Planted"))
    everything = copy_of(acme, person=None)
    elsewhere = make_tenant()
    with tenant_scope(elsewhere.id):
        ensure_shared_store(slug="team")

    job = restored(elsewhere, everything, person="bob")

    assert job.error_code == "archive-of-several"
    with tenant_scope(elsewhere.id):
        assert not Memory.objects.exists()


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("messages.jsonl", "conversation_id"),
        ("messages.jsonl", "parent_id"),
        ("messages.jsonl", "import_id"),
        ("conversations.jsonl", "current_leaf_id"),
        ("raw.jsonl", "batch_id"),
        ("raw.jsonl", "conversation_id"),
    ],
)
def test_a_forged_archive_hangs_nothing_on_somebody_s_rows(
    acme: Tenant, path: str, column: str
) -> None:
    import_bytes(acme, chatgpt_export("D’Alice", "Oui"), person="alice")
    with tenant_scope(acme.id):
        theirs = {
            "conversation_id": Conversation.objects.get().id,
            "parent_id": Message.objects.earliest("ordinal").id,
            "current_leaf_id": Message.objects.earliest("ordinal").id,
            "import_id": Import.objects.get().id,
            "batch_id": Import.objects.get().id,
        }[column]
    import_bytes(acme, chatgpt_export("De Mallory", conversation="m"), person="mallory")
    body = copy_of(acme, person="mallory")
    lines = [{**line, column: str(theirs)} for line in lines_of(body, path)]

    job = restored(acme, forged(body, path, *lines), person="mallory")

    assert (job.state, job.error_code) == ("failed", "archive-altered")
    with tenant_scope(acme.id):
        assert (
            Message.objects.filter(conversation_id=Conversation.objects.earliest("id").id).count()
            == 2
        )


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("messages.jsonl", {"role": "root"}),
        ("messages.jsonl", {"role": "x" * 500}),
        ("messages.jsonl", {"ordinal": 2**40}),
        ("messages.jsonl", {"hidden": "yes"}),
        ("messages.jsonl", {"occurred_at": "yesterday"}),
        ("messages.jsonl", {"blocks": [{"type": "text"}]}),
        ("messages.jsonl", {"store": "team"}),
        ("conversations.jsonl", {"provider": "elsewhere"}),
        ("raw.jsonl", {"sha256": "0" * 64}),
        ("stores.jsonl", {"person": "somebody"}),
        ("people.jsonl", {"display_name": 7}),
        ("people.jsonl", {"time_zone": 7}),
        ("sources.jsonl", {"recorded_at": ""}),
    ],
)
def test_a_line_that_souvenir_does_not_write_is_refused(
    acme: Tenant, path: str, change: dict[str, object]
) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    body = copy_of(acme)
    elsewhere = make_tenant()

    job = restored(
        elsewhere, forged(body, path, *[{**line, **change} for line in lines_of(body, path)])
    )

    assert job.state == "failed"
    assert job.error_code in {"archive-altered", "archive-of-several"}
    with tenant_scope(elsewhere.id):
        assert not Conversation.objects.exists()


def test_what_a_memory_said_before_is_found_in_a_restored_copy_too(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        said = Statement(text="Allergique aux noix", valid_from=datetime(2020, 1, 1, tzinfo=UTC))
        memory = remember(store=store, statement=said)
        changed = Statement(text="À rien", valid_from=datetime(2025, 1, 1, tzinfo=UTC))
        correct(memory_id=memory.id, statement=changed)
    elsewhere = make_tenant()
    restored(elsewhere, copy_of(acme))

    with tenant_scope(elsewhere.id):
        store = personal_store(person=get_person(external_id="alice"))
        then = Filters(as_of=datetime(2024, 1, 1, tzinfo=UTC))
        back = search(Question("allergique", [store.id], only=then))
        now = search(Question("allergique", [store.id]))

    assert [found.text for found in back.results] == ["Allergique aux noix"]
    assert now.results == []
