"""A receiver of webhooks on loopback, over real TLS, with a certificate authority of its own."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Received:
    """One call, as it came."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass
class Receiver:
    """Where it listens, what it was told, and what it answers next (200, once it has run out)."""

    port: int
    authority: Path  # PEM
    calls: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None  # done before it answers

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hooks?of=acme"

    @property
    def inside(self) -> list[str]:
        """What an operator sets so that it may be called."""
        return [f"localhost:{self.port}"]


@contextmanager
def over_tls(
    certificate: Path, handler: type[BaseHTTPRequestHandler], *, daemon_threads: bool
) -> Iterator[int]:
    """A server on loopback with a new certificate, until the body ends; gives its port.

    Args:
        daemon_threads: whether it ends without waiting for the answers under way.
    """
    write_certificate(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = daemon_threads
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """A receiver, until the body ends."""
    certificate = folder / "receiver.pem"
    with over_tls(certificate, _Handler, daemon_threads=False) as port:
        receiver = Receiver(port, certificate)
        _Handler.receivers[port] = receiver
        yield receiver


class _Handler(BaseHTTPRequestHandler):
    receivers: dict[int, Receiver] = {}

    def do_POST(self) -> None:
        receiver = self.receivers[self.server.server_address[1]]  # type: ignore[index]  # it is a pair
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.calls.append(Received(self.path, headers, body))
        receiver.meanwhile()
        status, more = receiver.answers.pop(0) if receiver.answers else (200, {})
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"what the receiver says is nobody's business")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def write_certificate(path: Path) -> None:
    """For `localhost`, signed by itself, with its key; good for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
