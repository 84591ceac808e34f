"""What has ended is told once, signed, by ids, to a real receiver; and again until it is taken."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from tenants.errors import JobGaveUp
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, cancel_job, claim_job
from tenants.webhooks import delivering
from tenants.webhooks.models import Delivery, Endpoint, Event
from tenants.webhooks.recording import tell_of_ended_jobs
from tenants.webhooks.services import (
    Wanted,
    create_endpoint,
    forget_old_events,
    resend,
    roll_secret,
    send_test,
    turn_endpoint,
)
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.receiving import Receiver, receiving
from workers.sweeping import sweep


@pytest.fixture
def receiver(tmp_path: Path, settings: Any) -> Iterator[Receiver]:
    with receiving(tmp_path) as found:
        settings.SOUVENIR_EGRESS_INSIDE = found.inside
        settings.SOUVENIR_EGRESS_CA_FILE = found.authority
        yield found


def _listen(tenant: Tenant, receiver: Receiver, *events: str) -> Endpoint:
    wanted = Wanted(url=receiver.url, placement="local", purpose="tests", events=events)
    with tenant_scope(tenant.id):
        return create_endpoint(wanted=wanted)


def _end(tenant: Tenant, kind: Kind, how: str) -> UUID:
    """A job that has ended in one of three ways."""
    with tenant_scope(tenant.id):
        job = accept_job(kind, subject_id=uuid4(), person_id=None, unit="objects")
        if how == "cancelled":
            cancel_job(job_id=job.id)
            return job.id
        lease = claim_job(job.id)
    assert lease is not None
    with lease.step():
        if how == "completed":
            lease.finish()
        else:
            lease.fail(JobGaveUp(attempts=5))
    return job.id


def _tell(tenant: Tenant) -> int:
    """What a worker and the sweep do."""
    with tenant_scope(tenant.id):
        count = tell_of_ended_jobs()
    run_jobs(tenant, Kind.DELIVER_WEBHOOKS)
    return count


def _told(receiver: Receiver) -> list[Any]:
    return [json.loads(call.body) for call in receiver.calls]


def _delivery(tenant: Tenant) -> Delivery:
    with tenant_scope(tenant.id):
        return Delivery.objects.get()


def _age(tenant: Tenant) -> None:
    """Let the pause pass."""
    with tenant_scope(tenant.id):
        Delivery.objects.update(next_at=timezone.now())


def test_an_import_s_end_is_told_signed_and_by_ids(acme: Tenant, receiver: Receiver) -> None:
    endpoint = _listen(acme, receiver)
    record = import_bytes(acme, chatgpt_export("Rosalie a peur du noir"), name="secret.json")

    _tell(acme)

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
    assert _delivery(acme).state == "delivered"


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
    _listen(acme, receiver)
    job_id = _end(acme, kind, how)

    _tell(acme)

    (told,) = _told(receiver)
    assert (told["type"], told["data"]["job_id"]) == (f"{noun}.{how}", str(job_id))


def test_it_is_told_once_however_often_anyone_looks(acme: Tenant, receiver: Receiver) -> None:
    def look(_: int) -> None:
        try:
            with tenant_scope(acme.id):
                tell_of_ended_jobs()
        finally:
            connections.close_all()

    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(8)))
    sweep()

    run_jobs(acme, Kind.DELIVER_WEBHOOKS)
    _tell(acme)

    assert len(receiver.calls) == 1


def test_the_sweep_finds_what_no_worker_ended(acme: Tenant, receiver: Receiver) -> None:
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "cancelled")

    sweep()
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    assert [told["type"] for told in _told(receiver)] == ["import.cancelled"]


def test_an_endpoint_hears_what_it_asked_for_and_nothing_from_before(
    acme: Tenant, receiver: Receiver
) -> None:
    _end(acme, Kind.RUN_IMPORT, "completed")
    _listen(acme, receiver, "export.failed")
    _end(acme, Kind.WRITE_EXPORT, "completed")
    _end(acme, Kind.WRITE_EXPORT, "failed")

    _tell(acme)

    assert [told["type"] for told in _told(receiver)] == ["export.failed"]


def test_work_of_ours_is_no_event(acme: Tenant, receiver: Receiver) -> None:
    _listen(acme, receiver)
    _end(acme, Kind.EMBED_PASSAGES, "completed")
    _end(acme, Kind.DELIVER_WEBHOOKS, "completed")

    assert _tell(acme) == 0


def test_globex_hears_nothing_of_acme_s(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    _listen(globex, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")

    sweep()
    run_jobs(globex, Kind.DELIVER_WEBHOOKS)

    assert receiver.calls == []


def test_what_is_not_taken_is_told_again_with_the_same_id(acme: Tenant, receiver: Receiver) -> None:
    _listen(acme, receiver)
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), (204, {})]
    _end(acme, Kind.RUN_IMPORT, "completed")

    _tell(acme)
    waiting = _delivery(acme)
    for _ in range(2):
        _age(acme)
        _tell(acme)

    assert waiting.state == "pending"
    assert timedelta(seconds=3) < waiting.next_at - timezone.now() < timedelta(seconds=7)
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    done = _delivery(acme)
    assert done.state == "delivered"
    assert [attempt["status"] for attempt in done.attempts] == [500, 302, 204]


def test_a_receiver_that_asks_for_time_gets_it(acme: Tenant, receiver: Receiver) -> None:
    _listen(acme, receiver)
    receiver.answers = [(429, {"Retry-After": "600"})]
    _end(acme, Kind.RUN_IMPORT, "completed")

    _tell(acme)

    assert _delivery(acme).next_at > timezone.now() + timedelta(seconds=590)


def test_a_receiver_that_is_gone_is_told_nothing_more(acme: Tenant, receiver: Receiver) -> None:
    endpoint = _listen(acme, receiver)
    receiver.answers = [(410, {})]
    for _ in range(2):
        _end(acme, Kind.RUN_IMPORT, "completed")

    _tell(acme)

    assert len(receiver.calls) == 1
    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
        states = set(Delivery.objects.values_list("state", flat=True))
    assert (endpoint.off, states) == ("gone", {"failed"})


def test_a_receiver_that_takes_nothing_for_days_is_turned_off(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint = _listen(acme, receiver)
    receiver.answers = [(503, {}), (503, {})]
    _end(acme, Kind.RUN_IMPORT, "completed")
    _tell(acme)
    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
        assert endpoint.off == ""
        long_ago = timezone.now() - timedelta(days=6)
        Endpoint.objects.update(failing_since=long_ago)

    _age(acme)
    _tell(acme)

    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
    assert endpoint.off == "failing"


def test_a_success_ends_the_days_of_failure(acme: Tenant, receiver: Receiver) -> None:
    endpoint = _listen(acme, receiver)
    receiver.answers = [(503, {})]
    _end(acme, Kind.RUN_IMPORT, "completed")
    _tell(acme)

    _age(acme)
    _tell(acme)

    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_one_that_was_turned_off_hears_of_what_happens_after_it_is_on_again(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint = _listen(acme, receiver)
    with tenant_scope(acme.id):
        turn_endpoint(endpoint_id=endpoint.id, on=False)
    _end(acme, Kind.RUN_IMPORT, "completed")
    _tell(acme)
    with tenant_scope(acme.id):
        turn_endpoint(endpoint_id=endpoint.id, on=True)
    _end(acme, Kind.WRITE_EXPORT, "completed")

    _tell(acme)

    assert [told["type"] for told in _told(receiver)] == ["export.completed"]


@pytest.mark.parametrize(
    ("setting", "error"),
    [("SOUVENIR_EGRESS_INSIDE", "address-refused"), ("SOUVENIR_EGRESS_CA_FILE", "no-connection")],
)
def test_neither_a_private_address_nor_an_unknown_certificate_is_called(
    acme: Tenant, receiver: Receiver, settings: Any, setting: str, error: str
) -> None:
    setattr(settings, setting, [] if setting.endswith("INSIDE") else None)
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")

    _tell(acme)

    assert receiver.calls == []
    (attempt,) = _delivery(acme).attempts
    assert (attempt["status"], attempt["error"]) == (None, error)


def test_a_place_that_the_policy_allows_no_more_is_not_called(
    acme: Tenant, receiver: Receiver, settings: Any, tmp_path: Path
) -> None:
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")
    registry = json.loads(Path(settings.SOUVENIR_PLACEMENTS_FILE).read_text())
    for place in registry["placements"]:
        place["evidence_valid_until"] = "2020-01-01"
    settings.SOUVENIR_PLACEMENTS_FILE = tmp_path / "placements.json"
    settings.SOUVENIR_PLACEMENTS_FILE.write_text(json.dumps(registry))

    _tell(acme)

    assert receiver.calls == []
    assert _delivery(acme).attempts[0]["error"] == "flow-refused"


def test_a_receiver_that_does_not_answer_is_left_in_time(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "_CALL_SECONDS", 0.3)
    released = threading.Event()
    receiver.meanwhile = lambda: released.wait(10)
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")

    _tell(acme)
    released.set()

    (attempt,) = _delivery(acme).attempts
    assert attempt["status"] is None
    assert attempt["error"] in {"no-answer", "no-connection"}


def test_no_transaction_is_open_during_a_call(acme: Tenant, receiver: Receiver) -> None:
    seen: list[int] = []

    def look() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
                )
                seen.append(cursor.fetchone()[0])
        finally:
            connection.close()

    receiver.meanwhile = look
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")

    _tell(acme)

    assert seen == [0]


def test_what_the_receiver_says_is_not_kept(acme: Tenant, receiver: Receiver) -> None:
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")

    _tell(acme)

    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(d::text, '') FROM webhooks_delivery d")
        assert "nobody" not in cursor.fetchone()[0]


def test_neither_its_address_nor_its_secret_can_be_read_in_the_database(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint = _listen(acme, receiver)

    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute("SELECT url, secret, purpose FROM webhooks_endpoint")
        stored = b"".join(bytes(value) for value in cursor.fetchone())

    assert b"localhost" not in stored
    assert endpoint.secret.encode() not in stored


def test_while_a_secret_is_changed_both_verify(acme: Tenant, receiver: Receiver) -> None:
    endpoint = _listen(acme, receiver)
    old = endpoint.secret
    with tenant_scope(acme.id):
        new = roll_secret(endpoint_id=endpoint.id, overlap=timedelta(hours=1)).secret
        send_test(endpoint_id=endpoint.id)
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)
    with tenant_scope(acme.id):
        Endpoint.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
        send_test(endpoint_id=endpoint.id)
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    first, second = receiver.calls
    for secret in (old, new):
        Webhook(secret).verify(first.body, first.headers)
    Webhook(new).verify(second.body, second.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(second.body, second.headers)


def test_what_was_told_is_told_again_on_demand(acme: Tenant, receiver: Receiver) -> None:
    endpoint = _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")
    _tell(acme)

    with tenant_scope(acme.id):
        resend(endpoint_id=endpoint.id, delivery_id=_the_only_delivery())
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def _the_only_delivery() -> UUID:
    return Delivery.objects.get().id


def test_a_demand_does_not_wait_for_a_pause_that_is_under_way(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint = _listen(acme, receiver)
    receiver.answers = [(503, {"Retry-After": "3600"})]
    _end(acme, Kind.RUN_IMPORT, "completed")
    _tell(acme)

    with tenant_scope(acme.id):
        send_test(endpoint_id=endpoint.id)
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    assert [told["type"] for told in _told(receiver)] == ["import.completed", "endpoint.test"]


def test_what_was_told_is_forgotten_after_its_time(acme: Tenant, receiver: Receiver) -> None:
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")
    _tell(acme)
    with tenant_scope(acme.id):
        long_ago = timezone.now() - timedelta(days=31)
        Delivery.objects.update(recorded_at=long_ago)
        Event.objects.update(occurred_at=long_ago)

        assert forget_old_events() == 1
        assert not Event.objects.exists()


def test_an_erased_organization_tells_nothing_and_leaves_nothing(
    acme: Tenant, receiver: Receiver
) -> None:
    _listen(acme, receiver)
    _end(acme, Kind.RUN_IMPORT, "completed")
    with tenant_scope(acme.id):
        tell_of_ended_jobs()
        request_erasure(target="organization", target_id=acme.id)

    run_jobs(acme, Kind.ERASE)
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    assert receiver.calls == []
    with tenant_scope(acme.id):
        assert [model.objects.count() for model in (Endpoint, Event, Delivery)] == [0, 0, 0]
