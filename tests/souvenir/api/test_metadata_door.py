"""Metadata through the API: given, changed, read, filtered by, refused."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.isolation.scope import tenant_scope
from tenants.services import issue_key
from tests.builders import Tenant


def _send(tenant: Tenant, method: str, path: str, body: dict[str, Any]) -> Any:
    call = getattr(tenant.http, method)
    return call(f"/api/v1/{path}", body, content_type="application/json")


def _keep(tenant: Tenant, metadata: dict[str, Any], **said: Any) -> Any:
    body = {"text": "La bouilloire est bleue", "person": "alice", "metadata": metadata, **said}
    answer = _send(tenant, "post", "memories", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def _ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [memory["id"] for memory in answer.json()["results"]]


def test_what_is_given_comes_back_wherever_the_memory_is_shown(acme: Tenant) -> None:
    given = {"projet": "Érable", "niveau": 3, "part": 0.25, "fini": False}

    made = _keep(acme, given | {"rien": None})

    one = acme.http.get(f"/api/v1/memories/{made['id']}").json()
    (listed,) = acme.http.get("/api/v1/memories").json()["results"]
    (version,) = acme.http.get(f"/api/v1/memories/{made['id']}/history").json()
    shown = [made["current"], one["current"], listed["current"], version]
    assert [each["metadata"] for each in shown] == [given] * 4


def test_a_change_touches_what_it_names(acme: Tenant) -> None:
    made = _keep(acme, {"room": "kitchen", "level": 1})
    path = f"memories/{made['id']}"

    changed = _send(acme, "patch", path, {"metadata": {"room": "office", "level": None}}).json()
    corrected = _send(acme, "put", path, {"text": "Rouge", "metadata": {"new": True}}).json()
    kept = _send(acme, "put", path, {"text": "Verte"}).json()

    assert (changed["version"], changed["current"]["metadata"]) == (2, {"room": "office"})
    assert changed["current"]["text"] == made["current"]["text"]
    assert corrected["current"]["metadata"] == {"room": "office", "new": True}
    assert kept["current"]["metadata"] == corrected["current"]["metadata"]
    history = acme.http.get(f"/api/v1/{path}/history").json()
    assert [one["metadata"] for one in history][-1] == {"room": "kitchen", "level": 1}


def test_a_change_of_another_version_is_refused(acme: Tenant) -> None:
    made = _keep(acme, {"room": "kitchen"})
    path = f"memories/{made['id']}"
    _send(acme, "patch", path, {"metadata": {"room": "office"}})

    answer = _send(acme, "patch", path, {"metadata": {"room": "attic"}, "version": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "memory-changed")


def test_lists_search_and_context_are_filtered_by_it(acme: Tenant) -> None:
    kitchen = _keep(acme, {"room": "kitchen"})
    _keep(acme, {"room": "office"})
    asked = {"person": "alice", "metadata": {"room": ["kitchen", "cellar"]}}

    listed = _send(acme, "post", "memories/list", asked)
    found = _send(acme, "post", "memories/search", {"query": "bouilloire", **asked}).json()
    context = _send(acme, "post", "context", {"query": "bouilloire", **asked}).json()

    assert _ids(listed) == [kitchen["id"]]
    assert [one["memory_id"] for one in found["results"]] == [kitchen["id"]]
    assert [one["memory_id"] for one in context["items"]] == [kitchen["id"]]


def test_the_page_after_is_had_by_the_same_body(acme: Tenant) -> None:
    made = [_keep(acme, {"room": "kitchen"})["id"] for _ in range(5)]
    _keep(acme, {"room": "office"})
    asked = {"metadata": {"room": "kitchen"}}

    first = _send(acme, "post", "memories/list?limit=3", asked)
    path = first.json()["next"].split("/api/v1/")[1]
    second = _send(acme, "post", path, asked)

    assert "kitchen" not in path
    assert _ids(first) + _ids(second) == made[::-1]


def test_a_bound_key_and_another_organization_find_nothing(acme: Tenant, globex: Tenant) -> None:
    kept = _keep(acme, {"room": "kitchen"}, person="bob")
    mine = _keep(acme, {"room": "kitchen"}, person="alice")
    asked = {"metadata": {"room": "kitchen"}}
    with tenant_scope(acme.id):
        scopes = ["memories:read", "memories:write"]
        key = issue_key(label="a", scopes=scopes, person_id=mine["person_id"])
    bound = Tenant(acme.organization, key.text)

    assert _ids(_send(bound, "post", "memories/list", asked)) == [mine["id"]]
    refused = _send(bound, "patch", f"memories/{kept['id']}", {"metadata": {"room": "attic"}})
    assert (refused.status_code, refused.json()["code"]) == (404, "memory-not-found")
    assert len(_ids(_send(acme, "post", "memories/list", asked))) == 2
    assert _ids(_send(globex, "post", "memories/list", asked)) == []
    answer = _send(globex, "patch", f"memories/{kept['id']}", {"metadata": {"room": "attic"}})
    assert (answer.status_code, answer.json()["code"]) == (404, "memory-not-found")


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ([], "metadata-invalid"),
        ({"": 1}, "metadata-name-invalid"),
        ({"a": {"b": 1}}, "metadata-value-invalid"),
        ({"a": [1]}, "metadata-value-invalid"),
        ({"a": 2**60}, "metadata-value-invalid"),
        ({"a": "\x00"}, "metadata-value-invalid"),
        ({"a": "\ud800"}, "metadata-value-invalid"),
        ({"caf\u00e9": 1, "cafe\u0301": 2}, "metadata-name-twice"),
        ({f"n{n}": n for n in range(40)}, "metadata-too-large"),
    ],
)
def test_what_is_no_metadata_is_refused_and_nothing_kept(
    acme: Tenant, metadata: object, code: str
) -> None:
    body = {"text": "La bouilloire", "person": "alice", "metadata": metadata}

    answer = _send(acme, "post", "memories", body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert acme.http.get("/api/v1/memories").json()["results"] == []


@pytest.mark.parametrize("path", ["memories/list", "memories/search", "context"])
@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"level": {"gte": 3}}, "metadata-filter-unsupported"),
        ({"level": None}, "metadata-filter-unsupported"),
        ({"level": []}, "metadata-filter-unsupported"),
        ("level", "metadata-invalid"),
    ],
)
def test_what_no_filter_can_ask_is_said(
    acme: Tenant, path: str, metadata: object, code: str
) -> None:
    body: dict[str, Any] = {"metadata": metadata}
    if path != "memories/list":
        body["query"] = "bouilloire"

    answer = _send(acme, "post", path, body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def _past(acme: Tenant) -> Any:
    made = _keep(acme, {"room": "kitchen"}, valid_from="2020-01-01T00:00:00Z")
    later = {
        "text": "La bouilloire est rouge",
        "valid_from": "2025-01-01T00:00:00Z",
        "metadata": {"room": "office"},
    }
    _send(acme, "put", f"memories/{made['id']}", later)
    return made


def test_a_memory_is_looked_up_once_however_it_is_asked_for(acme: Tenant) -> None:
    path = f"/api/v1/memories/{_past(acme)['id']}"

    for clock in ("", "?as_of=2024-01-01T00:00:00Z", "?known_at=2100-01-01T00:00:00Z"):
        with CaptureQueriesContext(connection) as queries:
            assert acme.http.get(f"{path}{clock}").status_code == 200
        asked = [one["sql"] for one in queries if 'FROM "memories_memory" ' in one["sql"]]
        assert len(asked) == 1, clock


def test_a_list_and_a_memory_can_be_had_as_they_were(acme: Tenant, globex: Tenant) -> None:
    made = _past(acme)
    then, earlier = "as_of=2024-01-01T00:00:00Z", "as_of=2019-01-01T00:00:00Z"
    path = f"/api/v1/memories/{made['id']}"

    (listed,) = acme.http.get(f"/api/v1/memories?{then}").json()["results"]
    one = acme.http.get(f"{path}?{then}").json()

    assert listed == one
    assert (one["version"], one["current"]["number"]) == (2, 1)
    assert one["current"]["text"] == "La bouilloire est bleue"
    assert one["current"]["metadata"] == {"room": "kitchen"}
    assert acme.http.get(path).json()["current"]["number"] == 2
    assert acme.http.get(f"/api/v1/memories?{earlier}").json()["results"] == []
    assert acme.http.get(f"{path}?{earlier}").status_code == 404
    assert acme.http.get(f"{path}?known_at=2020-01-01T00:00:00Z").status_code == 404
    assert globex.http.get(f"{path}?{then}").status_code == 404
    assert globex.http.get(f"/api/v1/memories?{then}").json()["results"] == []


def test_filters_by_metadata_look_back_too(acme: Tenant) -> None:
    made = _past(acme)

    def ask(room: str, **moment: str) -> list[str]:
        asked = {"metadata": {"room": room}, **moment}
        return _ids(_send(acme, "post", "memories/list", asked))

    assert ask("kitchen", as_of="2024-01-01T00:00:00Z") == [made["id"]]
    assert ask("office", as_of="2024-01-01T00:00:00Z") == []
    assert ask("office") == [made["id"]]
    assert ask("kitchen") == []
