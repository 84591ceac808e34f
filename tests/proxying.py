"""The chart's own proxy, in front of an address of ours: the same file, filled in for here."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIGURATION = Path(__file__).resolve().parents[1] / "helm" / "souvenir" / "proxy" / "nginx.conf"
_LOOK_SECONDS, _PATIENCE_SECONDS = 0.05, 10.0


def nginx() -> str | None:
    """The program; None: it is not installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def configuration(**filled: object) -> str:
    """The file, with its words between @ signs filled in."""
    text = _CONFIGURATION.read_text(encoding="utf-8")
    for name, value in filled.items():
        text = text.replace(f"@{name}@", str(value))
    return text


@contextmanager
def proxied(
    upstream: str,
    folder: Path,
    *,
    body_bytes: int = 6_000_000,
    upload_bytes: int = 6_000_000_000,
    uploads: int = 4,
) -> Iterator[int]:
    """nginx in front of `upstream` (host:port, or unix:path); gives the port that it listens on."""
    program = nginx()
    if program is None:
        msg = "nginx is not installed"
        raise FileNotFoundError(msg)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    text = configuration(
        scratch=folder,
        listen=f"127.0.0.1:{port}",
        upstream=upstream,
        body_bytes=body_bytes,
        upload_bytes=upload_bytes,
        uploads=uploads,
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    # Started by root it would become somebody else, who may not enter the folder.
    as_whom = ["-g", "user root;"] if os.geteuid() == 0 else []
    command = [program, "-e", "stderr", "-c", str(folder / "nginx.conf"), *as_whom]
    process = subprocess.Popen(command)  # noqa: S603
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=_PATIENCE_SECONDS)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_LOOK_SECONDS)
        else:
            return
    msg = "nginx did not start"
    raise RuntimeError(msg)
