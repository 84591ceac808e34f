"""A restore is verified once, has turns, and goes on after a kill: every row once."""

from typing import Any

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.export.services import EXPORTS, request_export
from souvenir.ingestion import restore
from souvenir.ingestion.importing import run_import
from souvenir.ingestion.models import Import
from souvenir.ingestion.services import Upload, accept_import, remember
from souvenir.memories.models import Conversation, Memory, Message
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import cancel_job
from tenants.models import Job
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
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("souvenir.ingestion.restore._STEP_ROWS", 2)


def _copy() -> bytes:
    tenant = make_tenant()
    for number in range(3):
        words = [f"Question {place}" for place in range(4)]
        import_bytes(tenant, chatgpt_export(*words, conversation=f"c-{number}"))
    with tenant_scope(tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
        for number in range(3):
            remember(store=store, statement=Statement(text=f"Souvenir {number}"))
        export = request_export(person=get_person(external_id="alice"))
    run_jobs(tenant, Kind.WRITE_EXPORT)
    with tenant_scope(tenant.id):
        return objects.stored(EXPORTS, str(export.id)).open().read()


def _accept(tenant: Tenant, body: bytes) -> Import:
    with tenant_scope(tenant.id):
        alice = ensure_person(external_id="alice")
        return accept_import(person=alice, upload=Upload("souvenir.zip", [body]))


def _job(tenant: Tenant, record: Import) -> Job:
    with tenant_scope(tenant.id):
        return Job.objects.get(id=record.job_id or record.id)


def _rows(tenant: Tenant) -> tuple[int, int, int]:
    with tenant_scope(tenant.id):
        return Conversation.objects.count(), Message.objects.count(), Memory.objects.count()


def _added(tenant: Tenant, record: Import) -> dict[str, int]:
    with tenant_scope(tenant.id):
        record.refresh_from_db()
    assert record.report is not None
    added: dict[str, int] = record.report["added"]
    return added


def _counting(monkeypatch: pytest.MonkeyPatch, name: str, *, dies_at: int = 0) -> list[int]:
    """Count how often something of a restore is done; the worker is gone at one of them."""
    real: Any = getattr(restore, name)
    calls: list[int] = []

    def counted(*given: Any, **more: Any) -> Any:
        calls.append(len(calls) + 1)
        if calls[-1] == dies_at:
            raise Killed
        return real(*given, **more)

    monkeypatch.setattr(restore, name, counted)
    return calls


def test_a_restore_leaves_off_between_two_steps_and_is_verified_once(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = _accept(acme, _copy())
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)
    monkeypatch.setattr("souvenir.ingestion.looking._WORTH", 0.0)
    checks = _counting(monkeypatch, "verify")

    run_import(take_job(acme, record.job_id))

    first = _job(acme, record)
    assert (first.state, first.holder) == ("running", "")
    assert 0 < first.done < (first.total or 0)
    run_jobs(acme, Kind.RUN_IMPORT)
    job = _job(acme, record)
    assert (job.state, job.done, job.failed) == ("succeeded", job.total, 0)
    assert job.fence > 5, "many turns"
    assert len(checks) == 1
    assert _rows(acme) == (3, 12, 3)
    added = _added(acme, record)
    assert (added["conversation"], added["message"], added["memory"]) == (3, 12, 3)


@pytest.mark.parametrize("call", [1, 4, 9, 12])
def test_a_restore_whose_worker_is_killed_goes_on_and_doubles_nothing(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    record = _accept(acme, _copy())
    lease = take_job(acme, record.job_id)
    with monkeypatch.context() as patched:
        _counting(patched, "add_to_items", dies_at=call)
        with pytest.raises(Killed):
            run_import(lease)

    run_import(take_job(acme, record.job_id))
    run_jobs(acme, Kind.RUN_IMPORT)

    assert _rows(acme) == (3, 12, 3)
    added = _added(acme, record)
    assert (added["conversation"], added["message"], added["memory"]) == (3, 12, 3)
    assert _job(acme, record).state == "succeeded"


def test_a_restore_that_is_cancelled_writes_no_more(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = _accept(acme, _copy())
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)
    monkeypatch.setattr("souvenir.ingestion.looking._WORTH", 0.0)
    run_import(take_job(acme, record.job_id))
    before = _rows(acme)

    with tenant_scope(acme.id):
        cancel_job(job_id=_job(acme, record).id)
    run_jobs(acme, Kind.RUN_IMPORT)

    assert _rows(acme) == before
    assert _job(acme, record).state == "cancelled"
