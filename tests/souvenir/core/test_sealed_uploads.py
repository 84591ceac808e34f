"""What is uploaded is never readable on the disk, not even while it is on its way."""

import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from souvenir.ingestion.models import Import
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export

SECRET = b"le chalet de Tadoussac est a vendre "


def test_a_large_upload_waits_sealed(
    acme: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.http.post("/api/v1/people", {"external_id": "alice"}, content_type="application/json")
    kept: list[bytes] = []
    made = tempfile.TemporaryFile

    def watched(*args: object, **kwargs: object) -> object:
        file = made(*args, **kwargs)  # type: ignore[call-overload]
        write = file.write

        def noted(data: bytes) -> int:
            kept.append(bytes(data))
            return int(write(data))

        monkeypatch.setattr(file, "write", noted)
        return file

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    body = chatgpt_export(SECRET.decode() * 100_000)

    answer = Client(headers={"authorization": f"Bearer {acme.key}"}).post(
        "/api/v1/imports",
        {"person": "alice", "file": SimpleUploadedFile("conversations.json", body)},
    )

    assert answer.status_code == 202
    assert sum(len(piece) for piece in kept) > len(body)
    assert not any(SECRET in piece for piece in kept)
    with tenant_scope(acme.id):
        record = Import.objects.get(id=answer.json()["id"])
        stored = objects.stored("uploads", str(record.id))
        assert stored.open().read() == body
        assert SECRET not in stored.path.read_bytes()
        assert stored.stat().st_size == len(body)
