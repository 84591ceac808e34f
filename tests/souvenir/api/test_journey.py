"""The whole way through over REST, as a client goes it."""

import json
import zipfile
from io import BytesIO
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tenants.services import issue_platform_key
from tests.builders import Tenant, chatgpt_export, make_tenant, run_jobs


def _post(client: Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(f"/api/v1/{path}", body, "application/json")
    assert answer.status_code < 300, answer.content
    return answer.json()


def _upload(tenant: Tenant, body: bytes, person: str = "alice", name: str = "c.json") -> Any:
    file = SimpleUploadedFile(name, body)
    answer = tenant.http.post("/api/v1/imports", {"person": person, "file": file})
    assert answer.status_code == 202, answer.content
    run_jobs(tenant)
    return tenant.http.get(f"/api/v1/imports/{answer.json()['id']}").json()


def test_an_organization_is_provisioned_and_its_owner_s_key_works(unique: str) -> None:
    operator = Client(headers={"authorization": f"Bearer {issue_platform_key(label='test')}"})

    made = _post(
        operator,
        "organizations",
        {"slug": unique, "name_en": "A", "name_fr": "B", "region": "local"},
    )

    owner = Client(headers={"authorization": f"Bearer {made['owner_key']}"})
    assert owner.get("/api/v1/people").status_code == 200
    assert "owner_key" not in operator.get(f"/api/v1/organizations/{made['id']}").json()


def test_a_region_outside_the_policy_is_refused_with_the_reasons(unique: str) -> None:
    operator = Client(headers={"authorization": f"Bearer {issue_platform_key(label='test')}"})
    body = {"slug": unique, "name_en": "A", "name_fr": "B", "region": "aws-ca-central-1"}

    answer = operator.post("/api/v1/organizations", body, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "placement-refused")
    assert "nexus-refused" in {reason["code"] for reason in answer.json()["reasons"]}
    assert "the courts of a country" in answer.json()["detail"]


def test_a_history_is_imported_searched_taken_home_and_erased(acme: Tenant) -> None:
    imported = _upload(acme, chatgpt_export("Où est la clé?", "Sous le pot de géranium."))
    assert imported["job"]["state"] == "succeeded"
    assert imported["report"]["complete"] is True
    assert imported["provider"] == "chatgpt"

    answer = _post(acme.http, "memories/search", {"query": "Where is the key?", "person": "alice"})
    assert answer["pending"] == 0
    found = answer["results"][0]
    conversation = acme.http.get(f"/api/v1/conversations/{found['conversation_id']}").json()
    message = next(m for m in conversation["messages"] if m["id"] == found["message_id"])
    span = found["span"]
    assert message["blocks"][span["block"]]["text"][span["start"] : span["end"]] == found["text"]

    export = _post(acme.http, "exports", {"person": "alice"})
    run_jobs(acme)
    export = acme.http.get(f"/api/v1/exports/{export['id']}").json()
    zipped = Client().get(export["download"])
    body = b"".join(zipped.streaming_content)  # type: ignore[attr-defined]  # a FileResponse
    with zipfile.ZipFile(BytesIO(body)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["format"] == "souvenir-archive"

    erasure = _post(acme.http, "erasures", {"target": "person", "person": "alice"})
    run_jobs(acme)
    erasure = acme.http.get(f"/api/v1/erasures/{erasure['id']}").json()
    assert erasure["counts"]["messages"] == 2
    assert Client().get(export["download"]).status_code in {404, 410}
    gone = acme.http.post(
        "/api/v1/memories/search", {"query": "key", "person": "alice"}, "application/json"
    )
    assert gone.json()["code"] == "person-not-found"


def test_what_was_taken_home_is_brought_back_elsewhere(acme: Tenant) -> None:
    _upload(acme, chatgpt_export("Bonjour", "Salut"))
    export = _post(acme.http, "exports", {"person": "alice"})
    run_jobs(acme)
    link = acme.http.get(f"/api/v1/exports/{export['id']}").json()["download"]
    body = b"".join(Client().get(link).streaming_content)  # type: ignore[attr-defined]

    elsewhere = make_tenant()
    restored = _upload(elsewhere, body, name="souvenir.zip")

    assert restored["job"]["state"] == "succeeded", restored["job"]
    answer = _post(elsewhere.http, "memories/search", {"query": "Salut", "person": "alice"})
    assert "Salut" in {found["text"] for found in answer["results"]}


def test_a_memory_is_added_corrected_and_forgotten(acme: Tenant) -> None:
    memory = _post(acme.http, "memories", {"text": "Allergique aux noix", "person": "alice"})
    address = f"/api/v1/memories/{memory['id']}"

    corrected = acme.http.put(
        address,
        {"text": "Allergique aux noisettes", "version": 1, "reason": "Erreur"},
        "application/json",
    ).json()
    stale = acme.http.put(address, {"text": "Autre", "version": 1}, "application/json")
    history = acme.http.get(f"{address}/history").json()
    forgotten = acme.http.delete(address)

    assert corrected["current"]["text"] == "Allergique aux noisettes"
    assert (stale.status_code, stale.json()["code"]) == (409, "memory-changed")
    assert [v["text"] for v in history] == ["Allergique aux noisettes", "Allergique aux noix"]
    assert forgotten.status_code == 202
    assert acme.http.get(address).status_code == 404
    run_jobs(acme)


def test_memories_are_listed_in_pages_newest_first(acme: Tenant) -> None:
    for number in range(5):
        _post(acme.http, "memories", {"text": f"Note {number}", "person": "alice"})

    first = acme.http.get("/api/v1/memories?limit=2").json()
    second = acme.http.get(first["next"]).json()

    texts = [m["current"]["text"] for m in first["results"] + second["results"]]
    assert texts == ["Note 4", "Note 3", "Note 2", "Note 1"]


def test_a_key_for_one_person_reaches_that_person_alone(acme: Tenant) -> None:
    _post(acme.http, "memories", {"text": "De Bob", "person": "bob"})
    mine = _post(acme.http, "memories", {"text": "D’Alice", "person": "alice"})
    bob = _post(acme.http, "memories", {"text": "De Bob encore", "person": "bob"})
    scopes = ["memories:read", "memories:write", "imports:write", "exports:write", "erasures:write"]
    key = _post(acme.http, "keys", {"label": "alice", "scopes": scopes, "person": "alice"})
    alice = Client(headers={"authorization": f"Bearer {key['key']}"})

    listed = alice.get("/api/v1/memories").json()["results"]
    searched = _post(alice, "memories/search", {"query": "Bob Alice"})["results"]

    assert [m["id"] for m in listed] == [mine["id"]]
    assert {found["memory_id"] for found in searched} == {mine["id"]}
    missing = [
        alice.get(f"/api/v1/memories/{bob['id']}"),
        alice.get(f"/api/v1/memories/{bob['id']}/history"),
        alice.delete(f"/api/v1/memories/{bob['id']}"),
        alice.put(f"/api/v1/memories/{bob['id']}", {"text": "x"}, "application/json"),
        alice.get("/api/v1/memories?person=bob"),
        alice.post("/api/v1/memories", {"text": "x", "person": "bob"}, "application/json"),
        alice.post("/api/v1/exports", {"person": "bob"}, "application/json"),
        alice.post("/api/v1/erasures", {"target": "person", "person": "bob"}, "application/json"),
        alice.post("/api/v1/erasures", {"target": "memory", "id": bob["id"]}, "application/json"),
        alice.post("/api/v1/erasures", {"target": "organization"}, "application/json"),
        alice.post("/api/v1/memories/search", {"query": "x", "person": "bob"}, "application/json"),
    ]
    assert [answer.status_code for answer in missing] == [404] * len(missing)


def test_a_foreign_id_answers_exactly_like_a_missing_one(acme: Tenant, globex: Tenant) -> None:
    _upload(globex, chatgpt_export("Un secret"))
    memory = _post(globex.http, "memories", {"text": "Un secret", "person": "alice"})["id"]
    conversation = globex.http.get("/api/v1/conversations").json()["results"][0]["id"]
    record = globex.http.get("/api/v1/imports").json()["results"][0]
    export = _post(globex.http, "exports", {"person": "alice"})["id"]
    theirs = {
        "memories": memory,
        "conversations": conversation,
        "imports": record["id"],
        "jobs": record["job_id"],
        "exports": export,
    }

    for kind, foreign in theirs.items():
        random = str(uuid4())
        answers = [acme.http.get(f"/api/v1/{kind}/{id_}") for id_ in (foreign, random)]
        bodies = [
            a.content.decode().replace(i, "ID")
            for a, i in zip(answers, (foreign, random), strict=True)
        ]
        assert {a.status_code for a in answers} == {404}, kind
        assert bodies[0] == bodies[1], kind
        assert answers[0].headers.keys() == answers[1].headers.keys(), kind


def test_the_openapi_document_tells_every_address(acme: Tenant) -> None:
    document = Client().get("/api/v1/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/memories/search", "/api/v1/imports", "/api/v1/erasures"} <= set(
        document["paths"]
    )
    operations = [op for path in document["paths"].values() for op in path.values()]
    assert all("operationId" in operation for operation in operations)
