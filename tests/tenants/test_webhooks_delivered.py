"""What is not taken is told again, what may not be called is not, what is answered is not kept."""

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from tenants.isolation.scope import tenant_scope
from tenants.webhooks import delivering
from tenants.webhooks.models import Delivery, Endpoint, Event
from tenants.webhooks.recording import tell_of_ended_jobs
from tenants.webhooks.services import (
    forget_old_events,
    resend,
    roll_secret,
    send_test,
    turn_endpoint,
)
from tests.builders import Tenant, run_jobs
from tests.receiving import Receiver
from tests.tenants.listening import (
    end_job,
    let_the_pause_pass,
    listen,
    tell,
    the_delivery,
    told_to,
)


def test_what_is_not_taken_is_told_again_with_the_same_id(acme: Tenant, receiver: Receiver) -> None:
    listen(acme, receiver)
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), (204, {})]
    end_job(acme, Kind.RUN_IMPORT, "completed")

    before = timezone.now()
    tell(acme)
    after, waiting = timezone.now(), the_delivery(acme)
    for _ in range(2):
        let_the_pause_pass(acme)
        tell(acme)

    assert waiting.state == "pending"
    least, most = before + timedelta(seconds=3), after + timedelta(seconds=7)
    assert least < waiting.next_at < most
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    done = the_delivery(acme)
    assert done.state == "delivered"
    assert [attempt["status"] for attempt in done.attempts] == [500, 302, 204]


def test_a_receiver_that_asks_for_time_gets_it(acme: Tenant, receiver: Receiver) -> None:
    listen(acme, receiver)
    receiver.answers = [(429, {"Retry-After": "600"})]
    end_job(acme, Kind.RUN_IMPORT, "completed")

    before = timezone.now()
    tell(acme)

    assert the_delivery(acme).next_at > before + timedelta(seconds=590)


def test_a_receiver_that_is_gone_is_told_nothing_more(acme: Tenant, receiver: Receiver) -> None:
    endpoint = listen(acme, receiver)
    receiver.answers = [(410, {})]
    for _ in range(2):
        end_job(acme, Kind.RUN_IMPORT, "completed")

    tell(acme)

    assert len(receiver.calls) == 1
    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
        states = set(Delivery.objects.values_list("state", flat=True))
    assert (endpoint.off, states) == ("gone", {"failed"})


def test_a_receiver_that_takes_nothing_for_days_is_turned_off(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint = listen(acme, receiver)
    receiver.answers = [(503, {}), (503, {})]
    end_job(acme, Kind.RUN_IMPORT, "completed")
    tell(acme)
    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
        assert endpoint.off == ""
        long_ago = timezone.now() - timedelta(days=6)
        Endpoint.objects.update(failing_since=long_ago)

    let_the_pause_pass(acme)
    tell(acme)

    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
    assert endpoint.off == "failing"


def test_a_success_ends_the_days_of_failure(acme: Tenant, receiver: Receiver) -> None:
    endpoint = listen(acme, receiver)
    receiver.answers = [(503, {})]
    end_job(acme, Kind.RUN_IMPORT, "completed")
    tell(acme)

    let_the_pause_pass(acme)
    tell(acme)

    with tenant_scope(acme.id):
        endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_one_that_was_turned_off_hears_of_what_happens_after_it_is_on_again(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint = listen(acme, receiver)
    with tenant_scope(acme.id):
        turn_endpoint(endpoint_id=endpoint.id, on=False)
    end_job(acme, Kind.RUN_IMPORT, "completed")
    tell(acme)
    with tenant_scope(acme.id):
        turn_endpoint(endpoint_id=endpoint.id, on=True)
    end_job(acme, Kind.WRITE_EXPORT, "completed")

    tell(acme)

    assert [told["type"] for told in told_to(receiver)] == ["export.completed"]


@pytest.mark.parametrize(
    ("setting", "error"),
    [("SOUVENIR_EGRESS_INSIDE", "address-refused"), ("SOUVENIR_EGRESS_CA_FILE", "no-connection")],
)
def test_neither_a_private_address_nor_an_unknown_certificate_is_called(
    acme: Tenant, receiver: Receiver, settings: Any, setting: str, error: str
) -> None:
    setattr(settings, setting, [] if setting.endswith("INSIDE") else None)
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")

    tell(acme)

    assert receiver.calls == []
    (attempt,) = the_delivery(acme).attempts
    assert (attempt["status"], attempt["error"]) == (None, error)


def test_a_place_that_the_policy_allows_no_more_is_not_called(
    acme: Tenant, receiver: Receiver, settings: Any, tmp_path: Path
) -> None:
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")
    registry = json.loads(Path(settings.SOUVENIR_PLACEMENTS_FILE).read_text())
    for place in registry["placements"]:
        place["evidence_valid_until"] = "2020-01-01"
    settings.SOUVENIR_PLACEMENTS_FILE = tmp_path / "placements.json"
    settings.SOUVENIR_PLACEMENTS_FILE.write_text(json.dumps(registry))

    tell(acme)

    assert receiver.calls == []
    assert the_delivery(acme).attempts[0]["error"] == "flow-refused"


def test_a_receiver_that_does_not_answer_is_left_in_time(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "_CALL_SECONDS", 0.3)
    released = threading.Event()
    receiver.meanwhile = lambda: released.wait(10)
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")

    tell(acme)
    released.set()

    (attempt,) = the_delivery(acme).attempts
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
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")

    tell(acme)

    assert seen == [0]


def test_what_the_receiver_says_is_not_kept(acme: Tenant, receiver: Receiver) -> None:
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")

    tell(acme)

    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(d::text, '') FROM webhooks_delivery d")
        assert "nobody" not in cursor.fetchone()[0]


def test_neither_its_address_nor_its_secret_can_be_read_in_the_database(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint = listen(acme, receiver)

    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute("SELECT url, secret, purpose FROM webhooks_endpoint")
        stored = b"".join(bytes(value) for value in cursor.fetchone())

    assert b"localhost" not in stored
    assert endpoint.secret.encode() not in stored


def test_while_a_secret_is_changed_both_verify(acme: Tenant, receiver: Receiver) -> None:
    endpoint = listen(acme, receiver)
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
    endpoint = listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")
    tell(acme)

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
    endpoint = listen(acme, receiver)
    receiver.answers = [(503, {"Retry-After": "3600"})]
    end_job(acme, Kind.RUN_IMPORT, "completed")
    tell(acme)

    with tenant_scope(acme.id):
        send_test(endpoint_id=endpoint.id)
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    assert [told["type"] for told in told_to(receiver)] == ["import.completed", "endpoint.test"]


def test_what_was_told_is_forgotten_after_its_time(acme: Tenant, receiver: Receiver) -> None:
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")
    tell(acme)
    with tenant_scope(acme.id):
        long_ago = timezone.now() - timedelta(days=31)
        Delivery.objects.update(recorded_at=long_ago)
        Event.objects.update(occurred_at=long_ago)

        assert forget_old_events() == 1
        assert not Event.objects.exists()


def test_an_erased_organization_tells_nothing_and_leaves_nothing(
    acme: Tenant, receiver: Receiver
) -> None:
    listen(acme, receiver)
    end_job(acme, Kind.RUN_IMPORT, "completed")
    with tenant_scope(acme.id):
        tell_of_ended_jobs()
        request_erasure(target="organization", target_id=acme.id)

    run_jobs(acme, Kind.ERASE)
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)

    assert receiver.calls == []
    with tenant_scope(acme.id):
        assert [model.objects.count() for model in (Endpoint, Event, Delivery)] == [0, 0, 0]
