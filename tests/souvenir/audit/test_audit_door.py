"""The log over HTTP: one's own entries, and proofs that a stranger's program can check."""

import base64
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client

from souvenir.audit.notes import check_note, read_head
from souvenir.audit.services import make_checkpoints
from souvenir.audit.tree import check_consistency, check_inclusion, hash_of_leaf
from souvenir.core.canonical_json import canonical_json
from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.memories.selectors import get_person
from tenants.isolation.scope import tenant_scope
from tenants.keys import SCOPES
from tenants.services import issue_key
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs


def get(tenant: Tenant, path: str, **query: Any) -> Any:
    answer = tenant.http.get(f"/api/v1/audit/{path}?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def status(tenant: Tenant, path: str, **query: Any) -> tuple[int, str]:
    answer = tenant.http.get(f"/api/v1/audit/{path}?{urlencode(query)}")
    return answer.status_code, answer.json().get("code", "")


def _bytes(encoded: str) -> bytes:
    return base64.b64decode(encoded)


def test_what_was_done_is_listed_newest_first(acme: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export("a"))

    first, second, third = get(acme, "entries")["results"]

    assert [one["entry"]["action"] for one in (first, second, third)] == [
        "import.accepted",
        "key.issued",
        "organization.created",
    ]
    assert first["private"] == {"bytes": record.size_bytes}
    assert first["number"] is None


def test_it_can_be_narrowed_to_an_action_an_object_and_a_time(acme: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export("a"))
    issued = get(acme, "entries", action="key.issued")["results"]
    (imported,) = get(acme, "entries", object=f"import:{record.id}")["results"]
    at = imported["entry"]["at"]

    assert [one["entry"]["action"] for one in issued] == ["key.issued"]
    assert [one["entry"]["id"] for one in get(acme, "entries", since=at)["results"]] == [
        imported["entry"]["id"]
    ]
    assert len(get(acme, "entries", until=at)["results"]) == 2


def test_it_comes_in_pages(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        for _ in range(4):
            issue_key(label="a", scopes=["memories:read"])

    page = get(acme, "entries", limit=4)
    rest = acme.http.get(page["next"]).json()

    ids = [one["entry"]["id"] for one in [*page["results"], *rest["results"]]]
    assert (len(page["results"]), len(set(ids)), rest["next"]) == (4, 6, None)


def test_an_entry_is_proved_by_what_the_door_gives_and_nothing_else(acme: Tenant) -> None:
    make_checkpoints()
    newest = get(acme, "entries")["results"][0]

    proved = get(acme, f"entries/{newest['entry']['id']}/proof")

    head = read_head(proved["checkpoint"]["note"])
    check_note(proved["checkpoint"]["note"], proved["checkpoint"]["verifier_key"])
    leaf = hash_of_leaf(canonical_json(proved["entry"]))
    proof = [_bytes(one) for one in proved["proof"]["hashes"]]
    check_inclusion(leaf, proved["number"], head.size, proof, root=head.root)
    assert proved["entry"] == newest["entry"]
    assert _bytes(proved["leaf_hash"]) == leaf


def test_a_checkpoint_that_was_kept_is_proved_to_have_grown(acme: Tenant) -> None:
    make_checkpoints()
    kept = get(acme, "checkpoint")
    for text in "abc":
        import_bytes(acme, chatgpt_export(text, conversation=text))
        make_checkpoints()

    now = get(acme, "checkpoint")
    proof = get(acme, "consistency", old=kept["size"], size=now["size"])

    before, after = read_head(kept["note"]), read_head(now["note"])
    hashes = [_bytes(one) for one in proof["hashes"]]
    assert after.size > before.size
    check_consistency(before.size, after.size, hashes, old_root=before.root, root=after.root)
    assert get(acme, "checkpoint", size=kept["size"]) == kept


def test_the_public_key_is_there_for_anybody(acme: Tenant) -> None:
    make_checkpoints()

    answer = Client().get("/.well-known/souvenir-audit-key")

    checkpoint = get(acme, "checkpoint")
    assert answer.status_code == 200
    check_note(checkpoint["note"], answer.content.decode())


def test_globex_reads_none_of_it_and_learns_of_nothing(acme: Tenant, globex: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export("a"))
    make_checkpoints()
    theirs = get(acme, "entries")["results"][0]["entry"]["id"]

    listed = get(globex, "entries")["results"]

    assert {one["entry"]["organization"] for one in listed} == {str(globex.id)}
    assert get(globex, "entries", object=f"import:{record.id}")["results"] == []
    assert get(globex, "entries", object=f"key:{uuid4()}")["results"] == []
    assert status(globex, f"entries/{theirs}/proof") == (404, "audit-entry-not-found")
    assert status(globex, f"entries/{uuid4()}/proof") == (404, "audit-entry-not-found")


def test_a_key_without_the_scope_reads_none_of_it(acme: Tenant) -> None:
    scopes = [scope for scope in SCOPES if scope != "organization:read"]
    with tenant_scope(acme.id):
        key = issue_key(label="a", scopes=scopes)

    assert status(Tenant(acme.organization, key.text), "entries") == (403, "scope-missing")
    assert status(Tenant(acme.organization, key.text), "checkpoint") == (403, "scope-missing")


def test_an_entry_without_a_number_has_no_proof_yet(acme: Tenant) -> None:
    make_checkpoints()
    import_bytes(acme, chatgpt_export("a"))
    newest = get(acme, "entries")["results"][0]["entry"]["id"]

    assert status(acme, f"entries/{newest}/proof") == (404, "checkpoint-not-yet")


@pytest.mark.parametrize(
    ("path", "query", "told"),
    [
        ("entries", {"action": "no.such"}, (400, "request-invalid")),
        ("entries", {"since": "yesterday"}, (400, "request-invalid")),
        ("entries", {"object": "\x00"}, (400, "request-invalid")),
        ("checkpoint", {"size": 0}, (400, "request-invalid")),
        ("checkpoint", {"size": 10**30}, (400, "request-invalid")),
        ("checkpoint", {"size": 10**15}, (404, "checkpoint-not-yet")),
        ("consistency", {"old": 10**15}, (400, "tree-size-invalid")),
        ("consistency", {"old": 1, "size": 10**15}, (400, "tree-size-invalid")),
    ],
)
def test_what_cannot_be_asked_is_refused(
    acme: Tenant, path: str, query: dict[str, Any], told: tuple[int, str]
) -> None:
    make_checkpoints()

    assert status(acme, path, **query) == told


def test_after_an_erasure_the_entry_is_shown_and_proved_without_its_private_part(
    acme: Tenant,
) -> None:
    record = import_bytes(acme, chatgpt_export("a"))
    before = get(acme, "entries", object=f"import:{record.id}")["results"][0]
    with tenant_scope(acme.id):
        request_erasure(target="person", target_id=get_person(external_id="alice").id)
    run_jobs(acme, Kind.ERASE)
    make_checkpoints()

    proved = get(acme, f"entries/{before['entry']['id']}/proof")

    assert (before["private"], proved["private"]) == ({"bytes": record.size_bytes}, None)
    assert proved["entry"] == before["entry"]
    head = read_head(proved["checkpoint"]["note"])
    check_inclusion(
        hash_of_leaf(canonical_json(proved["entry"])),
        proved["number"],
        head.size,
        [_bytes(one) for one in proved["proof"]["hashes"]],
        root=head.root,
    )
