"""Mixed load on a Souvenir of its own, over many tenants.

    PYTHONPATH=platform:. .venv/bin/python -m bench.load --seconds 120
    PYTHONPATH=platform:. .venv/bin/python -m bench.load --seconds 60 --slow 500
    PYTHONPATH=platform:. .venv/bin/python -m bench.load --seconds 60 --slow 500 --proxy

70 % of the requests are searches, 20 % additions, 10 % lists. They begin at fixed moments, whatever
the answers take (an open model), so that a server that stalls is seen to stall. `--slow` holds so
many connections open beside it, each of which sends a header every few seconds and never the last;
`--proxy` puts nginx in front, as an ingress does. Prints one table.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench.tour import Client, provision, running

RATE = 50  # requests a second
TENANTS = 200
MEMORIES = 10  # of each tenant, before the load begins
MIX = (("search", 0.7), ("add", 0.2), ("list", 0.1))
WORDS = (
    *("maison", "jardin", "neige", "travail", "ville", "montagne", "musique", "café", "école"),
    *("house", "garden", "snow", "work", "town", "mountain", "music", "coffee", "school"),
)


@dataclass
class Seen:
    """What was measured. Times in milliseconds, by kind of request."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MB, of all web processes
    files: list[int] = field(default_factory=list)  # open descriptors of the same


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=12))


def fill(operator: Client, tenants: int) -> list[str]:
    """Tenants, each with some memories. Gives their keys."""

    def one(number: int) -> str:
        _, client = provision(operator)
        chance = random.Random(number)  # noqa: S311 — words, no secret
        for _ in range(MEMORIES):
            client.post("memories", {"text": _sentence(chance), "person": "someone"})
        return client.key

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(tenants)))


def _ask(port: int, key: str, kind: str, chance: random.Random) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        if kind == "list":
            connection.request("GET", "/api/v1/memories?limit=20", headers=headers)
        elif kind == "add":
            body = {"text": _sentence(chance), "person": "someone"}
            connection.request("POST", "/api/v1/memories", json.dumps(body), headers)
        else:
            body = {"query": " ".join(chance.choices(WORDS, k=4))}
            connection.request("POST", "/api/v1/memories/search", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def load(port: int, keys: list[str], *, seconds: float, rate: float, seen: Seen) -> None:
    """Requests at fixed moments. Tenants are chosen by Zipf's law: a few ask for most of it."""
    chance = random.Random(1)  # noqa: S311 — an order, no secret
    weights = [1 / (rank + 1) for rank in range(len(keys))]
    began = time.monotonic() + 0.5

    def one(number: int, key: str, kind: str) -> None:
        due = began + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            status = _ask(port, key, kind, random.Random(number))  # noqa: S311
        except (OSError, http.client.HTTPException) as error:
            seen.errors.append(type(error).__name__)
            return
        if status >= 400:
            seen.errors.append(str(status))
        seen.times.setdefault(kind, []).append((time.monotonic() - due) * 1000)

    with ThreadPoolExecutor(64) as pool:
        for number in range(int(seconds * rate)):
            (key,) = chance.choices(keys, weights)
            (kind,) = chance.choices([k for k, _ in MIX], [w for _, w in MIX])
            pool.submit(one, number, key, kind)


def _web_processes(home: str) -> list[int]:
    """Gunicorn's, of the Souvenir in `home`, by what /proc tells."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
                is_ours = home.encode() in (folder / "environ").read_bytes()
            except OSError:
                continue
            if is_ours and b"souvenir.config.wsgi" in command:
                found.append(int(folder.name))
    return found


def watch(processes: list[int], stop: threading.Event, seen: Seen) -> None:
    """Memory and descriptors of the web, every few seconds."""
    page = os.sysconf("SC_PAGE_SIZE") / 1e6
    while not stop.wait(2):
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in processes]
        seen.memory.append(sum(pages) * page)
        seen.files.append(sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in processes))


@contextmanager
def slow_clients(port: int, number: int) -> Iterator[None]:
    """Connections that never finish their headers, each opened again when it is cut."""
    stop = threading.Event()
    thread = threading.Thread(target=_drip, args=(port, number, stop))
    thread.start()
    time.sleep(3)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _drip(port: int, number: int, stop: threading.Event) -> None:
    held: list[socket.socket] = []
    while not stop.is_set():
        alive = []
        for one in held:
            try:
                one.send(b"X-a: b\r\n")
                alive.append(one)
            except OSError:
                one.close()
        held = alive
        while len(held) < number and not stop.is_set():
            try:
                one = socket.create_connection(("127.0.0.1", port), timeout=2)
                one.settimeout(0.5)
                one.send(b"GET /api/v1/memories HTTP/1.1\r\nHost: localhost\r\n")
                held.append(one)
            except OSError:
                break
        stop.wait(5)
    for one in held:
        one.close()


@contextmanager
def proxy(folder: Path, port: int) -> Iterator[int]:
    """nginx as an ingress has it: it takes a request in before it passes it on."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;"
        "events { worker_connections 2048; } http { access_log off; client_header_timeout 10s;"
        f"client_body_timeout 30s; {temporary} server {{ listen 127.0.0.1:{own};"
        f"location / {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $host; }} }} }}"
    )
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-e", folder / "log"])  # noqa: S603
    time.sleep(1)
    try:
        yield own
    finally:
        process.terminate()
        process.wait(10)


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(seen: Seen, *, seconds: float) -> None:
    """The table."""
    print("| requests | number | p50 ms | p95 ms | p99 ms |")
    print("| --- | --- | --- | --- | --- |")
    every = [one for values in seen.times.values() for one in values]
    for kind, values in [*sorted(seen.times.items()), ("all", every)]:
        shares = " | ".join(f"{_percentile(values, share):.0f}" for share in (0.5, 0.95, 0.99))
        print(f"| {kind} | {len(values)} | {shares} |")
    told = {kind: seen.errors.count(kind) for kind in sorted(set(seen.errors))}
    print(f"\nanswered a second: {len(every) / seconds:.1f}; errors: {told or 0}")
    half = len(seen.memory) // 2
    if half:
        first, second = statistics.mean(seen.memory[:half]), statistics.mean(seen.memory[half:])
        print(f"web memory MB, first half and second: {first:.0f}, {second:.0f}")
        files = (max(seen.files[:half]), max(seen.files[half:]))
        print(f"web descriptors at most, first half and second: {files[0]}, {files[1]}")


def main() -> None:
    """Start, fill, load, stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--slow", type=int, default=0, help="connections that never finish")
    parser.add_argument("--proxy", action="store_true", help="put nginx in front")
    wanted = parser.parse_args()
    seen = Seen()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with running(Path(home)) as operator:
            own_port = int(operator.base.rsplit(":", 1)[1])
            keys = fill(operator, wanted.tenants)
            stop = threading.Event()
            watcher = threading.Thread(target=watch, args=(_web_processes(home), stop, seen))
            watcher.start()
            with proxy(Path(folder), own_port) if wanted.proxy else nullcontext(own_port) as port:
                slow = slow_clients(port, wanted.slow) if wanted.slow else nullcontext()
                with slow:
                    load(port, keys, seconds=wanted.seconds, rate=wanted.rate, seen=seen)
            stop.set()
            watcher.join()
    show(seen, seconds=wanted.seconds)


if __name__ == "__main__":
    main()
