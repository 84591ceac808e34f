"""How long a slow client may hold a thread of the web: a while, and then as long as what has passed
between the two would take at a slow rate.

A thread that waits for a client cannot look at a clock. Another one does, once a second, and ends
the waiting by shutting the connection down. What a server does meanwhile for itself does not count.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LEAST_BYTES_A_SECOND = 32 * 1024  # a quarter of a megabit
PATIENCE_SECONDS = 20.0  # besides, for one request in all
_LOOK_SECONDS = 1.0
_SOCKET = "gunicorn.socket"  # what Gunicorn calls the connection, among what it tells of a request

_Clock: TypeAlias = Callable[[], float]


class TooSlow(OSError):
    """A client took too long to send; what it had sent is given up."""


@dataclass(eq=False, slots=True)
class Wait:
    """A thread that waits for a client: until when, and how it is ended then."""

    connection: socket.socket
    how: int  # socket.SHUT_…
    until: float
    is_over: bool = False


class Watch:
    """Ends waits. Thread-safe; a forked child has a watch of its own."""

    def __init__(
        self, *, look_seconds: float = _LOOK_SECONDS, clock: _Clock = time.monotonic
    ) -> None:
        self._look_seconds, self._clock = look_seconds, clock
        self._thread: threading.Thread | None = None
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def begin(self, connection: socket.socket, how: int, *, seconds: float) -> Wait:
        """From now on, so long at most."""
        wait = Wait(connection, how, self._clock() + seconds)
        with self._changed:
            self._waits.add(wait)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True)
                self._thread.start()
            elif len(self._waits) == 1:
                self._changed.notify()
        return wait

    def end(self, wait: Wait) -> None:
        """The client did what it should. Afterwards its connection is left alone."""
        with self._changed:
            self._waits.discard(wait)

    def _start_anew(self) -> None:
        self._changed = threading.Condition()
        self._waits: set[Wait] = set()
        self._thread = None

    def _look(self) -> None:
        while True:
            with self._changed:
                while not self._waits:
                    self._changed.wait()
                now = self._clock()
                for wait in [wait for wait in self._waits if wait.until <= now]:
                    _shut_down(wait)
                    self._waits.discard(wait)
            time.sleep(self._look_seconds)


@dataclass
class Pace:
    """What one request has waited for its client so far, and how much has passed meanwhile."""

    connection: socket.socket
    watch: Watch
    patience_seconds: float = PATIENCE_SECONDS
    least_bytes_a_second: float = LEAST_BYTES_A_SECOND
    _spent: float = field(default=0.0, init=False)  # seconds
    _moved: int = field(default=0, init=False)  # bytes
    _began: float = field(default=0.0, init=False)

    def begin(self, how: int, *, expected_bytes: int) -> Wait:
        """The client has the turn, until so many bytes have passed."""
        self._began = time.monotonic()
        enough = (self._moved + expected_bytes) / self.least_bytes_a_second
        left = max(0.0, self.patience_seconds + enough - self._spent)
        return self.watch.begin(self.connection, how, seconds=left)

    def end(self, wait: Wait, *, moved_bytes: int) -> None:
        """It is the server's turn again."""
        self.watch.end(wait)
        self._spent += time.monotonic() - self._began
        self._moved += moved_bytes


class PacedInput:
    """The body of a request as WSGI gives it, of a client that must go on sending."""

    def __init__(self, stream: IO[bytes], pace: Pace, *, length: int) -> None:
        self._stream, self._pace, self._left = stream, pace, length

    def read(self, size: int = -1) -> bytes:
        """As of any stream.

        Raises:
            TooSlow
        """
        return self._taken(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        """As of any stream.

        Raises:
            TooSlow
        """
        return self._taken(self._stream.readline, size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _taken(self, take: Callable[[int], bytes], size: int) -> bytes:
        asked = self._left if size < 0 else min(size, self._left)
        wait = self._pace.begin(socket.SHUT_RD, expected_bytes=asked)
        taken = b""
        try:
            taken = take(size)
        finally:
            self._pace.end(wait, moved_bytes=len(taken))
        if wait.is_over:
            raise TooSlow
        self._left -= len(taken)
        return taken


class PacedBody:
    """An answer, for a client that must go on reading."""

    def __init__(self, parts: Iterable[bytes], pace: Pace) -> None:
        self._whole, self._parts, self._pace = parts, iter(parts), pace
        self._wait: Wait | None = None
        self._given = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._rest()
        part = next(self._parts)
        self._given = len(part)
        self._wait = self._pace.begin(socket.SHUT_RDWR, expected_bytes=self._given)
        return part

    def close(self) -> None:
        """The server calls it, however the answer ended."""
        self._rest()
        if hasattr(self._whole, "close"):
            self._whole.close()

    def _rest(self) -> None:
        wait, self._wait = self._wait, None
        if wait is not None:
            self._pace.end(wait, moved_bytes=self._given)


def paced(application: WSGIApplication, *, watch: Watch | None = None, **bounds: float) -> Any:
    """The application, for clients that keep up. `bounds` are those of `Pace`.

    Under a server that does not hand over the connection nothing is watched.
    """
    watch = watch or Watch()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ.get(_SOCKET)
        if connection is None:
            return application(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length:
            incoming = Pace(connection, watch, **bounds)
            environ["wsgi.input"] = PacedInput(environ["wsgi.input"], incoming, length=length)
        parts = application(environ, start_response)
        return PacedBody(parts, Pace(connection, watch, **bounds))

    return answer


def _shut_down(wait: Wait) -> None:
    wait.is_over = True
    try:
        wait.connection.shutdown(wait.how)
    except OSError:  # it has gone by itself
        return
