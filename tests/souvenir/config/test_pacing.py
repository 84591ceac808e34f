"""Clients that make a thread wait: the real Gunicorn with one thread, alone and behind the proxy.

A thread is free again where a second client is answered.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.proxying import nginx, proxied
from tests.souvenir.config.paced_application import LEAST_BYTES_A_SECOND, LONG, PATIENCE_SECONDS

_UPLOADS = "/api/v1/imports"  # where the proxy passes a body on as it comes
_ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def _gunicorn() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [
            *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{number}", "--threads", "1"),
            *("--worker-class", "gthread", "--no-control-socket", "--graceful-timeout", "1"),
            "tests.souvenir.config.paced_application:application",
        ]
        environment = os.environ | {"PYTHONPATH": f"{_ROOT / 'platform'}{os.pathsep}{_ROOT}"}
        process = subprocess.Popen(command, env=environment, cwd=_ROOT, pass_fds=[number])  # noqa: S603
        try:
            yield int(listening.getsockname()[1])
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def alone() -> Iterator[int]:
    with _gunicorn() as port:
        yield port


@pytest.fixture(scope="module")
def behind(alone: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with proxied(f"127.0.0.1:{alone}", tmp_path_factory.mktemp("proxy")) as port:
        yield port


@pytest.fixture(
    params=[
        "alone",
        pytest.param("behind", marks=pytest.mark.skipif(nginx() is None, reason="no nginx")),
    ]
)
def port(request: pytest.FixtureRequest) -> int:
    """Of Gunicorn, or of the proxy in front of it."""
    return int(request.getfixturevalue(request.param))


@contextmanager
def _begun(port: int, path: str, *, length: int = 0) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        method = "POST" if length else "GET"
        head = f"{method} {path} HTTP/1.1\r\nHost: souvenir\r\nContent-Length: {length}\r\n\r\n"
        client.sendall(head.encode())
        yield client


def _answered(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def test_who_stops_sending_is_told_and_lets_go_of_the_thread(port: int) -> None:
    with _begun(port, _UPLOADS, length=50_000) as client:
        client.sendall(b"x" * 100)

        assert _answered(port)
        assert b" 408 " in client.recv(1000)


def test_who_sends_a_byte_now_and_then_is_cut_off(port: int) -> None:
    with _begun(port, _UPLOADS, length=50_000) as client:
        client.settimeout(0.2)
        said = b""
        while not said:
            client.sendall(b"x")
            try:
                said = client.recv(1000)
            except TimeoutError:
                continue

    assert b" 408 " in said
    assert _answered(port)


def test_who_stops_reading_lets_go_of_the_thread(port: int) -> None:
    with _begun(port, "/long"):
        assert _answered(port)


def test_who_keeps_up_may_take_longer_than_anyone_s_patience(port: int) -> None:
    pieces, pause = 15, PATIENCE_SECONDS / 5
    piece = b"x" * int(2 * pause * LEAST_BYTES_A_SECOND)
    with _begun(port, _UPLOADS, length=pieces * len(piece)) as client:
        for _ in range(pieces):
            time.sleep(pause)
            client.sendall(piece)

        assert b" 200 " in client.recv(1000)


def test_a_long_answer_comes_whole(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/long")

    assert len(connection.getresponse().read()) == LONG // 65_536 * 65_536
    connection.close()


def test_the_server_s_own_time_is_not_the_client_s(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/waits")

    assert connection.getresponse().read() == b"firstlast"
    connection.close()
