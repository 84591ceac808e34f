"""Which port of this machine to serve on."""

import errno
import socket
import time

from souvenir.config.embedded.errors import NoFreePort

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8700
_TRIES = 100
_LAST_PORT = 65_535
_POLL_SECONDS = 0.2
_UNUSABLE = (errno.EADDRINUSE, errno.EACCES)


def listen(wanted: int, *, patience_seconds: float = 0.0) -> socket.socket:
    """Listen on `wanted`, or on the next free port after it; on the loopback interface only.

    The socket is handed on to the web process, so nobody else can take the port in between.

    Args:
        wanted: 1 to 65535.
        patience_seconds: how long to wait for `wanted` itself, when its last holder is leaving.

    Raises:
        NoFreePort: all of the next hundred are taken.
    """
    deadline = time.monotonic() + patience_seconds
    while (first := _listen_on(wanted)) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    if first is not None:
        return first
    for port in range(wanted + 1, min(wanted + _TRIES, _LAST_PORT + 1)):
        if (found := _listen_on(port)) is not None:
            return found
    raise NoFreePort(port=wanted)


def _listen_on(port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Else a port stays taken for a minute after its last connection.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno in _UNUSABLE:
            return None
        raise
    return listener
