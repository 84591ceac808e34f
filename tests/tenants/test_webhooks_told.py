"""What has ended is told once, signed, by ids, to a real receiver."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections
from standardwebhooks.webhooks import Webhook

from souvenir.core.jobs import Job as Kind
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.webhooks.recording import tell_of_ended_jobs
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.receiving import Receiver
from tests.tenants.listening import (
    end_job,
    listen,
    tell,
    the_delivery,
    told_to,
)
from workers.sweeping import sweep


def test_an_import_s_end_is_told_signed_and_by_ids(acme: Tenant, receiver: Receiver) -> None:
    endpoint = listen(acme, receiver)
    record = import_bytes(acme, chatgpt_export("Rosalie a peur du noir"), name="secret.json")

    tell(acme)

    (call,) = receiver.calls
    Webhook(endpoint.secret).verify(call.body, call.headers)
    told = json.loads(call.body)
    assert told["type"] == "import.completed"
    assert told["data"] == {
        "organization_id": str(acme.id),
        "import_id": str(record.id),
        "job_id": str(record.job_id),
    }
    assert call.path == "/hooks?of=acme"
    assert call.headers["content-type"] == "application/json"
    assert b"Rosalie" not in call.body
    assert the_delivery(acme).state == "delivered"


_ENDS = [
    (kind, noun, how)
    for kind, noun in ((Kind.RUN_IMPORT, "import"), (Kind.WRITE_EXPORT, "export"))
    for how in ("completed", "failed", "cancelled")
]


@pytest.mark.parametrize(
    ("kind", "noun", "how"),
    [*_ENDS, (Kind.ERASE, "erasure", "completed"), (Kind.ERASE, "erasure", "failed")],
)
def test_each_end_of_each_work_is_an_event(
    acme: Tenant, receiver: Receiver, kind: Kind, noun: str, how: str
) -> None:
    listen(acme, receiver)
    job_id = end_job(acme, kind, how)

    tell(acme)

    (told,) = told_to(receiver)
    assert (told["type"], told["data"]["job_id"]) == (f"{noun}.{how}", str(job_id))


def test_it_is_told_once_however_often_anyone_looks(acme: Tenant, receiver: Receiver) -> None:
    def look(_: int) -> None:
        try:
            with tenant_scope(acme.id):
                tell_of_ended_jobs()
        finally:
            connections.close_all()

    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(8)))
    sweep()

    run_jobs(acme, Kind.DELIVER_WEBHOOKS)
    tell(acme)

    assert len(receiver.calls) == 1


def test_the_sweep_finds_what_no_worker_ended(acme: Tenant, receiver: Receiver) -> None:
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "cancelled")

    sweep()
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    assert [told["type"] for told in told_to(receiver)] == ["import.cancelled"]


def test_a_job_that_someone_stops_is_told_at_once(acme: Tenant, receiver: Receiver) -> None:
    listen(acme, receiver)
    with tenant_scope(acme.id):
        job = accept_job(Kind.RUN_IMPORT, subject_id=uuid4(), person_id=None, unit="objects")

    acme.http.post(f"/api/v1/jobs/{job.id}/cancel")
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    assert [told["type"] for told in told_to(receiver)] == ["import.cancelled"]


def test_an_endpoint_hears_what_it_asked_for_and_nothing_from_before(
    acme: Tenant, receiver: Receiver
) -> None:
    end_job(acme, Kind.RUN_IMPORT, "completed")
    listen(acme, receiver, "export.failed")
    end_job(acme, Kind.WRITE_EXPORT, "completed")
    end_job(acme, Kind.WRITE_EXPORT, "failed")

    tell(acme)

    assert [told["type"] for told in told_to(receiver)] == ["export.failed"]


def test_work_of_ours_is_no_event(acme: Tenant, receiver: Receiver) -> None:
    listen(acme, receiver)
    end_job(acme, Kind.EMBED_PASSAGES, "completed")
    end_job(acme, Kind.DELIVER_WEBHOOKS, "completed")

    assert tell(acme) == 0


def test_globex_hears_nothing_of_acme_s(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    listen(globex, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")

    sweep()
    run_jobs(globex, Kind.DELIVER_WEBHOOKS)

    assert receiver.calls == []
