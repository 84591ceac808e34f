"""The chart's own proxy, for real: what it holds back, and what it lets through at once."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from souvenir.core.jobs import Job as Kind
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, claim_job, following
from tests.builders import Tenant
from tests.proxying import nginx, proxied
from tests.serving import Address, served

pytestmark = pytest.mark.skipif(nginx() is None, reason="nginx is not installed")
_UPLOADS = 2
_CHUNK = b"x" * 100_000
_FORM = "Content-Type: multipart/form-data; boundary=b\r\n"


@pytest.fixture(scope="module")
def address(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Souvenir, through the proxy."""
    folder = tmp_path_factory.mktemp("proxy")
    with served() as behind, proxied(f"127.0.0.1:{behind.port}", folder) as port:
        yield Address("127.0.0.1", port)


@pytest.fixture
def web() -> Iterator[socket.socket]:
    """Where the web would be: a socket that listens, and takes what it is asked to take."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


@pytest.fixture
def door(web: socket.socket, tmp_path: Path) -> Iterator[int]:
    """The proxy's port, in front of `web`."""
    with proxied(f"127.0.0.1:{web.getsockname()[1]}", tmp_path, uploads=_UPLOADS) as port:
        yield port


def _begin(port: int, path: str, *, length: int = 0, headers: str = "") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    words = f"POST {path} HTTP/1.1\r\nHost: souvenir.example\r\nContent-Length: {length}\r\n"
    connection.sendall((words + headers).encode())
    return connection


def _somebody_came(web: socket.socket) -> bool:
    web.settimeout(0.5)
    with suppress(TimeoutError):
        web.accept()[0].close()
        return True
    return False


def _written(folder: Path) -> list[Path]:
    return [path for path in (folder / "body").rglob("*") if path.is_file()]


def test_headers_that_never_end_reach_nobody(web: socket.socket, door: int) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(_begin(door, "/api/v1/memories", headers="X-a: b\r\n"))

        assert not _somebody_came(web)


def test_a_body_reaches_the_web_when_it_is_whole(web: socket.socket, door: int) -> None:
    with _begin(door, "/api/v1/memories", length=2 * len(_CHUNK), headers="\r\n") as client:
        client.sendall(_CHUNK)
        before = _somebody_came(web)
        client.sendall(_CHUNK)

        web.settimeout(10)
        with web.accept()[0] as taken:
            assert b"POST /api/v1/memories" in taken.recv(1000)
    assert not before


def test_an_upload_passes_as_it_comes_and_nothing_of_it_is_kept(
    web: socket.socket, door: int, tmp_path: Path
) -> None:
    with _begin(door, "/api/v1/imports", length=50_000_000, headers=f"{_FORM}\r\n") as client:
        client.sendall(_CHUNK)
        with web.accept()[0] as taken:
            got = b""
            while len(got) < len(_CHUNK):
                got += taken.recv(65_536)

            assert b"POST /api/v1/imports" in got
            assert _written(tmp_path) == []


def test_slow_uploads_hold_up_uploads_and_nothing_else(web: socket.socket, door: int) -> None:
    with ExitStack() as stack:
        for _ in range(_UPLOADS):
            stack.enter_context(
                _begin(door, "/en/my/imports/", length=1_000_000, headers=f"{_FORM}\r\n")
            )
            stack.enter_context(web.accept()[0])
        more = stack.enter_context(
            _begin(door, "/api/v1/imports", length=1_000_000, headers=f"{_FORM}\r\n")
        )
        other = stack.enter_context(_begin(door, "/api/v1/memories", headers="\r\n"))

        assert b" 503 " in more.recv(1000)
        assert b"POST /api/v1/memories" in stack.enter_context(web.accept()[0]).recv(1000)
        other.close()


def test_a_body_that_is_too_large_is_refused_by_its_length(web: socket.socket, door: int) -> None:
    with _begin(door, "/api/v1/memories", length=60_000_000, headers="\r\n") as client:
        assert b" 413 " in client.recv(1000)
    assert not _somebody_came(web)


def _accept(tenant: Tenant) -> UUID:
    with tenant_scope(tenant.id):
        return accept_job(Kind.RUN_IMPORT, subject_id=uuid4(), person_id=None, unit="objects").id


@contextmanager
def _follow(
    address: Address, tenant: Tenant, job_id: UUID, *, seen: str = ""
) -> Iterator[HTTPResponse]:
    # Far less than the minute that a stream lasts: what is held back until its end is not seen.
    connection = HTTPConnection(address.host, address.port, timeout=20)
    headers = {"Authorization": f"Bearer {tenant.key}", "Accept": "text/event-stream"}
    headers |= {"Last-Event-ID": seen} if seen else {}
    connection.request("GET", f"/api/v1/jobs/{job_id}/events", headers=headers)
    with closing(connection), closing(connection.getresponse()) as stream:
        yield stream


def _until(stream: HTTPResponse, start: str) -> str:
    """The rest of the next line that begins so."""
    lines = (line.decode().strip() for line in iter(stream.readline, b""))
    return next(line for line in lines if line.startswith(start)).removeprefix(start)


def test_events_and_signs_of_life_arrive_at_once_and_a_stream_is_resumed(
    acme: Tenant, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.05)
    job_id = _accept(acme)
    with _follow(address, acme, job_id) as stream:
        first, alive = _until(stream, "id: "), _until(stream, ": ")
    with tenant_scope(acme.id):
        lease = claim_job(job_id)
    assert lease is not None
    with lease.step(done=7, total=7):
        lease.finish()
    with _follow(address, acme, job_id, seen=first) as stream:
        last, told = _until(stream, "id: "), json.loads(_until(stream, "data: "))
    with _follow(address, acme, job_id, seen=last) as stream:
        seen_all = stream.status

    assert alive == "still here"
    assert (told["state"], told["done"]) == ("succeeded", 7)
    assert seen_all == 204


def test_a_request_through_the_proxy_is_answered_as_without_it(
    acme: Tenant, address: Address
) -> None:
    body = {"text": "Rosalie a peur du noir.", "person": "rosalie"}

    added = address.ask("POST", "/api/v1/memories", key=acme.key, body=body)
    listed = address.ask("GET", "/api/v1/memories", key=acme.key)

    assert added.status == 201
    assert [memory["id"] for memory in listed.json["results"]] == [added.json["id"]]
