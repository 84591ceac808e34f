"""Asking through the API: times, looking back, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.builders import Tenant


def _post(tenant: Tenant, path: str, body: dict[str, Any]) -> Any:
    return tenant.http.post(f"/api/v1/{path}", body, content_type="application/json")


def _remember(tenant: Tenant, text: str, **said: str) -> Any:
    answer = _post(tenant, "memories", {"text": text, "person": "alice", **said})
    assert answer.status_code == 201
    return answer.json()


def test_the_time_understood_is_told(acme: Tenant) -> None:
    _remember(acme, "Le plombier passe", occurred_at="2026-03-05T12:00:00Z")
    body = {
        "query": "le plombier en mars dernier",
        "asked_at": "2026-11-26T15:00:00Z",
        "timezone": "America/Vancouver",
    }

    time = _post(acme, "memories/search", body).json()["time"]

    assert time["words"] == "mars dernier"
    assert datetime.fromisoformat(time["since"]) == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert datetime.fromisoformat(time["until"]) == datetime(2026, 4, 1, 7, tzinfo=UTC)
    assert _post(acme, "memories/search", {"query": "plombier"}).json()["time"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timezone", "America/Rimouski"),
        ("timezone", "../../etc/passwd"),
        ("as_of", "someday"),
        ("known_at", "13"),
        ("kinds", ["gossip"]),
        ("languages", ["de"]),
        ("trust", "everyone"),
    ],
)
def test_what_no_filter_knows_is_refused(acme: Tenant, field: str, value: object) -> None:
    answer = _post(acme, "memories/search", {"query": "plombier", field: value})

    assert answer.status_code == 400
    assert field in answer.content.decode()


def test_a_question_that_looks_back_gets_what_held_then(acme: Tenant, globex: Tenant) -> None:
    first = _remember(acme, "Elle habite Laval", valid_from="2020-01-01T00:00:00Z")
    later = {"text": "Elle habite Hull", "valid_from": "2025-01-01T00:00:00Z"}
    acme.http.put(f"/api/v1/memories/{first['id']}", later, content_type="application/json")
    asked = {"query": "habite", "as_of": "2024-01-01T00:00:00Z"}

    then = _post(acme, "memories/search", asked).json()["results"]
    now = _post(acme, "memories/search", {"query": "habite"}).json()["results"]

    assert [(found["text"], found["past_version"]) for found in then] == [("Elle habite Laval", 1)]
    assert [(found["text"], found["past_version"]) for found in now] == [("Elle habite Hull", 0)]
    assert _post(globex, "memories/search", asked).json()["results"] == []
