"""A request that is sent again is not done again: over a real socket, from real threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.models import Import
from souvenir.memories.models import Memory, Person
from tenants.idempotency.models import Replay
from tenants.idempotency.services import Answer, Claim, Sent, claim_or_replay
from tenants.isolation.scope import tenant_scope
from tenants.models import ApiKey, Organization
from tenants.services import issue_key, issue_platform_key, revoke_key
from tests.builders import Tenant, chatgpt_export, run_jobs
from tests.serving import Address, Reply, served
from workers.sweeping import sweep

MEMORIES = "/api/v1/memories"
AT_ONCE = 50


@pytest.fixture(scope="module")
def address(database: None) -> Iterator[Address]:
    with served() as found:
        yield found


def _remember(address: Address, tenant: Tenant, key: str, text: str = "Un souvenir") -> Reply:
    body = {"text": text, "person": "alice"}
    return address.ask("POST", MEMORIES, key=tenant.key, body=body, Idempotency_Key=key)


def _memories(tenant: Tenant) -> int:
    with tenant_scope(tenant.id):
        return Memory.objects.count()


def _multipart(body: bytes, *, boundary: str, person: str = "alice") -> tuple[bytes, str]:
    part = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="person"\r\n\r\n{person}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="c.json"\r\n\r\n'
    )
    whole = part.encode() + body + f"\r\n--{boundary}--\r\n".encode()
    return whole, f"multipart/form-data; boundary={boundary}"


def test_fifty_at_once_have_one_effect_and_answer_alike(
    address: Address, acme: Tenant, unique: str
) -> None:
    def insist(_: int) -> tuple[Reply, int]:
        """As a client does that heeds Retry-After; gives also how often it was told to wait."""
        waits = 0
        while (reply := _remember(address, acme, unique)).status == 409:
            assert (reply.json["code"], reply.headers["retry-after"]) == ("request-in-flight", "1")
            waits += 1
        return reply, waits

    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = [reply for reply, _ in pool.map(insist, range(AT_ONCE))]

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    replayed = [reply.headers.get("idempotency-replayed") for reply in replies]
    assert (replayed.count("true"), replayed.count(None)) == (AT_ONCE - 1, 1)
    assert _memories(acme) == 1


def test_a_request_that_is_in_flight_is_neither_done_nor_waited_for(
    address: Address, acme: Tenant, unique: str
) -> None:
    with ThreadPoolExecutor(1) as pool, tenant_scope(acme.id):
        _claim(acme, unique)
        meanwhile = pool.submit(_remember, address, acme, unique).result()
    afterwards = _remember(address, acme, unique)

    assert (meanwhile.status, meanwhile.headers["retry-after"]) == (409, "1")
    assert afterwards.status == 201


def _claim(tenant: Tenant, key: str) -> Claim | Answer:
    """What the door does when a request comes in."""
    sent = Sent(tenant.key, "POST api/v1/memories", key, MEMORIES, b"")
    return claim_or_replay(sent=sent)


def test_a_holder_that_is_killed_leaves_nothing_that_would_have_to_expire(
    address: Address, acme: Tenant, unique: str
) -> None:
    def die() -> None:
        try:
            with tenant_scope(acme.id):
                _claim(acme, unique)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    victim = cursor.fetchone()[0]
                _kill(victim)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        died = pool.submit(die).exception()
    afterwards = _remember(address, acme, unique)

    assert isinstance(died, DatabaseError)
    assert afterwards.status == 201
    assert "idempotency-replayed" not in afterwards.headers


def _kill(backend: int) -> None:
    """End a database connection as a killed process does, from another one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_terminate, backend).result()


def _terminate(backend: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    connection.close()


def test_an_answer_that_nobody_received_is_given_to_whoever_asks_again(
    address: Address, acme: Tenant, unique: str
) -> None:
    body = b'{"text": "Un souvenir", "person": "alice"}'
    head = (
        f"POST {MEMORIES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {acme.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Idempotency-Key: {unique}\r\n\r\n"
    )
    with address.connect() as dropped:
        dropped.sendall(head.encode() + body)  # and hangs up without reading
    replies = [
        address.ask("POST", MEMORIES, key=acme.key, body=body, Idempotency_Key=unique)
        for _ in range(20)
    ]

    assert replies[-1].headers["idempotency-replayed"] == "true"
    assert _memories(acme) == 1


@pytest.mark.parametrize("other", ["body", "query", "address"])
def test_a_key_with_another_request_is_refused(
    address: Address, acme: Tenant, unique: str, other: str
) -> None:
    memory = _remember(address, acme, unique).json["id"]
    path = f"{MEMORIES}/{memory}"
    correct = {"text": "Mieux dit"}
    address.ask("PUT", path, key=acme.key, body=correct, Idempotency_Key=unique)
    changed = {
        "body": (path, {"text": "Encore mieux"}),
        "query": (f"{path}?a=b", correct),
        "address": (f"{MEMORIES}/{uuid4()}", correct),
    }
    where, what = changed[other]

    reply = address.ask("PUT", where, key=acme.key, body=what, Idempotency_Key=unique)

    assert (reply.status, reply.json["code"]) == (422, "idempotency-key-reused")


def test_one_key_on_two_operations_is_two_requests(
    address: Address, acme: Tenant, unique: str
) -> None:
    person = {"external_id": "alice"}
    first = _remember(address, acme, unique)
    second = address.ask(
        "POST", "/api/v1/people", key=acme.key, body=person, Idempotency_Key=unique
    )

    assert (first.status, second.status) == (201, 200)


def test_a_refused_request_keeps_nothing(address: Address, acme: Tenant, unique: str) -> None:
    refused = _remember(address, acme, unique, text="  ")
    better = _remember(address, acme, unique)

    assert (refused.status, better.status) == (400, 201)


@pytest.mark.parametrize("key", ["", " ".ljust(256), "a" * 256, "é"])
def test_a_key_that_is_none_is_refused(address: Address, acme: Tenant, key: str) -> None:
    reply = _remember(address, acme, key.encode().decode("latin-1"))

    assert (reply.status, reply.json["code"]) == (400, "idempotency-key-invalid")
    assert _memories(acme) == 0


def test_a_file_is_known_again_by_what_is_in_it(
    address: Address, acme: Tenant, unique: str
) -> None:
    def upload(text: str, boundary: str) -> Reply:
        body, kind = _multipart(chatgpt_export(text), boundary=boundary)
        return address.ask(
            "POST", "/api/v1/imports", key=acme.key, body=body, kind=kind, Idempotency_Key=unique
        )

    first, again = upload("Bonjour", "one"), upload("Bonjour", "another")
    other = upload("Bonsoir", "one")

    assert (first.status, again.body) == (202, first.body)
    assert (again.headers["idempotency-replayed"], again.headers["location"]) == (
        "true",
        first.headers["location"],
    )
    assert (other.status, other.json["code"]) == (422, "idempotency-key-reused")
    with tenant_scope(acme.id):
        assert Import.objects.count() == 1


def test_another_key_of_the_same_organization_is_another_sender(
    address: Address, acme: Tenant, unique: str
) -> None:
    with tenant_scope(acme.id):
        other = issue_key(label="agent", scopes=["memories:write"]).text
    body = {"text": "Un souvenir", "person": "alice"}

    _remember(address, acme, unique)
    reply = address.ask("POST", MEMORIES, key=other, body=body, Idempotency_Key=unique)

    assert "idempotency-replayed" not in reply.headers
    assert _memories(acme) == 2


def test_globex_is_not_answered_what_acme_was(
    address: Address, acme: Tenant, globex: Tenant, unique: str
) -> None:
    ours, theirs = _remember(address, acme, unique), _remember(address, globex, unique)

    assert "idempotency-replayed" not in theirs.headers
    assert ours.json["id"] != theirs.json["id"]


def test_a_revoked_key_is_answered_nothing_again(
    address: Address, acme: Tenant, unique: str
) -> None:
    _remember(address, acme, unique)
    with tenant_scope(acme.id):
        revoke_key(key_id=ApiKey.objects.get(label="owner").id)

    assert _remember(address, acme, unique).status == 401


def test_a_search_is_asked_anew_each_time(address: Address, acme: Tenant, unique: str) -> None:
    _remember(address, acme, "other")
    body = {"query": "souvenir"}
    replies = [
        address.ask("POST", f"{MEMORIES}/search", key=acme.key, body=body, Idempotency_Key=unique)
        for _ in range(2)
    ]

    assert [reply.headers.get("idempotency-replayed") for reply in replies] == [None, None]


def test_what_is_kept_tells_nothing_without_the_sender_s_key(
    address: Address, acme: Tenant, unique: str
) -> None:
    text = f"My number is {uuid4()}."
    _remember(address, acme, unique, text=text)

    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute("SELECT r::text, answer, digest, fingerprint FROM idempotency_replay r")
        ((row, *columns),) = cursor.fetchall()

    everything = row.encode() + b"".join(bytes(column) for column in columns)
    assert text.encode() not in everything
    assert unique.encode() not in everything


def test_erasing_a_person_erases_what_was_answered_of_it_and_does_nothing_again(
    address: Address, acme: Tenant, unique: str
) -> None:
    _remember(address, acme, unique)
    bob = {"text": "Un autre", "person": "bob"}
    address.ask("POST", MEMORIES, key=acme.key, body=bob, Idempotency_Key="b" + unique)
    erase = {"target": "person", "person": "alice"}
    asked = address.ask(
        "POST", "/api/v1/erasures", key=acme.key, body=erase, Idempotency_Key="e" + unique
    )
    run_jobs(acme, Kind.ERASE)

    again = _remember(address, acme, unique)
    of_bob = address.ask("POST", MEMORIES, key=acme.key, body=bob, Idempotency_Key="b" + unique)
    of_it = address.ask(
        "POST", "/api/v1/erasures", key=acme.key, body=erase, Idempotency_Key="e" + unique
    )

    assert (again.status, again.json["code"]) == (409, "answer-erased")
    assert of_bob.headers["idempotency-replayed"] == "true"
    assert of_it.body == asked.body
    with tenant_scope(acme.id):
        assert not Person.objects.filter(external_id="alice").exists()


def test_erasing_an_organization_leaves_no_answer(
    address: Address, acme: Tenant, unique: str
) -> None:
    _remember(address, acme, unique)
    address.ask("POST", "/api/v1/erasures", key=acme.key, body={"target": "organization"})
    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id):
        assert Replay.objects.count() == 0


def test_a_request_is_forgotten_after_its_time(
    address: Address, acme: Tenant, globex: Tenant, unique: str
) -> None:
    for tenant in (acme, globex):
        _remember(address, tenant, unique)
    with tenant_scope(acme.id):
        Replay.objects.update(recorded_at=timezone.now() - timedelta(hours=49))

    sweep()

    assert "idempotency-replayed" not in _remember(address, acme, unique).headers
    assert _remember(address, globex, unique).headers["idempotency-replayed"] == "true"


def _create(address: Address, platform_key: str, key: str, slug: str) -> Reply:
    body = {"slug": slug, "name_en": "A", "name_fr": "B", "region": "local"}
    return address.ask(
        "POST", "/api/v1/organizations", key=platform_key, body=body, Idempotency_Key=key
    )


def test_an_organization_is_created_once_and_its_key_is_shown_again(
    address: Address, unique: str
) -> None:
    platform_key = issue_platform_key(label="test")

    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda _: _create(address, platform_key, unique, f"t-{unique}"), range(8))
        )
    last = _create(address, platform_key, unique, f"t-{unique}")

    assert {reply.status for reply in replies} <= {201, 409}
    assert {reply.body for reply in replies if reply.status == 201} == {last.body}
    assert Organization.objects.filter(slug=f"t-{unique}").count() == 1
    assert address.ask("GET", "/api/v1/people", key=last.json["owner_key"]).status == 200


def test_an_organization_that_is_refused_leaves_nothing(address: Address, unique: str) -> None:
    platform_key = issue_platform_key(label="test")
    _create(address, platform_key, "first" + unique, f"t-{unique}")

    taken = _create(address, platform_key, unique, f"t-{unique}")
    better = _create(address, platform_key, unique, f"u-{unique}")

    assert (taken.status, taken.json["code"]) == (409, "slug-taken")
    assert better.status == 201


def test_the_key_of_another_platform_is_not_answered(address: Address, unique: str) -> None:
    mine, theirs = issue_platform_key(label="mine"), issue_platform_key(label="theirs")
    _create(address, mine, unique, f"t-{unique}")

    reply = _create(address, theirs, unique, f"t-{unique}")

    assert (reply.status, reply.json["code"]) == (409, "slug-taken")


def test_an_organization_s_own_key_still_creates_none(
    address: Address, acme: Tenant, unique: str
) -> None:
    reply = _create(address, acme.key, unique, f"t-{unique}")

    assert (reply.status, reply.json["code"]) == (403, "platform-key-needed")


def test_a_suspension_is_answered_alike(address: Address, acme: Tenant, unique: str) -> None:
    platform_key = issue_platform_key(label="test")
    path = f"/api/v1/organizations/{acme.id}/suspend"
    replies = [
        address.ask("POST", path, key=platform_key, Idempotency_Key=unique) for _ in range(2)
    ]

    assert [reply.status for reply in replies] == [200, 200]
    assert replies[1].headers["idempotency-replayed"] == "true"
