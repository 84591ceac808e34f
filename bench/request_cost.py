"""The processor time of one request of each kind, through the real web process.

    PYTHONPATH=platform:. .venv/bin/python -m bench.request_cost

One request at a time, over one connection; the workers stand still meanwhile, and are then given
the time to do what was added. Prints one table.
"""

import argparse
import http.client
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.load import MEMORIES, fill, sentence
from bench.processes import Usage, paused
from bench.tour import running

TENANTS = 20
TIMES = 300  # of each kind
_QUIET_SECONDS = 3
_WORKERS = ("worker-bulk", "worker-interactive", "worker-erasure", "relay", "sweep")
Ask = Callable[[int], None]


class Asker:
    """One kept connection."""

    def __init__(self, port: int, keys: list[str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._keys = keys

    def ask(self, number: int, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """One request of one of the tenants."""
        headers = {"Authorization": f"Bearer {self._keys[number % len(self._keys)]}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = json.dumps(body) if body is not None else None
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status}")


def kinds(asker: Asker) -> dict[str, Ask]:
    """What is asked."""

    def search(number: int, *, question: int) -> None:
        chance = random.Random(f"question {question}")  # noqa: S311 — words, no secret
        body = {"query": sentence(chance, words=4)}
        asker.ask(number, "POST", "/api/v1/memories/search", body)

    def add(number: int) -> None:
        chance = random.Random(f"memory {number}")  # noqa: S311
        body = {"text": sentence(chance), "person": "someone"}
        asker.ask(number, "POST", "/api/v1/memories", body)

    return {
        "nothing (/livez)": lambda number: asker.ask(number, "GET", "/livez"),
        "one organization (usage)": lambda number: asker.ask(number, "GET", "/api/v1/people"),
        "list of 20": lambda number: asker.ask(number, "GET", "/api/v1/memories?limit=20"),
        "search, a new question": lambda number: search(number, question=number),
        "search, asked before": lambda number: search(number, question=number % TENANTS),
        "add": add,
    }


def measure(ask: Ask, usage: Usage, *, times: int) -> dict[str, float]:
    """Milliseconds of one request: of the processor by group, and of the wall."""
    for number in range(-TENANTS, 0):  # connections, caches
        ask(number)
    before, began = usage.look(), time.monotonic()
    for number in range(times):
        ask(number)
    wall = time.monotonic() - began
    after = usage.look()
    spent = {name: (after[name] - before.get(name, 0)) * 1000 / times for name in after}
    return spent | {"wall": wall * 1000 / times}


def drain(usage: Usage, *, added: int) -> dict[str, float]:
    """The same of what each addition leaves to the workers."""
    before = now = usage.look()
    while True:
        time.sleep(_QUIET_SECONDS)
        last, now = now, usage.look()
        if now["worker-bulk"] - last["worker-bulk"] < 0.05 * _QUIET_SECONDS:
            return {name: (now[name] - before.get(name, 0)) * 1000 / added for name in now}


def show(rows: dict[str, dict[str, float]]) -> None:
    """The table."""
    print("| one request | web, CPU ms | PostgreSQL, CPU ms | both | wall ms |")
    print("| --- | --- | --- | --- | --- |")
    for name, spent in rows.items():
        web, database = spent["web"], spent["postgres"]
        wall = f"{spent['wall']:.1f}" if "wall" in spent else ""
        print(f"| {name} | {web:.1f} | {database:.1f} | {web + database:.1f} | {wall} |")


def main() -> None:
    """Start, fill, ask, stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--wait", action="store_true", help="for Enter, before asking")
    wanted = parser.parse_args()
    usage = Usage()
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as operator:
        keys = fill(operator, TENANTS)
        usage.look()
        drain(usage, added=TENANTS * MEMORIES)
        if wanted.wait:
            print(operator.base, usage.pids("web"), "\n".join(keys), sep="\n", flush=True)
            input()
        asker = Asker(int(operator.base.rsplit(":", 1)[1]), keys)
        rows = {}
        workers = [pid for name in _WORKERS for pid in usage.pids(name)]
        with paused(workers):
            for name, ask in kinds(asker).items():
                rows[name] = measure(ask, usage, times=wanted.times)
        left = drain(usage, added=wanted.times + TENANTS)
    show(rows)
    print(
        f"\nof each addition, later: bulk worker {left['worker-bulk']:.1f} ms, "
        f"PostgreSQL {left['postgres']:.1f} ms, relay {left['relay']:.1f} ms"
    )


if __name__ == "__main__":
    main()
