"""Clients that never finish what they begin to say."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PAUSE_SECONDS = 5
_GATHER_SECONDS = 3


@contextmanager
def slow_clients(port: int, number: int) -> Iterator[None]:
    """Connections that never finish their headers, each opened again when it is cut."""
    stop = threading.Event()
    thread = threading.Thread(target=_drip, args=(port, number, stop))
    thread.start()
    time.sleep(_GATHER_SECONDS)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _drip(port: int, number: int, stop: threading.Event) -> None:
    held: list[socket.socket] = []
    while not stop.is_set():
        held = [one for one in held if _say(one, b"X-a: b\r\n")]
        while len(held) < number and not stop.is_set():
            try:
                one = socket.create_connection(("127.0.0.1", port), timeout=2)
            except OSError:
                break
            one.settimeout(0.5)
            if _say(one, b"GET /api/v1/memories HTTP/1.1\r\nHost: localhost\r\n"):
                held.append(one)
        stop.wait(_PAUSE_SECONDS)
    for one in held:
        one.close()


def _say(one: socket.socket, words: bytes) -> bool:
    """Whether it could be said; if not, the connection is closed."""
    try:
        one.send(words)
    except OSError:
        one.close()
        return False
    return True
