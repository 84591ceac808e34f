"""A reranker on loopback, over real TLS, which speaks both dialects and can be told to fail."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.receiving import write_certificate


def scored(body: dict[str, Any]) -> object:
    """A good answer: the shorter a text, the better it is. In the dialect of the question."""
    texts = body.get("texts") or body["documents"]
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    entries = [(index, 1 / (1 + len(texts[index]))) for index in order]
    if "texts" in body:
        return [{"index": index, "score": score} for index, score in entries]
    results = [{"index": index, "relevance_score": score} for index, score in entries]
    return {"id": "r-1", "results": results, "meta": {}}


@dataclass
class FakeReranker:
    """Where it listens, what it was asked, and how it answers: by default, shortest text first."""

    port: int
    authority: Path  # PEM
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    seconds: float = 0.0
    answer: Callable[[dict[str, Any]], object] = scored
    meanwhile: Callable[[], object] = lambda: None

    def url(self, path: str = "/rerank") -> str:
        """Its address."""
        return f"https://localhost:{self.port}{path}"


@contextmanager
def reranking(folder: Path) -> Iterator[FakeReranker]:
    """A reranker, until the body ends."""
    certificate = folder / "reranker.pem"
    write_certificate(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    fake = FakeReranker(server.server_address[1], certificate)
    _Handler.fakes[fake.port] = fake
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    fakes: dict[int, FakeReranker] = {}

    def do_POST(self) -> None:
        fake = self.fakes[self.server.server_address[1]]  # type: ignore[index]  # it is a pair
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        fake.asked.append((self.path, headers, body))
        fake.meanwhile()
        time.sleep(fake.seconds)
        said = fake.answer(body)
        answer = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(fake.status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
