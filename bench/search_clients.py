"""Several clients at once, and the first question of a server that has read nothing yet.

Beside the clients two controls, on the same processors in the same minute: processes that only
count, and processes that only compare the same vectors in memory. Nothing that shares nothing can
gain more from a second process than they do.
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from bench.search_asking import Bench, questions
from bench.search_data import PEOPLE, Vectors, connect
from bench.search_peers import AS_PLANNED, DOCUMENT, FIVE, OURS, Way, parameters

_SECONDS, _TURNS = 2.5, 3
_SPIN, _MEMORY = "control: a loop in Python", "control: numpy over the same vectors"


@dataclass(frozen=True)
class _Client:
    """What one client asks, again and again. Goes to another process."""

    url: str
    way: Way
    tenant: str
    store: UUID
    seconds: float


def _connected(url: str, tenant: str) -> psycopg.Connection[Any]:
    connection = connect(url)
    connection.execute("SELECT set_config('app.tenant_id', %s, false)", [tenant])
    connection.execute("SET plan_cache_mode = force_custom_plan")
    return connection


def _ask(client: _Client) -> int:
    connection = _connected(client.url, client.tenant)
    asked = Vectors(os.getpid()).some(50, of=np.arange(40))
    done, until = 0, time.monotonic() + client.seconds
    while time.monotonic() < until:
        question = parameters(client.tenant, client.store, asked[done % 50])
        connection.execute(client.way.sql, question).fetchall()
        done += 1
    return done


def _spin(seconds: float) -> int:
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(10_000))
        done += 1
    return done


def _compare(path: str, seconds: float) -> int:
    stored = np.load(path).astype(np.float32)
    asked = Vectors(os.getpid()).some(50, of=np.arange(40))
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        np.argpartition(-(stored @ asked[done % 50]), 10)[:10]
        done += 1
    return done


def _rate(count: int, work: Callable[..., int], *arguments: Any) -> float:
    """How often a second `count` processes do something, the last argument being seconds."""
    with get_context("spawn").Pool(count) as pool:
        pool.starmap(work, [(*arguments[:-1], 0.2)] * count, 1)
        return sum(pool.starmap(work, [arguments] * count, 1)) / _SECONDS


def _ask_for(client: _Client, seconds: float) -> int:
    return _ask(replace(client, seconds=seconds))


def clients(bench: Bench) -> None:
    """Questions a second of 5,000 passages, from one process and from several.

    Each is asked in turns, and the median of the turns told: others' work comes and goes.
    """
    print("\n| what | clients | a second | × one |\n| --- | --- | --- | --- |")
    path = str(bench.folder / "5k.vectors.npy")
    work: dict[str, tuple[Callable[..., int], tuple[Any, ...], tuple[int, ...]]] = {
        _SPIN: (_spin, (), (1, 2)),
        _MEMORY: (_compare, (path,), (1, 2)),
    }
    for way in (OURS, FIVE):
        url = bench.server.cluster.app_url if way is OURS else bench.server.past_url
        client = _Client(url, way, bench.tenant, bench.store("5k"), _SECONDS)
        work[way.title] = (_ask_for, (client,), (1, 2, 4, 16) if way is OURS else (1, 2))
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(_TURNS):
        for title, (call, arguments, counts) in work.items():
            for count in counts:
                rate = _rate(count, call, *arguments, _SECONDS)
                rates.setdefault((title, count), []).append(rate)
    mid = {key: statistics.median(found) for key, found in rates.items()}
    for (title, count), rate in mid.items():
        print(f"| {title} | {count} | {rate:,.0f} | {rate / mid[title, 1]:.2f} |")
    gain = mid[OURS.title, 2] / mid[OURS.title, 1]
    control = mid[_SPIN, 2] / mid[_SPIN, 1]
    bench.hold("two clients", "≥", 1.8, gain)
    bench.hold("two clients, against two loops in Python", "≥", 0.95, gain / control)


def cold(bench: Bench) -> None:
    """The first question after the server was stopped and its files left the page cache."""
    print("\n| passages | table | first question, cold, ms | the same again |")
    print("| --- | --- | --- | --- |")
    for name in ("1k", "10k", "50k"):
        for way in (OURS, AS_PLANNED, FIVE, DOCUMENT):
            if name == "50k" and way is not OURS:
                continue  # half a minute each
            _forget(bench)
            is_ours = way is OURS
            url = bench.server.cluster.app_url if is_ours else bench.server.past_url
            connection = _connected(url, bench.tenant)
            ask = _asker(bench, connection, way)
            ask("100")  # the catalogue is read
            first, again = ask(name), ask(name)
            print(f"| {PEOPLE[name]:,} | {way.title} | {first:.1f} | {again:.1f} |")
            connection.close()


def _asker(bench: Bench, connection: psycopg.Connection[Any], way: Way) -> Callable[[str], float]:
    q = questions(bench, "1k")[0]

    def ask(name: str) -> float:
        question = parameters(bench.tenant, bench.store(name), q)
        begin = time.perf_counter()
        connection.execute(way.sql, question).fetchall()
        return (time.perf_counter() - begin) * 1e3

    return ask


def _forget(bench: Bench) -> None:
    """Stop the server, drop its files from the page cache, and start it again."""
    bench.server.server.stop()
    for path in (bench.server.server.places.data / "base").rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
    bench.server.server.start()
