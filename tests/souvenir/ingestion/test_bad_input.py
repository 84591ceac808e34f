"""Every sample through the import: a stable code and nothing stored, or all of it and a notice."""

import io
import zipfile
from pathlib import Path

import pytest

from souvenir.ingestion.models import Passage, RawObject
from souvenir.memories.models import Conversation, Message
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes

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
        answer = acme.http.post(
            "/api/v1/imports", {"person": "alice", "file": io.BytesIO(b"")}
        )
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
    long = "Le phare de Pointe-au-Père. " * 380_000
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
