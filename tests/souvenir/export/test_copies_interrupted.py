"""A copy that is killed, cancelled, refused, or written to meanwhile: it goes on, the same."""

import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.export import writing
from souvenir.export.models import Export
from souvenir.export.services import EXPORTS, expire_exports, request_export
from souvenir.export.writing import write_export
from souvenir.ingestion.models import Asset
from souvenir.ingestion.services import ASSETS, Upload, accept_import, correct, remember
from souvenir.memories.models import Conversation, Memory
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import cancel_job, job_items, retry_failed_items
from tenants.models import Job, JobItem
from tests.builders import (
    Tenant,
    chatgpt_export,
    import_bytes,
    make_tenant,
    run_jobs,
    take_job,
)
from tests.killed import Killed


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("souvenir.export.listing._PART_CONVERSATIONS", 1)
    monkeypatch.setattr("souvenir.export.listing._PART_ROWS", 2)
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 60.0)


def _fill(tenant: Tenant) -> None:
    for number in range(3):
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            text = f"Bonjour {number} 🦔"
            archive.writestr(
                "conversations.json", chatgpt_export(text, "Salut", conversation=f"c-{number}")
            )
            archive.writestr(
                f"file-{number}-photo.png", b"\x89PNG\r\n\x1a\n" + bytes([number]) * 99
            )
        import_bytes(tenant, buffer.getvalue(), name=f"{number}.zip")
    with tenant_scope(tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
        for number in range(5):
            remember(store=store, statement=Statement(text=f"Souvenir {number}"))


def _request(tenant: Tenant) -> Export:
    with tenant_scope(tenant.id):
        return request_export(person=get_person(external_id="alice"))


def _job(export: Export) -> UUID:
    assert export.job_id is not None
    return export.job_id


def _body(tenant: Tenant, export: Export) -> bytes:
    with tenant_scope(tenant.id):
        return objects.stored(EXPORTS, str(export.id)).open().read()


def _without_manifest(body: bytes) -> tuple[bytes, dict[str, Any]]:
    """Every byte before the manifest, and what that says, but for when it was written."""
    with zipfile.ZipFile(BytesIO(body)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        del manifest["created_at"]
        return body[: archive.getinfo("manifest.json").header_offset], manifest


def _written_whole(tenant: Tenant) -> bytes:
    export = _request(tenant)
    run_jobs(tenant, Kind.WRITE_EXPORT)
    return _body(tenant, export)


def _die_at(
    tenant: Tenant, export: Export, monkeypatch: pytest.MonkeyPatch, name: str, call: int
) -> None:
    """A worker that is gone when it does `name` for the `call`-th time, from 1."""
    real: Callable[..., Any] = getattr(writing, name)
    calls = iter(range(1, 1000))

    def dying(*given: Any, **more: Any) -> Any:
        if next(calls) == call:
            raise Killed
        return real(*given, **more)

    lease = take_job(tenant, export.job_id)
    with monkeypatch.context() as patched:
        patched.setattr(writing, name, dying)
        with pytest.raises(Killed):
            write_export(lease)


@pytest.mark.parametrize("call", [1, 2, 5, 9, 12])
def test_a_copy_whose_worker_is_killed_goes_on_and_comes_out_byte_for_byte_the_same(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    _fill(acme)
    whole = _written_whole(acme)
    export = _request(acme)
    _die_at(acme, export, monkeypatch, "write_part", call)
    with tenant_scope(acme.id):
        done = dict(job_items(job_id=_job(export)).values_list("ordinal", "finished_at"))

    write_export(take_job(acme, export.job_id))

    assert _without_manifest(_body(acme, export)) == _without_manifest(whole)
    with tenant_scope(acme.id):
        items = dict(job_items(job_id=_job(export)).values_list("ordinal", "finished_at"))
        job = Job.objects.get(id=_job(export))
        left = objects.names(EXPORTS)
    kept = [ordinal for ordinal, when in done.items() if when]
    assert len(kept) == call - 1
    assert [items[ordinal] for ordinal in kept] == [done[ordinal] for ordinal in kept], "once each"
    assert (job.state, job.done, job.failed) == ("succeeded", job.total, 0)
    assert not [name for name in left if name.startswith(f"{export.id}-")], "no part is left"


@pytest.mark.parametrize("name", ["write_list", "_write_archive"])
def test_a_worker_killed_while_it_lists_or_joins_leaves_a_copy_that_goes_on(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _fill(acme)
    whole = _written_whole(acme)
    export = _request(acme)
    _die_at(acme, export, monkeypatch, name, 1)

    write_export(take_job(acme, export.job_id))

    assert _without_manifest(_body(acme, export)) == _without_manifest(whole)


def _first_part_of(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Export:
    """A copy of which a turn is done, and most is not."""
    export = _request(tenant)
    with monkeypatch.context() as patched:
        patched.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)
        write_export(take_job(tenant, export.job_id))
    with tenant_scope(tenant.id):
        states = list(job_items(job_id=_job(export)).values_list("state", flat=True))
    assert states.count(JobItem.State.SUCCEEDED) == 1
    return export


def test_what_is_written_between_two_parts_leaves_a_copy_that_can_be_restored(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(acme)
    export = _first_part_of(acme, monkeypatch)

    with tenant_scope(acme.id):
        store = personal_store(person=get_person(external_id="alice"))
        first = Memory.objects.order_by("id").first()
        assert first is not None
        correct(memory_id=first.id, statement=Statement(text="Corrigé depuis"))
        remember(store=store, statement=Statement(text="Venu depuis"))
    import_bytes(acme, chatgpt_export("Bonjour 0 🦔", "Salut", "Encore", conversation="c-0"))
    import_bytes(acme, chatgpt_export("Toute nouvelle", conversation="c-9"))
    run_jobs(acme, Kind.WRITE_EXPORT)

    body = _body(acme, export)
    with zipfile.ZipFile(BytesIO(body)) as archive:
        memories = [json.loads(line) for line in archive.read("memories.jsonl").splitlines()]
        conversations = archive.read("conversations.jsonl").splitlines()
    assert len(conversations) == 3
    said = [version["text"] for memory in memories for version in memory["versions"]]
    assert said == [f"Souvenir {number}" for number in range(5)], "as when the copy was begun"
    elsewhere = make_tenant()
    with tenant_scope(elsewhere.id):
        alice = ensure_person(external_id="alice")
        accept_import(person=alice, upload=Upload("souvenir.zip", [body]))
    job = run_jobs(elsewhere, Kind.RUN_IMPORT)[-1]
    assert job.state == "succeeded", job.error_code
    with tenant_scope(elsewhere.id):
        assert Conversation.objects.count() == 3


def test_a_copy_that_is_cancelled_between_two_parts_leaves_nothing(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(acme)
    export = _first_part_of(acme, monkeypatch)
    with tenant_scope(acme.id):
        assert len(objects.names(EXPORTS)) == 2, "the list and a part"
        expire_exports()
        assert len(objects.names(EXPORTS)) == 2, "which stay while it is written"
        cancel_job(job_id=_job(export))

        expire_exports()

        assert objects.names(EXPORTS) == []


def test_an_erasure_that_began_before_a_copy_ends_before_it(acme: Tenant) -> None:
    _fill(acme)
    with tenant_scope(acme.id):
        gone = Memory.objects.order_by("id").values_list("id", flat=True)[0]
        request_erasure(target="memory", target_id=gone)
    export = _request(acme)

    write_export(take_job(acme, export.job_id))

    with tenant_scope(acme.id):
        assert Job.objects.get(id=_job(export)).state == "queued"
        assert not job_items(job_id=_job(export)).exists(), "it has not looked at anything yet"
    run_jobs(acme, Kind.ERASE)
    with tenant_scope(acme.id):
        assert not Export.objects.filter(id=export.id).exists(), "what was asked for ends with it"


def test_a_copy_that_failed_goes_on_with_what_it_had_when_it_is_tried_again(acme: Tenant) -> None:
    _fill(acme)
    whole = _written_whole(acme)
    export = _request(acme)
    with tenant_scope(acme.id):
        asset = Asset.objects.order_by("sha256").first()
        assert asset is not None
        kept = objects.stored(ASSETS, str(asset.id)).path
    away = kept.with_name(".away")
    shutil.move(kept, away)
    with pytest.raises(FileNotFoundError):
        write_export(take_job(acme, export.job_id))
    with tenant_scope(acme.id):
        Job.objects.filter(id=_job(export)).update(state="failed", finished_at=timezone.now())
        done = list(job_items(job_id=_job(export)).filter(state="succeeded").values_list("id"))
        expire_exports()
    shutil.move(away, kept)

    with tenant_scope(acme.id):
        retry_failed_items(job_id=_job(export))
    run_jobs(acme, Kind.WRITE_EXPORT)

    assert _without_manifest(_body(acme, export)) == _without_manifest(whole)
    with tenant_scope(acme.id):
        once = JobItem.objects.filter(id__in=[id_ for (id_,) in done], attempts=1)
        assert len(done) == once.count() > 5, "what was done is not done again"


def test_a_failed_copy_whose_parts_are_gone_begins_anew(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(acme)
    whole = _written_whole(acme)
    export = _first_part_of(acme, monkeypatch)
    with tenant_scope(acme.id):
        long_ago = timezone.now() - timedelta(days=2)
        Job.objects.filter(id=_job(export)).update(state="failed", finished_at=long_ago)
        expire_exports()
        assert objects.names(EXPORTS) == [objects.names(EXPORTS)[0]], "only the other copy"
        retry_failed_items(job_id=_job(export))

    run_jobs(acme, Kind.WRITE_EXPORT)

    assert _without_manifest(_body(acme, export)) == _without_manifest(whole)


def test_globex_s_rows_are_in_no_part_of_acme_s_copy(acme: Tenant, globex: Tenant) -> None:
    _fill(acme)
    import_bytes(globex, chatgpt_export("Un secret de globex"))

    with zipfile.ZipFile(BytesIO(_written_whole(acme))) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())

    assert b"Un secret de globex" not in everything
