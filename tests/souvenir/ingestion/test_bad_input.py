"""Every sample through the import: a stable code and nothing stored, or all of it and a notice."""

import io
import json
import zipfile
from pathlib import Path
from uuid import UUID

import pytest

from souvenir.deletion.services import request_erasure
from souvenir.ingestion.models import Passage, RawObject
from souvenir.memories.models import Conversation, Message
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs

_SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def _samples(kind: str) -> list[Path]:
    found = sorted(path for path in (_SAMPLES / kind).rglob("*") if path.is_file())
    assert found, f"there are no samples in {kind}"
    return found


def _sample_id(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", _samples("refused"), ids=_sample_id)
def test_a_refused_file_leaves_nothing_behind(acme: Tenant, path: Path) -> None:
    body = path.read_bytes()
    if not body:
        answer = acme.http.post("/api/v1/imports", {"person": "alice", "file": io.BytesIO(b"")})
        assert answer.status_code == 400
        return
    record = import_bytes(acme, body, name=path.name)

    with tenant_scope(acme.id):
        job = Job.objects.get(subject_id=record.id)
        assert job.state == "failed"
        assert job.error_code.split("-")[0] in {"import", "archive"}
        assert not Conversation.objects.exists()
        assert not RawObject.objects.exists()
        assert objects.names("uploads") == objects.names("assets") == []


@pytest.mark.parametrize("path", [*_samples("repaired"), *_samples("good")], ids=_sample_id)
def test_a_file_that_is_taken_is_taken_whole(acme: Tenant, path: Path) -> None:
    record = import_bytes(acme, path.read_bytes(), name=path.name)

    with tenant_scope(acme.id):
        job = Job.objects.get(subject_id=record.id)
        assert (job.state, job.error_code) == ("succeeded", "")
        assert record.report["complete"] is True
        assert Message.objects.count() == record.report["added"]["messages"]


def test_a_message_of_ten_megabytes_comes_in_and_is_found(acme: Tenant) -> None:
    long = ("Q" * 900 + "\n\n") * 11_700 + "Le phare de Pointe-au-Père."
    assert len(long) > 10 * 1024 * 1024
    record = import_bytes(acme, chatgpt_export(long, "Oui."))

    assert record.report["complete"] is True
    with tenant_scope(acme.id):
        assert Passage.objects.count() > 10_000
    body = {"query": "phare", "person": "alice", "limit": 1}
    answer = acme.http.post("/api/v1/memories/search", body, "application/json")
    assert "phare" in answer.json()["results"][0]["text"]


def test_nothing_readable_is_left_of_an_import_that_was_refused(acme: Tenant) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("conversations.json", chatgpt_export("Bonjour"))
        archive.writestr("../../escape.json", b"[]")

    record = import_bytes(acme, buffer.getvalue(), name="export.zip")

    with tenant_scope(acme.id):
        job = Job.objects.get(subject_id=record.id)
        assert job.error_code == "archive-unsafe-path"
        assert not RawObject.objects.exists()


def test_absurd_ids_and_names_are_taken_all_the_same(acme: Tenant) -> None:
    long = "é\x00" * 5_000
    document = json.loads(chatgpt_export("Bonjour", "Salut", conversation=long))
    for node in document[0]["mapping"].values():
        if node["message"]:
            node["message"]["metadata"] = {"model_slug": long}
            node["message"]["create_time"] = long
            node["message"]["author"]["name"] = long
    body = json.dumps(document).encode()

    record = import_bytes(acme, body)
    again = import_bytes(acme, body)

    assert record.report["added"]["messages"] == 2
    assert again.report["added"]["messages"] == 0
    with tenant_scope(acme.id):
        answer = Message.objects.get(role="assistant")
        assert answer.parent is not None
        assert answer.parent.role == "user"
    _erase_and_check(acme, record.id)


def _erase_and_check(tenant: Tenant, import_id: UUID) -> None:
    with tenant_scope(tenant.id):
        request_erasure(target="import", target_id=import_id)
    run_jobs(tenant)
    with tenant_scope(tenant.id):
        assert not Message.objects.exists()
