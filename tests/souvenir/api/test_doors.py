"""The door: who may enter, and what an error looks like."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from tenants.isolation.scope import tenant_scope
from tenants.keys import named_organization, new_key
from tenants.selectors import verify_key
from tenants.services import (
    issue_key,
    issue_platform_key,
    resume_organization,
    revoke_key,
    suspend_organization,
)
from tests.builders import Tenant


def _with(key: str, **headers: str) -> Client:
    return Client(headers={"authorization": f"Bearer {key}", **headers})


def test_without_a_key_nothing_is_answered() -> None:
    answer = Client().get("/api/v1/people")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "key-missing"


@pytest.mark.parametrize(
    "key",
    [
        "souv",
        "souv_x_y",
        "souv_platform_nonsense",
        pytest.param(new_key(uuid4()), id="nobody's"),
        "é",
        "souv_" + "a" * 26 + "_x",
    ],
)
def test_a_key_that_is_none_opens_nothing(key: str) -> None:
    answer = Client(headers={"authorization": f"Bearer {key}".encode().decode("latin-1")}).get(
        "/api/v1/people"
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "key-invalid")


def test_a_key_names_its_organization(acme: Tenant) -> None:
    assert named_organization(acme.key) == acme.id


def test_another_organization_s_name_on_a_key_opens_nothing(acme: Tenant, globex: Tenant) -> None:
    tenant, secret = globex.key.split("_")[1], acme.key.split("_", 2)[2]

    answer = _with(f"souv_{tenant}_{secret}").get("/api/v1/people")

    assert answer.json()["code"] == "key-invalid"


def test_a_revoked_key_opens_nothing(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        key = issue_key(label="agent", scopes=["organization:read"])
        revoke_key(key_id=key.record.id)

    assert _with(key.text).get("/api/v1/people").json()["code"] == "key-invalid"


def test_an_expired_key_opens_nothing(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        past = timezone.now() - timedelta(seconds=1)
        key = issue_key(label="agent", scopes=["organization:read"], expires_at=past)

    assert _with(key.text).get("/api/v1/people").json()["code"] == "key-invalid"


def test_a_key_does_only_what_its_scopes_say(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        key = issue_key(label="reader", scopes=["memories:read"])
    reader = _with(key.text)

    body = {"text": "Un souvenir", "person": "alice"}
    answer = reader.post("/api/v1/memories", body, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert reader.get("/api/v1/memories").status_code == 200


def test_a_platform_key_opens_no_organization() -> None:
    answer = _with(issue_platform_key(label="test")).get("/api/v1/memories")

    assert (answer.status_code, answer.json()["code"]) == (403, "organization-key-needed")


def test_an_organization_s_key_creates_no_organization(acme: Tenant) -> None:
    answer = acme.http.get("/api/v1/organizations")

    assert (answer.status_code, answer.json()["code"]) == (403, "platform-key-needed")


def test_a_suspended_organization_is_answered_nothing_and_loses_nothing(acme: Tenant) -> None:
    acme.http.post("/api/v1/people", {"external_id": "alice"}, "application/json")

    suspend_organization(organization_id=acme.id)
    refused = acme.http.get("/api/v1/people")
    resume_organization(organization_id=acme.id)

    assert (refused.status_code, refused.json()["code"]) == (403, "organization-suspended")
    assert len(acme.http.get("/api/v1/people").json()["results"]) == 1


def test_errors_are_told_in_french_to_who_asks_for_it(acme: Tenant) -> None:
    french = _with(acme.key, **{"accept-language": "fr-CA"})

    answer = french.get(f"/api/v1/memories/{uuid4()}")

    assert answer.headers["Content-Language"].startswith("fr")
    assert "souvenir" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("post", "/api/v1/memories", "{", 400, "request-not-taken"),
        ("post", "/api/v1/memories", "[]", 400, "request-invalid"),
        ("post", "/api/v1/memories", "{}", 400, "request-invalid"),
        ("post", "/api/v1/memories", '{"text": "  ", "person": "a"}', 400, "memory-empty"),
        ("post", "/api/v1/memories", '{"text": "x"}', 400, "store-needed"),
        ("post", "/api/v1/memories", '{"text": "x", "store": "É"}', 400, "store-name-invalid"),
        ("post", "/api/v1/memories/search", '{"query": " "}', 400, "question-empty"),
        (
            "post",
            "/api/v1/memories/search",
            '{"query": "x", "limit": 1000}',
            400,
            "request-invalid",
        ),
        (
            "post",
            "/api/v1/memories/search",
            '{"query": "x", "person": "no"}',
            404,
            "person-not-found",
        ),
        ("post", "/api/v1/erasures", '{"target": "memory"}', 400, "erasure-target-needed"),
        ("post", "/api/v1/erasures", '{"target": "all"}', 400, "request-invalid"),
        ("post", "/api/v1/keys", '{"label": "a", "scopes": ["all"]}', 400, "unknown-scope"),
        ("put", "/api/v1/people", "{}", 405, "request-not-taken"),
        ("get", "/api/v1/nothing", "", 404, "address-not-found"),
        ("get", "/api/v1/memories/not-a-uuid", "", 404, "address-not-found"),
    ],
)
def test_a_bad_request_gets_its_code(
    acme: Tenant, method: str, path: str, body: str, status: int, code: str
) -> None:
    answer = getattr(acme.http, method)(path, data=body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_bad_field_is_named_with_a_pointer(acme: Tenant) -> None:
    answer = acme.http.post(
        "/api/v1/memories/search", {"query": "x", "limit": 0}, "application/json"
    )

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/limit"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800"])
def test_text_that_no_database_holds_is_refused_or_kept_but_never_breaks(
    acme: Tenant, text: str
) -> None:
    answer = acme.http.post(
        "/api/v1/memories", {"text": f"x{text}", "person": "alice"}, "application/json"
    )

    assert answer.status_code in {201, 400}


def test_what_a_refused_request_began_is_not_kept(acme: Tenant) -> None:
    answer = acme.http.post(
        "/api/v1/memories", {"text": " ", "person": "newcomer"}, "application/json"
    )

    assert answer.status_code == 400
    assert acme.http.get("/api/v1/people").json()["results"] == []


def test_answers_are_not_cached_and_frame_nothing(acme: Tenant) -> None:
    answer = acme.http.get("/api/v1/people")

    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_key_is_known_in_its_own_organization_alone(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(acme.id):
        ours, theirs = verify_key(acme.key), verify_key(globex.key)

    assert ours is not None
    assert ours.organization.id == acme.id
    assert theirs is None


def test_a_large_body_of_a_stranger_is_not_read(acme: Tenant) -> None:
    stranger = _with(new_key(acme.id))

    answer = stranger.post("/api/v1/memories", data="x" * 100_000, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (401, "key-invalid")
    assert not hasattr(answer.wsgi_request, "_body")
