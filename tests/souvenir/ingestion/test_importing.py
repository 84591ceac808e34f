"""Imports come in whole, once, and in the open."""

import json
import zipfile
from io import BytesIO
from uuid import UUID

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.models import Passage, RawObject
from souvenir.ingestion.services import UPLOADS, Upload, accept_import
from souvenir.memories.models import Conversation, Message
from souvenir.memories.services import ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import claim_job
from tenants.models import Job
from tests.builders import HANDLERS, Tenant, chatgpt_export, import_bytes, run_jobs
from tests.killed import Killed


def test_everything_in_an_export_comes_in(acme: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export("Bonjour", "Salut!", "Ça va?"))

    assert record.report["complete"] is True
    assert record.report["added"] == {
        "conversations": 1, "messages": 3, "raw_objects": 1, "assets": 0
    }  # fmt: skip
    with tenant_scope(acme.id):
        assert [m.blocks[0]["text"] for m in Message.objects.order_by("ordinal")] == [
            "Bonjour", "Salut!", "Ça va?"
        ]  # fmt: skip


def test_the_same_file_again_adds_nothing(acme: Tenant) -> None:
    body = chatgpt_export("Bonjour", "Salut!")
    import_bytes(acme, body)

    again = import_bytes(acme, body)

    assert again.report["complete"] is True
    assert set(again.report["added"].values()) == {0}
    with tenant_scope(acme.id):
        assert Conversation.objects.count() == 1
        assert Message.objects.count() == 2
        assert RawObject.objects.count() == 1


def test_a_longer_copy_adds_only_what_is_new(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour", "Salut!"))

    longer = import_bytes(acme, chatgpt_export("Bonjour", "Salut!", "Encore"))

    assert longer.report["added"]["messages"] == 1
    with tenant_scope(acme.id):
        assert Message.objects.count() == 3
        newest = Message.objects.get(provider_id="c-1-m2")
        assert newest.parent is not None
        assert newest.parent.provider_id == "c-1-m1"


def test_a_poorer_copy_takes_nothing_away(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("A long question, told in full", "An answer"))

    import_bytes(acme, chatgpt_export("A", "An answer"))

    with tenant_scope(acme.id):
        first = Message.objects.get(provider_id="c-1-m0")
        assert first.blocks[0]["text"] == "A long question, told in full"


def test_a_richer_copy_replaces_text_and_passages(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Short", "An answer"))

    import_bytes(acme, chatgpt_export("Short no more, but told at length", "An answer"))

    with tenant_scope(acme.id):
        first = Message.objects.get(provider_id="c-1-m0")
        passage = Passage.objects.get(message_id=first.id)
        assert first.blocks[0]["text"] == "Short no more, but told at length"
        assert passage.end == len("Short no more, but told at length")


def test_two_people_can_bring_the_same_file(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"), person="alice")

    record = import_bytes(acme, chatgpt_export("Bonjour"), person="bob")

    assert record.report["added"]["conversations"] == 1


def test_what_cannot_be_read_is_refused_whole(acme: Tenant) -> None:
    whole = chatgpt_export("Bonjour", "Salut!")
    record = import_bytes(acme, whole[:-20])

    with tenant_scope(acme.id):
        job = Job.objects.get(subject_id=record.id)
        assert (job.state, job.error_code) == ("failed", "import-truncated")
        assert not Conversation.objects.exists()
        assert not RawObject.objects.exists()
        assert objects.names(UPLOADS) == []


def test_a_file_that_came_along_is_kept(acme: Tenant) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("conversations.json", chatgpt_export("Regarde"))
        archive.writestr("file-abc-photo.png", b"\x89PNG\r\n\x1a\n" + bytes(40))

    record = import_bytes(acme, buffer.getvalue(), name="export.zip")

    assert record.report["added"]["assets"] == 1
    with tenant_scope(acme.id):
        (name,) = objects.names("assets")
        assert objects.stored("assets", name).open().read().startswith(b"\x89PNG")


def test_hidden_messages_are_kept_and_not_searched(acme: Tenant) -> None:
    document = json.loads(chatgpt_export("Visible", "Hidden"))
    document[0]["mapping"]["c-1-m1"]["message"]["metadata"] = {
        "is_visually_hidden_from_conversation": True
    }

    import_bytes(acme, json.dumps(document).encode())

    with tenant_scope(acme.id):
        assert Message.objects.filter(hidden=True).count() == 1
        assert Passage.objects.count() == 1


def test_an_import_interrupted_anywhere_is_finished_by_the_next_worker(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 60.0)  # or a turn ends before
    many = json.dumps(
        [json.loads(chatgpt_export(f"Question {i}", conversation=f"c-{i}"))[0] for i in range(60)]
    ).encode()
    record = _accept_only(acme, many)
    with tenant_scope(acme.id):
        lease = claim_job(record)
    assert lease is not None
    with pytest.raises(Killed):
        HANDLERS[Kind.RUN_IMPORT](_DyingLease(lease, after=7))  # type: ignore[arg-type]  # a lease that dies
    with tenant_scope(acme.id):
        half = Conversation.objects.count()
        Job.objects.filter(id=record).update(state="queued")

    run_jobs(acme, Kind.RUN_IMPORT)

    assert 0 < half < 60
    with tenant_scope(acme.id):
        assert Conversation.objects.count() == 60
        assert Message.objects.count() == 60
        assert Job.objects.get(id=record).state == "succeeded"


def test_globex_sees_none_of_it(acme: Tenant, globex: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export("Un secret"))

    with tenant_scope(globex.id):
        assert not Conversation.objects.exists()
        assert not Passage.objects.exists()
    assert globex.http.get(f"/api/v1/imports/{record.id}").status_code == 404


class _DyingLease:
    """A lease whose worker dies at its n-th step."""

    def __init__(self, lease: object, *, after: int) -> None:
        self._lease, self._left = lease, after

    def __getattr__(self, name: str) -> object:
        return getattr(self._lease, name)

    def step(self, **progress: int) -> object:
        self._left -= 1
        if self._left < 0:
            raise Killed
        return self._lease.step(**progress)  # type: ignore[attr-defined]  # it is a Lease


def _accept_only(tenant: Tenant, body: bytes) -> UUID:
    """Accept an import and give its job, not yet run."""
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice")
        record = accept_import(person=person, upload=Upload("c.json", [body]))
    assert record.job_id is not None
    return record.job_id
