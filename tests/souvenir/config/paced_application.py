"""What the tests of slow clients serve with Gunicorn: takes bodies, gives long answers, waits."""

import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

from souvenir.config.pacing import TooSlow, Watch, paced

PATIENCE_SECONDS = 1.0
LEAST_BYTES_A_SECOND = 100_000
LONG = 40 * 1024 * 1024  # more than the sockets of both sides hold
_PART = b"x" * 65_536


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/long":
        start_response("200 OK", [("Content-Length", str(LONG))])
        return (_PART for _ in range(LONG // len(_PART)))
    if environ["PATH_INFO"] == "/waits":
        start_response("200 OK", [])
        return _waiting()
    try:
        length = len(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    except TooSlow:
        start_response("408 Too Slow", [("Content-Length", "0")])
        return []
    start_response("200 OK", [("Content-Length", "8")])
    return [b"%8d" % length]


def _waiting() -> Iterator[bytes]:
    yield b"first"
    time.sleep(3 * PATIENCE_SECONDS)
    yield b"last"


application = paced(
    _answer,
    watch=Watch(look_seconds=0.05),
    patience_seconds=PATIENCE_SECONDS,
    least_bytes_a_second=LEAST_BYTES_A_SECOND,
)
