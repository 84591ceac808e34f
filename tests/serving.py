"""The WSGI application behind a real socket on loopback, each request in a thread of its own."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connections


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the wire. Header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Address:
    """Where the application listens."""

    host: str
    port: int

    def ask(
        self,
        method: str,
        path: str,
        *,
        key: str,
        body: object = None,
        kind: str = "application/json",
        **headers: str,
    ) -> Reply:
        """One request on a connection of its own. `body`: bytes as they are, or what JSON holds."""
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        said = {"Authorization": f"Bearer {key}", "Content-Type": kind}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body=sent, headers=said)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A bare connection, for what no client would do."""
        return socket.create_connection((self.host, self.port), timeout=60)


class _Handler(WSGIRequestHandler):
    """One request per connection, and silence; the database connection ends with the thread."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def finish(self) -> None:
        super().finish()
        connections.close_all()


@contextmanager
def served() -> Iterator[Address]:
    """The application, until the body ends."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Handler)
    server.set_app(WSGIHandler())
    server.daemon_threads = False  # closing it waits for the answers under way
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Address("127.0.0.1", int(server.server_address[1]))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
