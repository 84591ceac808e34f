"""Copies of what an organization keeps: written, brought back, taken apart and forged."""

import json
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from typing import Any

from souvenir.core.jobs import Job as Kind
from souvenir.export.services import EXPORTS, request_export
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.selectors import get_person
from souvenir.memories.services import ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, run_jobs


def copy_of(tenant: Tenant, person: str | None = "alice") -> bytes:
    with tenant_scope(tenant.id):
        someone = get_person(external_id=person) if person else None
        export = request_export(person=someone)
    run_jobs(tenant, Kind.WRITE_EXPORT)
    with tenant_scope(tenant.id):
        return objects.stored(EXPORTS, str(export.id)).open().read()


def restored(tenant: Tenant, body: bytes, person: str | None = "alice") -> Job:
    with tenant_scope(tenant.id):
        someone = ensure_person(external_id=person) if person else None
        record = accept_import(person=someone, upload=Upload("souvenir.zip", [body]))
    run_jobs(tenant, Kind.RUN_IMPORT)
    with tenant_scope(tenant.id):
        return Job.objects.get(subject_id=record.id)


def contents_of(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}


def with_files(body: bytes, changed: dict[str, bytes | None]) -> bytes:
    """The same zip with some files changed, left out (None) or added."""
    files = contents_of(body)
    with zipfile.ZipFile(BytesIO(body)) as archive:
        files["manifest.json"] = archive.read("manifest.json")
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in _merged(files, changed):
            archive.writestr(name, data)
    return buffer.getvalue()


def _merged(
    files: dict[str, bytes], changed: dict[str, bytes | None]
) -> Iterator[tuple[str, bytes]]:
    for name, data in ({**files, **changed}).items():
        if data is not None:
            yield name, data


def forged(body: bytes, path: str, *lines: dict[str, Any]) -> bytes:
    """The same archive with other lines in one file, and a manifest that agrees with them."""
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    with zipfile.ZipFile(BytesIO(body)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    for file in manifest["files"]:
        if file["path"] == path:
            file |= {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
    packed = json.dumps(manifest, separators=(",", ":")).encode()
    return with_files(body, {path: data, "manifest.json": packed})


def lines_of(body: bytes, path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in contents_of(body)[path].splitlines()]
