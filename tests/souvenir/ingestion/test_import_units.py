"""An import in units: left off and gone on with, and what breaks us set aside alone."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.ingestion import importing, planning
from souvenir.ingestion.looking import Looking
from souvenir.ingestion.merging import keep_conversation
from souvenir.ingestion.models import Import, RawObject
from souvenir.ingestion.services import REPORTS, UNITS, UPLOADS, Upload, accept_import
from souvenir.ingestion.units import UNIT_BYTES, UNIT_OBJECTS, objects_of, place_of, take_apart
from souvenir.memories.models import Conversation
from souvenir.memories.services import ensure_person
from souvenir.portability.documents import ObjectRead
from souvenir.portability.documents import RawObject as RawDocument
from tenants import objects
from tenants.errors import LeaseLost, UploadQuotaExceeded
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, job_items, jobs, retry_failed_items
from tenants.ledger.allowances import set_allowance
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs

FILES = (UPLOADS, UNITS, REPORTS)


def _many(count: int) -> bytes:
    return json.dumps(
        [json.loads(chatgpt_export(f"Q {i}", conversation=f"c-{i}"))[0] for i in range(count)]
    ).encode()


def _break_at(monkeypatch: pytest.MonkeyPatch, conversation: str) -> Callable[[], None]:
    """From now on our code breaks on one conversation. Gives what ends that."""
    keep = keep_conversation

    def keep_or_break(**given: object) -> object:
        if given["document"].provider_id == conversation:  # type: ignore[attr-defined]
            raise KeyError("what a person wrote")
        return keep(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(importing, "keep_conversation", keep_or_break)
    return lambda: monkeypatch.setattr(importing, "keep_conversation", keep)


def _files(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant.id):
        return [name for kind in FILES for name in objects.names(kind)]


def test_units_are_bounded_and_read_back_from_any_place() -> None:
    bodies = [b"{}" * n for n in range(UNIT_OBJECTS + 3)] + [b" " * UNIT_BYTES, b"last"]
    read = [ObjectRead(RawDocument("other", f"f-{n}", n, body)) for n, body in enumerate(bodies)]
    stream = BytesIO()

    parts = list(take_apart(read, stream))

    assert [part.size for part in parts] == [UNIT_OBJECTS, 4, 1]
    second = list(objects_of(stream, begins=place_of(parts[1].name)[1], first=1, size=2))
    assert [one.raw.path for one in second] == [f"f-{UNIT_OBJECTS + 1}", f"f-{UNIT_OBJECTS + 2}"]
    assert second[0].raw.body == bodies[UNIT_OBJECTS + 1]


def test_nothing_of_the_way_is_left_when_all_is_kept(acme: Tenant) -> None:
    record = import_bytes(acme, _many(60))

    assert record.report["complete"] is True
    assert _files(acme) == []
    with tenant_scope(acme.id):
        (job,) = jobs().filter(kind=Kind.RUN_IMPORT.value)
        sizes = [item.size for item in job_items(job_id=job.id)]
        embedding = jobs().get(kind=Kind.EMBED_PASSAGES.value)
    assert (job.done, job.failed, job.total) == (60, 0, 60)
    assert sizes == [25, 25, 10]
    assert job.cost_bytes > 0
    assert embedding.parent_id == job.id


def test_one_bad_conversation_does_not_stop_the_others(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend = _break_at(monkeypatch, "c-17")

    record = import_bytes(acme, _many(60))

    with tenant_scope(acme.id):
        job = jobs().get(kind=Kind.RUN_IMPORT.value)
        bad = job_items(job_id=job.id).get(state="quarantined")
        assert Conversation.objects.count() == 59
        assert RawObject.objects.count() == 60, "its bytes are kept, though it is not understood"
    assert (job.state, job.done, job.failed) == ("succeeded", 59, 1)
    assert (bad.size, bad.error_code) == (1, "item-breaks")
    assert record.report["complete"] is False
    assert record.report["notices"]["set-aside"] == {
        "count": 1,
        "where": ["conversations.json#17"],
    }
    assert "wrote" not in json.dumps(bad.error_params)

    mend()
    with tenant_scope(acme.id):
        retry_failed_items(job_id=job.id)
    run_jobs(acme, Kind.RUN_IMPORT)

    with tenant_scope(acme.id):
        record.refresh_from_db()
        assert Conversation.objects.count() == 60
        assert not RawObject.objects.filter(conversation__isnull=True).exists()
        assert jobs().filter(id=job.id).values_list("done", "failed").get() == (60, 0)
    assert record.report["complete"] is True
    assert "set-aside" not in record.report["notices"]
    assert _files(acme) == []


def test_bringing_it_in_once_more_understands_what_was_set_aside(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend = _break_at(monkeypatch, "c-1")
    import_bytes(acme, _many(3))
    mend()

    again = import_bytes(acme, _many(3))

    assert again.report["complete"] is True
    with tenant_scope(acme.id):
        assert Conversation.objects.count() == 3


def test_a_long_import_has_many_turns_and_ends_as_if_it_had_one(
    acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_one = import_bytes(globex, _many(6))
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)
    monkeypatch.setattr("souvenir.ingestion.looking._WORTH", 0.0)

    record = import_bytes(acme, _many(6))

    with tenant_scope(acme.id):
        job = jobs().get(kind=Kind.RUN_IMPORT.value)
    assert (job.state, job.done, job.total) == ("succeeded", 6, 6)
    assert record.stretches > 6
    assert job.fence > record.stretches, "each stretch was a turn of its own"
    assert record.report == in_one.report
    assert _files(acme) == []


def test_a_worker_that_dies_while_it_reads_loses_one_stretch(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)
    monkeypatch.setattr("souvenir.ingestion.looking._WORTH", 0.0)
    leave_off, died = planning._leave_off, list[int]()

    def die_once(lease: Lease, record: Import, looking: Looking) -> None:
        leave_off(lease, record, looking)
        if record.stretches == 5 and not died:
            died.append(record.stretches)
            raise LeaseLost  # the files are written, and the transaction is not

    monkeypatch.setattr(planning, "_leave_off", die_once)
    monkeypatch.setattr("tenants.ledger.lease.LEASE", timedelta(0))
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        accept_import(person=person, upload=Upload("conversations.json", [_many(6)]))
    run_jobs(acme, Kind.RUN_IMPORT)

    with tenant_scope(acme.id):
        Job.objects.update(holder="")
    run_jobs(acme, Kind.RUN_IMPORT)

    assert died == [5]
    with tenant_scope(acme.id):
        assert Conversation.objects.count() == 6
        assert jobs().get(kind=Kind.RUN_IMPORT.value).done == 6


def test_an_erasure_takes_what_is_on_the_way(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    _break_at(monkeypatch, "c-1")
    record = import_bytes(acme, _many(3))
    assert len(_files(acme)) == 3

    with tenant_scope(acme.id):
        request_erasure(target="import", target_id=record.id)
    run_jobs(acme, Kind.ERASE)

    assert _files(acme) == []
    with tenant_scope(acme.id):
        assert not RawObject.objects.exists()


def test_more_than_the_quota_is_refused_and_not_kept(acme: Tenant) -> None:
    body = chatgpt_export("Bonjour")
    set_allowance(acme.id, bytes_per_day=len(body) + 10)
    import_bytes(acme, body)

    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        with pytest.raises(UploadQuotaExceeded) as refusal:
            accept_import(person=person, upload=Upload("c.json", [body]))

    assert 0 < refusal.value.params["retry_after_seconds"] <= 24 * 60 * 60
    assert _files(acme) == []


def test_globex_s_quota_is_its_own(acme: Tenant, globex: Tenant) -> None:
    body = chatgpt_export("Bonjour")
    set_allowance(acme.id, bytes_per_day=1)

    assert import_bytes(globex, body).report["complete"] is True


def test_an_item_names_no_one(acme: Tenant) -> None:
    import_bytes(acme, _many(2))

    with tenant_scope(acme.id):
        (job,) = Job.objects.filter(kind=Kind.RUN_IMPORT.value)
        names = list(job_items(job_id=job.id).values_list("name", flat=True))
    assert names == ["0-0"]
    assert isinstance(job.id, UUID)
