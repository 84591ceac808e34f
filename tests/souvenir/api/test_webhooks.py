"""Webhooks over REST: who may have one, what is shown once, what was told."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from souvenir.core.jobs import Job as Kind
from tenants.isolation.scope import tenant_scope
from tenants.services import issue_key
from tenants.webhooks.services import MOST_ENDPOINTS
from tests.builders import Tenant, run_jobs

WEBHOOKS = "/api/v1/webhooks"
BODY = {"url": "https://hooks.example.ca/x", "placement": "local", "purpose": "To know."}


def _post(tenant: Tenant, path: str = "", body: object = None) -> Any:
    return tenant.http.post(WEBHOOKS + path, body or {}, "application/json")


def _create(tenant: Tenant, **changes: object) -> Any:
    return _post(tenant, body={**BODY, **changes}).json()


def test_a_secret_is_shown_once(acme: Tenant) -> None:
    made = _create(acme)

    one = acme.http.get(f"{WEBHOOKS}/{made['id']}").json()
    listed = acme.http.get(WEBHOOKS).json()

    assert made["secret"].startswith("whsec_")
    assert listed == [one]
    assert "secret" not in one
    assert (one["url"], one["on"], one["events"]) == (BODY["url"], True, [])


def test_a_secret_is_rolled_and_the_old_one_lasts_as_long_as_is_asked(acme: Tenant) -> None:
    made = _create(acme)

    rolled = _post(acme, f"/{made['id']}/secret", {"overlap_hours": 2}).json()

    assert rolled["secret"] != made["secret"]
    assert rolled["previous_secret_until"] is not None


def test_it_is_changed_turned_off_and_removed(acme: Tenant) -> None:
    address = f"{WEBHOOKS}/{_create(acme)['id']}"
    change = {**BODY, "events": ["export.completed"], "on": False}

    changed = acme.http.put(address, change, "application/json").json()
    refused = _post(acme, address.removeprefix(WEBHOOKS) + "/test")
    removed = acme.http.delete(address)

    assert (changed["events"], changed["on"], changed["off_because"]) == (
        ["export.completed"],
        False,
        "asked",
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook-off")
    assert (removed.status_code, acme.http.get(address).status_code) == (204, 404)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"url": "http://hooks.example.ca/"}, 400, "webhook-address-invalid"),
        ({"url": "https://127.0.0.1/"}, 400, "webhook-address-invalid"),
        ({"events": ["memory.read"]}, 400, "unknown-event"),
        ({"placement": "nowhere"}, 400, "placement-unknown"),
        ({"placement": "aws-ca-central-1"}, 403, "flow-refused"),
        ({"purpose": ""}, 400, "request-invalid"),
    ],
)
def test_what_may_not_be_is_refused(
    acme: Tenant, changes: dict[str, object], status: int, code: str
) -> None:
    answer = _post(acme, body={**BODY, **changes})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert acme.http.get(WEBHOOKS).json() == []


def test_there_is_a_most(acme: Tenant) -> None:
    for _ in range(MOST_ENDPOINTS):
        _create(acme)

    assert _post(acme, body=BODY).json()["code"] == "too-many-webhooks"


def test_a_test_is_a_delivery_whose_attempts_are_told(acme: Tenant) -> None:
    made = _create(acme)
    # A name that is never resolved: the suite itself calls nobody outside.
    acme.http.put(
        f"{WEBHOOKS}/{made['id']}", {**BODY, "url": "https://localhost/"}, "application/json"
    )

    asked = _post(acme, f"/{made['id']}/test")
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)
    one = acme.http.get(f"{WEBHOOKS}/{made['id']}/deliveries/{asked.json()['id']}").json()
    listed = acme.http.get(f"{WEBHOOKS}/{made['id']}/deliveries", {"state": "pending"}).json()
    again = _post(acme, f"/{made['id']}/deliveries/{one['id']}/resend")

    assert asked.status_code == 202
    assert one["event"]["type"] == "endpoint.test"
    assert [attempt["error"] for attempt in one["attempts"]] == ["address-refused"]
    assert [delivery["id"] for delivery in listed["results"]] == [one["id"]]
    assert (again.status_code, again.json()["state"]) == (202, "pending")


def test_globex_reaches_none_of_it(acme: Tenant, globex: Tenant) -> None:
    made = _create(acme)
    delivery = _post(acme, f"/{made['id']}/test").json()["id"]
    theirs = _create(globex)["id"]
    paths = [
        f"/{made['id']}",
        f"/{made['id']}/deliveries",
        f"/{made['id']}/deliveries/{delivery}",
        f"/{theirs}/deliveries/{delivery}",
    ]

    answers = [globex.http.get(WEBHOOKS + path).status_code for path in paths]
    changes = [
        _post(globex, f"/{made['id']}/test").status_code,
        _post(globex, f"/{made['id']}/secret").status_code,
        _post(globex, f"/{theirs}/deliveries/{delivery}/resend").status_code,
        globex.http.delete(f"{WEBHOOKS}/{made['id']}").status_code,
    ]

    assert answers + changes == [404] * 8
    assert [one["id"] for one in globex.http.get(WEBHOOKS).json()] == [theirs]


def test_only_who_may_change_the_organization_changes_its_webhooks(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        key = issue_key(label="reader", scopes=["organization:read"]).text
    reader = Client(headers={"authorization": f"Bearer {key}"})

    assert reader.get(WEBHOOKS).status_code == 200
    assert reader.post(WEBHOOKS, BODY, "application/json").json()["code"] == "scope-missing"


def test_what_is_not_there_is_not_found(acme: Tenant) -> None:
    made = _create(acme)["id"]

    codes = [
        acme.http.get(f"{WEBHOOKS}/{uuid4()}").json()["code"],
        acme.http.get(f"{WEBHOOKS}/{made}/deliveries/{uuid4()}").json()["code"],
    ]

    assert codes == ["webhook-not-found", "delivery-not-found"]


def test_a_webhook_that_is_made_twice_with_one_key_is_one(acme: Tenant) -> None:
    headers = {"idempotency-key": uuid4().hex}
    answers = [
        acme.http.post(WEBHOOKS, BODY, "application/json", headers=headers) for _ in range(2)
    ]

    assert answers[0].content == answers[1].content
    assert len(acme.http.get(WEBHOOKS).json()) == 1
