"""What row-level security costs: the same questions within the wall and past it."""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from pgvector import HalfVector

from bench.search_asking import Bench, cpu_ms, exact_sql, questions
from bench.search_data import PEOPLE
from bench.search_words import some_words, statement

_TURNS = {"1k": 40, "10k": 10}
_TO_WARM = 2  # questions of each turn, that are not counted


@dataclass(frozen=True)
class Asked:
    """One statement and its parameters."""

    sql: str
    parameters: dict[str, Any]


def walls(bench: Bench) -> None:
    """Each connection asks all questions in its turn, twice: one has the processor's caches.

    The control is the same connection past the wall against a second of its kind: what it differs
    from 1 by is noise.
    """
    print("\n| passages | what | CPU p50 ms with the wall | without | ratio | p50 | control |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    connections = bench.app(), bench.server.superuser(), bench.server.superuser()
    for connection in connections:  # on one processor, or its neighbours' work is compared
        os.sched_setaffinity(connection.info.backend_pid, {0})
    random = np.random.default_rng(6)
    for name in ("1k", "10k"):
        store, near, whole = bench.store(name), [], []
        for question in questions(bench, name):
            vector = {"q": HalfVector(question), "t": bench.tenant, "s": [store]}
            near.append(Asked(exact_sql(), vector))
            both = statement(bench, store, some_words(random, store), question, {})
            whole.append(Asked(both.sql, both.parameters))
        for what, asked in (("vectors", near), ("the whole statement", whole)):
            ours, bare, again = _in_turns(connections, asked * 2, _TURNS[name])
            (cpu, wall), (bare_cpu, bare_wall), (again_cpu, _) = ours, bare, again
            print(
                f"| {PEOPLE[name]:,} | {what} | {cpu:.3f} | {bare_cpu:.3f} | {cpu / bare_cpu:.3f} |"
                f" {wall / bare_wall:.3f} | {again_cpu / bare_cpu:.3f} |"
            )
            bench.hold(f"row-level security, {what}, {PEOPLE[name]:,}", "≤", 1.05, cpu / bare_cpu)


def _in_turns(
    connections: Sequence[psycopg.Connection[Any]], asked: list[Asked], turns: int
) -> list[tuple[float, float]]:
    """For each connection, over its turns, the median of the turns' medians: CPU, wall, in ms."""
    spent: list[list[tuple[float, float]]] = [[] for _ in connections]
    for turn in range(turns):
        for place in range(len(connections))[:: 1 if turn % 2 else -1]:
            connection, cpu, wall = connections[place], [], []
            for question in asked:
                before, begin = cpu_ms(connection), time.perf_counter()
                connection.execute(question.sql, question.parameters).fetchall()
                wall.append((time.perf_counter() - begin) * 1e3)
                cpu.append(cpu_ms(connection) - before)
            spent[place].append(
                (statistics.median(cpu[_TO_WARM:]), statistics.median(wall[_TO_WARM:]))
            )
    return [
        (statistics.median(cpu for cpu, _ in of_one), statistics.median(wall for _, wall in of_one))
        for of_one in spent
    ]
