"""Following accepted work: lists, streams, stopping it, and trying again."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.memories.services import ensure_person
from tenants.errors import JobGaveUp
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, accept_job, claim_job, following
from tenants.models import Job
from tenants.services import issue_key, revoke_key
from tests.builders import Tenant
from tests.serving import Address, served

JOBS = "/api/v1/jobs"
Event = tuple[str, str, str]  # name, id, data


@pytest.fixture(scope="module")
def address(database: None) -> Iterator[Address]:
    with served() as found:
        yield found


def _accept(tenant: Tenant, kind: Kind = Kind.RUN_IMPORT, *, person: str = "") -> UUID:
    with tenant_scope(tenant.id):
        person_id = ensure_person(external_id=person).id if person else None
        return accept_job(kind, subject_id=uuid4(), person_id=person_id, unit="objects").id


def _claim(tenant: Tenant, job_id: UUID) -> Lease:
    with tenant_scope(tenant.id):
        lease = claim_job(job_id)
    assert lease is not None
    return lease


def _finish(lease: Lease) -> None:
    with lease.step():
        lease.finish()


def _fail(lease: Lease) -> None:
    with lease.step():
        lease.fail(JobGaveUp(attempts=5))


def _key(tenant: Tenant, *scopes: str, person: str = "") -> str:
    with tenant_scope(tenant.id):
        person_id = ensure_person(external_id=person).id if person else None
        return issue_key(label="agent", scopes=list(scopes), person_id=person_id).text


def _with(key: str) -> Client:
    return Client(headers={"authorization": f"Bearer {key}"})


def _ids(answer: Any) -> list[str]:
    return [job["id"] for job in answer.json()["results"]]


class Stream:
    """A client of the stream, over a real socket; the server is told when it goes."""

    def __init__(self, address: Address, key: str, job_id: UUID, *, seen: int = 0) -> None:
        self._connection = HTTPConnection(address.host, address.port, timeout=30)
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": str(seen)} if seen else {}
        self._connection.request("GET", f"{JOBS}/{job_id}/events", headers=headers)
        self.answer: HTTPResponse = self._connection.getresponse()

    def next(self) -> Event | None:
        """The next event; None: the stream has ended. Comments are passed over."""
        told: dict[str, str] = {}
        for line in iter(self.answer.readline, b""):
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name in {"id", "event", "data"}:
                told[name] = value
            elif not name and told:
                return told["event"], told["id"], told["data"]
        return None

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute lasts two seconds."""
    monkeypatch.setattr(following, "LONGEST_SECONDS", 2.0)
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.5)
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.05)


def test_jobs_are_listed_by_kind_state_person_and_time(acme: Tenant) -> None:
    imported, exported = _accept(acme), _accept(acme, Kind.WRITE_EXPORT, person="alice")
    _finish(_claim(acme, imported))
    later = (timezone.now() + timedelta(hours=1)).isoformat()

    def listed(**asked: str) -> list[str]:
        return _ids(acme.http.get(JOBS, asked))

    assert listed() == [str(exported), str(imported)]
    assert listed(kind="write-export") == [str(exported)]
    assert listed(state="succeeded") == [str(imported)]
    assert listed(person="alice") == [str(exported)]
    assert listed(since=later) == []
    assert listed(kind="run-import", state="queued") == []


@pytest.mark.parametrize(
    "asked", [{"kind": "x"}, {"state": "x"}, {"since": "yesterday"}, {"person": ""}]
)
def test_what_cannot_be_asked_for_is_refused(acme: Tenant, asked: dict[str, str]) -> None:
    assert acme.http.get(JOBS, asked).json()["code"] == "request-invalid"


def test_pages_of_jobs_follow_one_another(acme: Tenant) -> None:
    every = [str(_accept(acme)) for _ in range(3)]

    first = acme.http.get(JOBS, {"limit": 2})
    second = acme.http.get(first.json()["next"])

    assert _ids(first) + _ids(second) == every[::-1]


def test_globex_sees_follows_and_stops_none_of_it(acme: Tenant, globex: Tenant) -> None:
    job_id = _accept(acme)

    answers = [
        globex.http.get(f"{JOBS}/{job_id}"),
        globex.http.get(f"{JOBS}/{job_id}/events"),
        globex.http.post(f"{JOBS}/{job_id}/cancel"),
        globex.http.post(f"{JOBS}/{job_id}/retry"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert _ids(globex.http.get(JOBS)) == []


def test_a_bound_key_follows_its_person_s_jobs_alone(acme: Tenant) -> None:
    hers, his = _accept(acme, person="alice"), _accept(acme, person="bob")
    alice = _with(_key(acme, "memories:read", "imports:write", person="alice"))

    assert _ids(alice.get(JOBS)) == [str(hers)]
    assert alice.get(JOBS, {"person": "bob"}).status_code == 404
    assert alice.post(f"{JOBS}/{his}/cancel").status_code == 404
    assert alice.post(f"{JOBS}/{hers}/cancel").json()["state"] == "cancelled"


def test_a_job_that_is_stopped_is_worked_on_no_more(acme: Tenant) -> None:
    job_id = _accept(acme)

    stopped = acme.http.post(f"{JOBS}/{job_id}/cancel")
    again = acme.http.post(f"{JOBS}/{job_id}/cancel")

    assert (stopped.status_code, stopped.json()["state"]) == (200, "cancelled")
    assert again.json()["version"] == stopped.json()["version"]
    with tenant_scope(acme.id):
        assert claim_job(job_id) is None


def test_what_has_ended_and_what_erases_cannot_be_stopped(acme: Tenant) -> None:
    ended, erasing = _accept(acme), _accept(acme, Kind.ERASE)
    _finish(_claim(acme, ended))

    codes = [acme.http.post(f"{JOBS}/{id_}/cancel").json()["code"] for id_ in (ended, erasing)]

    assert codes == ["job-ended", "job-not-cancellable"]


def test_a_job_that_failed_is_tried_again(acme: Tenant) -> None:
    job_id = _accept(acme)
    _fail(_claim(acme, job_id))

    again = acme.http.post(f"{JOBS}/{job_id}/retry")
    once_more = acme.http.post(f"{JOBS}/{job_id}/retry")

    assert (again.status_code, again.json()["state"], again.json()["error"]) == (
        202,
        "queued",
        None,
    )
    assert once_more.json()["code"] == "nothing-to-retry"


@pytest.mark.parametrize("what", ["cancel", "retry"])
def test_whoever_may_not_ask_for_such_work_may_not_stop_or_repeat_it(
    acme: Tenant, what: str
) -> None:
    export = _accept(acme, Kind.WRITE_EXPORT)
    importer = _with(_key(acme, "memories:read", "imports:write"))

    answer = importer.post(f"{JOBS}/{export}/{what}")

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


@pytest.mark.usefixtures("quick")
def test_a_stream_tells_each_change_and_ends_with_the_job(address: Address, acme: Tenant) -> None:
    job_id = _accept(acme)
    stream = Stream(address, acme.key, job_id)
    told = [stream.next()]
    lease = _claim(acme, job_id)
    told.append(stream.next())
    with lease.step(done=3, total=7):
        pass
    told.append(stream.next())
    _finish(lease)
    told += [stream.next(), stream.next(), stream.next()]
    stream.close()

    names = [event[0] if event else None for event in told]
    versions = [int(event[1]) for event in told if event]
    assert names == ["job", "job", "job", "job", "end", None]
    assert versions == sorted(versions)
    assert '"state":"queued"' in (told[0] or ("", "", ""))[2]
    assert '"done":3' in (told[2] or ("", "", ""))[2]
    assert '"state":"succeeded"' in (told[3] or ("", "", ""))[2]


@pytest.mark.usefixtures("quick")
def test_a_stream_is_what_no_proxy_keeps_or_holds_back(address: Address, acme: Tenant) -> None:
    job_id = _accept(acme)
    stream = Stream(address, acme.key, job_id)
    headers = stream.answer.headers
    stream.close()

    assert stream.answer.status == 200
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store, no-transform"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in headers


@pytest.mark.usefixtures("quick")
def test_whoever_comes_back_is_told_what_is_new_only(address: Address, acme: Tenant) -> None:
    job_id = _accept(acme)
    with tenant_scope(acme.id):
        seen = Job.objects.get(id=job_id).version
    stream = Stream(address, acme.key, job_id, seen=seen)
    _finish(_claim(acme, job_id))

    first = stream.next()
    stream.close()

    assert first is not None
    assert int(first[1]) > seen


@pytest.mark.usefixtures("quick")
def test_whoever_has_seen_the_end_is_told_not_to_come_back(address: Address, acme: Tenant) -> None:
    job_id = _accept(acme)
    _finish(_claim(acme, job_id))
    stream = Stream(address, acme.key, job_id)
    last = stream.next()
    stream.close()
    assert last is not None

    assert Stream(address, acme.key, job_id, seen=int(last[1])).answer.status == 204


@pytest.mark.usefixtures("quick")
def test_without_news_it_gives_signs_of_life_and_ends_after_its_time(
    address: Address, acme: Tenant
) -> None:
    stream = Stream(address, acme.key, _accept(acme))

    whole = stream.answer.read().decode()

    assert whole.count("event: job") == 1
    assert 2 <= whole.count(": still here") <= 4
    assert "event: end" not in whole


def test_a_stream_holds_no_transaction_open_while_it_waits(
    address: Address, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LONGEST_SECONDS", 2.0)
    monkeypatch.setattr(following, "_LOOK_SECONDS", 6.0)
    stream = Stream(address, acme.key, _accept(acme))
    stream.next()

    time.sleep(0.5)  # until it waits, for six seconds: what it held would be held for as long
    ends = time.monotonic() + 4
    while (is_open := _a_transaction_is_idle()) and time.monotonic() < ends:
        time.sleep(0.03)
    stream.close()

    assert not is_open


def _a_transaction_is_idle() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state = 'idle in transaction')"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.usefixtures("quick")
def test_a_stream_ends_when_its_key_is_revoked(
    address: Address, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LONGEST_SECONDS", 30.0)
    with tenant_scope(acme.id):
        key = issue_key(label="agent", scopes=["memories:read"])
    stream = Stream(address, key.text, _accept(acme))
    stream.next()

    with tenant_scope(acme.id):
        revoke_key(key_id=key.record.id)

    assert stream.next() is None
    stream.close()


@pytest.mark.usefixtures("quick")
def test_too_many_streams_are_refused_and_one_organization_takes_half_at_most(
    address: Address, acme: Tenant, globex: Tenant
) -> None:
    held = [Stream(address, acme.key, _accept(acme)) for _ in range(2)]
    third = Stream(address, acme.key, _accept(acme))
    other = Stream(address, globex.key, _accept(globex))

    refused = third.answer.read().decode()
    for stream in (*held, third, other):
        stream.answer.read()
        stream.close()
    again = Stream(address, acme.key, _accept(acme))
    again.close()

    assert [stream.answer.status for stream in (*held, third, other)] == [200, 200, 503, 200]
    assert '"streams-busy"' in refused
    assert third.answer.headers["Retry-After"] == "5"
    assert again.answer.status == 200


@pytest.mark.usefixtures("quick")
def test_places_are_given_back_by_whoever_hangs_up(address: Address, acme: Tenant) -> None:
    def come_and_go(_: int) -> int:
        stream = Stream(address, acme.key, job_id)
        status = stream.answer.status
        stream.close()
        return status

    job_id = _accept(acme)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, range(12)))
    patience = threading.Event()
    for _ in range(100):
        last = Stream(address, acme.key, job_id)
        last.close()
        if last.answer.status == 200:
            break
        patience.wait(0.1)

    assert last.answer.status == 200
