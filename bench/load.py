"""Mixed load on a Souvenir of its own, over many tenants.

    PYTHONPATH=platform:. .venv/bin/python -m bench.load
    PYTHONPATH=platform:. .venv/bin/python -m bench.load --slow 500 --proxy --seconds 120

70 % of the requests are searches, 20 % additions, 10 % lists. They begin at fixed moments, whatever
the answers take (an open model), so that a server that stalls is seen to stall; a time runs from
the moment that was due. `--slow` does it twice: undisturbed, and beside so many connections that
send a header every few seconds and never the last. `--proxy` puts the chart's own proxy in front.
Each run's table is printed as soon as it is done. Some sentences have a word that nobody would log;
in the end all logs are searched for them.
"""

import argparse
import http.client
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.logs import look_through
from bench.processes import Usage, machine_busy_seconds, memory_mb, open_files
from bench.slow_clients import slow_clients
from bench.tour import Client, provision, running
from souvenir.config.embedded.postgres import SUPERUSER, EmbeddedPostgres
from souvenir.config.embedded.secrets_file import read_or_make_secrets
from tests.proxying import proxied

RATE = 50  # requests a second
TENANTS = 200
MEMORIES = 10  # of each tenant, before the load begins
MIX = (("search", 0.7), ("add", 0.2), ("list", 0.1))
WORDS = (
    *("maison", "jardin", "neige", "travail", "ville", "montagne", "musique", "café", "école"),
    *("house", "garden", "snow", "work", "town", "mountain", "music", "coffee", "school"),
)
PLANTED = ("quincaillerizv", "zephyrkaleidox", "éclairciezvé")  # no word of any log
_PLANTED_SHARE = 0.05  # of the sentences: such a word is long, and costs more to embed
WARM_SECONDS = 5  # asked before a run, and not counted: connections, keys, plans
_LOOK_SECONDS = 2.0
_DRAIN_SECONDS = 300.0


@dataclass
class Seen:
    """One run. Times in milliseconds, by kind of request."""

    name: str
    seconds: float = 0.0  # from the first moment that was due to the last answer
    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MB, of all web processes
    files: list[int] = field(default_factory=list)  # open descriptors of the same
    used: dict[str, float] = field(default_factory=dict)  # processor seconds, by group
    elsewhere: float = 0.0  # processor seconds that this machine worked for others
    backlog: tuple[int, int] = (0, 0)  # passages without a vector, before and after

    @property
    def every(self) -> list[float]:
        return [one for values in self.times.values() for one in values]


@dataclass(frozen=True)
class Load:
    """What is asked, of whom, how often."""

    keys: list[str]
    rate: float
    home: Path
    usage: Usage


def sentence(chance: random.Random, *, words: int = 12) -> str:
    """Words of both languages, at random; in some, one that is looked for in the logs."""
    chosen = chance.choices(WORDS, k=words)
    if chance.random() < _PLANTED_SHARE:
        chosen[0] = chance.choice(PLANTED)
    return " ".join(chosen)


def fill(operator: Client, tenants: int) -> list[str]:
    """Tenants, each with some memories. Gives their keys."""

    def one(number: int) -> str:
        _, client = provision(operator)
        chance = random.Random(number)  # noqa: S311 — words, no secret
        for _ in range(MEMORIES):
            client.post("memories", {"text": sentence(chance), "person": "someone"})
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
            body = {"text": sentence(chance), "person": "someone"}
            connection.request("POST", "/api/v1/memories", json.dumps(body), headers)
        else:
            body = {"query": sentence(chance, words=4)}
            connection.request("POST", "/api/v1/memories/search", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def ask_all(port: int, load: Load, *, seconds: float, seen: Seen) -> None:
    """Requests at fixed moments. Tenants are chosen by Zipf's law: a few ask for most of it."""
    chance = random.Random(seen.name)  # noqa: S311 — an order, no secret
    weights = [1 / (rank + 1) for rank in range(len(load.keys))]
    began = time.monotonic() + 0.5

    def one(number: int, key: str, kind: str) -> None:
        due = began + number / load.rate
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            status = _ask(port, key, kind, random.Random(f"{seen.name} {number}"))  # noqa: S311
        except (OSError, http.client.HTTPException) as error:
            seen.errors.append(type(error).__name__)
            return
        if status >= 400:
            seen.errors.append(str(status))
        seen.times.setdefault(kind, []).append((time.monotonic() - due) * 1000)

    with ThreadPoolExecutor(64) as pool:
        for number in range(int(seconds * load.rate)):
            (key,) = chance.choices(load.keys, weights)
            (kind,) = chance.choices([k for k, _ in MIX], [w for _, w in MIX])
            pool.submit(one, number, key, kind)


def watch(load: Load, stop: threading.Event, seen: Seen) -> None:
    """Memory and descriptors of the web, every few seconds."""
    while not stop.wait(_LOOK_SECONDS):
        load.usage.look()
        web = load.usage.pids("web")
        seen.memory.append(memory_mb(web))
        seen.files.append(open_files(web))


def backlog(home: Path) -> int:
    """Passages of everyone that have no vector yet."""
    password = read_or_make_secrets(home).passwords.superuser
    address = EmbeddedPostgres(home, password=password).address
    dsn = address.dsn(user=SUPERUSER, password=password, database="souvenir")
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT count(*) FROM ingestion_passage WHERE embedded_with = ''"
        ).fetchone()
    return int(found[0]) if found else 0


def drain(home: Path) -> float:
    """Wait until everything has its vector, or for so long. Gives the seconds."""
    began = time.monotonic()
    while backlog(home) and time.monotonic() - began < _DRAIN_SECONDS:
        time.sleep(1)
    return time.monotonic() - began


def run(name: str, port: int, load: Load, *, seconds: float, slow: int = 0) -> Seen:
    """One run, after a short one that is not counted."""
    seen, stop = Seen(name), threading.Event()
    with slow_clients(port, slow) if slow else nullcontext():
        ask_all(port, load, seconds=WARM_SECONDS, seen=Seen(f"{name}, warm"))
        waiting, before, busy = backlog(load.home), load.usage.look(), machine_busy_seconds()
        watcher = threading.Thread(target=watch, args=(load, stop, seen))
        watcher.start()
        began = time.monotonic()
        ask_all(port, load, seconds=seconds, seen=seen)
        seen.seconds = time.monotonic() - began
        after, busy = load.usage.look(), machine_busy_seconds() - busy
        stop.set()
        watcher.join()
    seen.used = {group: used - before.get(group, 0) for group, used in after.items()}
    seen.elsewhere = max(0.0, busy - sum(seen.used.values()))
    seen.backlog = waiting, backlog(load.home)
    return seen


def percentile(values: list[float], share: float) -> float:
    """Of unsorted values; not a number where there are none."""
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(seen: Seen) -> None:
    """The table of a run: times, and what it cost. At once: whatever comes next may be stopped."""
    print("| run | requests | number | p50 ms | p95 ms | p99 ms | worst ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, values in [*sorted(seen.times.items()), ("all", seen.every)]:
        shares = " | ".join(f"{percentile(values, share):.0f}" for share in (0.5, 0.95, 0.99))
        print(f"| {seen.name} | {kind} | {len(values)} | {shares} | {max(values):.0f} |")
    print(f"\n{seen.name}: " + "; ".join(_costs(seen)) + "\n", flush=True)


def show_ratio(undisturbed: Seen, beside: Seen) -> None:
    """How much longer the same takes beside slow clients."""
    for kind in [*sorted(undisturbed.times), "all"]:
        values = [one.every if kind == "all" else one.times[kind] for one in (beside, undisturbed)]
        ratio = percentile(values[0], 0.95) / percentile(values[1], 0.95)
        print(f"p95 of {kind}, {beside.name} against {undisturbed.name}: {ratio:.2f} times")
    print(flush=True)


def _costs(seen: Seen) -> list[str]:
    told = {kind: seen.errors.count(kind) for kind in sorted(set(seen.errors))}
    cores = sorted(seen.used.items(), key=lambda pair: -pair[1])
    busy = ", ".join(f"{name} {used / seen.seconds:.2f}" for name, used in cores if used > 0.1)
    half = len(seen.memory) // 2
    first, second = statistics.mean(seen.memory[:half]), statistics.mean(seen.memory[half:])
    return [
        f"answered a second {len(seen.every) / seen.seconds:.1f}",
        f"errors {told or 0}",
        f"processors busy {sum(seen.used.values()) / seen.seconds:.2f} ({busy})",
        f"processors busy for others on this machine {seen.elsewhere / seen.seconds:.2f}",
        f"web memory MB, first half and second {first:.0f}, {second:.0f}",
        f"web descriptors at most {max(seen.files[:half])}, {max(seen.files[half:])}",
        f"passages without a vector, before and after {seen.backlog[0]}, {seen.backlog[1]}",
    ]


def main() -> None:
    """Start, fill, load, stop; whoever asks this program to end has its Souvenir end too."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    os.environ["SOUVENIR_LOG_FORMAT"] = "json"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="of each run, 10 at least")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--slow", type=int, default=0, help="connections that never finish")
    parser.add_argument("--proxy", action="store_true", help="put the chart's nginx in front")
    wanted = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        operator = stack.enter_context(running(home))
        port = int(operator.base.rsplit(":", 1)[1])
        load = Load(fill(operator, wanted.tenants), wanted.rate, home, Usage())
        drain(home)
        if wanted.proxy:
            port = stack.enter_context(proxied(f"127.0.0.1:{port}", folder))
        undisturbed = run("undisturbed", port, load, seconds=wanted.seconds)
        show(undisturbed)
        if wanted.slow:
            drain(home)
            name = f"beside {wanted.slow} slow"
            beside = run(name, port, load, seconds=wanted.seconds, slow=wanted.slow)
            show(beside)
            show_ratio(undisturbed, beside)
        print(f"everything embedded {drain(home):.0f} s after the end\n")
        print(look_through(home, PLANTED), flush=True)


if __name__ == "__main__":
    main()
