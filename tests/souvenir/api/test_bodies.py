"""What a request says and nobody knows is refused, by its name."""

from typing import Any

import pytest

from tests.builders import Tenant


def _post(tenant: Tenant, path: str, body: dict[str, Any]) -> Any:
    return tenant.http.post(f"/api/v1/{path}", body, content_type="application/json")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("memories/search", {"query": "où"}),
        ("memories/list", {}),
        ("context", {"query": "où"}),
        ("memories", {"text": "Ici", "person": "alice"}),
        ("people", {"external_id": "alice"}),
        ("keys", {"label": "x", "scopes": ["memories:read"]}),
        ("exports", {}),
        ("erasures", {"target": "person", "person": "alice"}),
        ("webhooks", {"url": "https://hooks.example.ca/", "placement": "local", "purpose": "p"}),
    ],
)
def test_a_field_that_nobody_knows_is_named(acme: Tenant, path: str, body: dict[str, Any]) -> None:
    answer = _post(acme, path, body | {"persn": "alice", "a/b~c": 1})

    assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")
    told = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert told == {"/persn": "unknown-field", "/a~1b~0c": "unknown-field"}


def test_the_sentence_says_what_there_is_in_both_languages(acme: Tenant) -> None:
    for language, beginning in (("en", "There is no such field"), ("fr", "Il n’y a pas de tel")):
        answer = acme.http.post(
            "/api/v1/memories/search",
            {"query": "où", "personn": "alice"},
            content_type="application/json",
            headers={"accept-language": language},
        )
        (error,) = answer.json()["errors"]
        assert error["detail"].startswith(beginning)
        assert "person," in error["detail"]


@pytest.mark.parametrize("path", ["memories", "conversations", "jobs"])
def test_a_list_passes_over_no_name_in_its_query(acme: Tenant, path: str) -> None:
    assert acme.http.get(f"/api/v1/{path}?limit=3").status_code == 200

    answer = acme.http.get(f"/api/v1/{path}?persn=alice")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/persn")


@pytest.mark.parametrize(
    ("field", "value"),
    [("stores", "team"), ("sources", "chatgpt"), ("roles", "user"), ("kinds", "fact"),
     ("languages", "fr")],
)  # fmt: skip
def test_a_list_in_a_filter_has_a_limit(acme: Tenant, field: str, value: str) -> None:
    answer = _post(acme, "memories/search", {"query": "où", field: [value] * 51})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", "max_length")
