"""A reranker on loopback, over real TLS, which speaks both dialects and can be told to fail."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.receiving import over_tls


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
    with over_tls(certificate, _Handler, daemon_threads=True) as port:
        fake = FakeReranker(port, certificate)
        _Handler.fakes[port] = fake
        yield fake


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
