"""How fast a question is, and what its tables cost: scopes, growth, clients, peers, and upkeep.

    OPENBLAS_NUM_THREADS=1 PYTHONPATH=platform:. .venv/bin/python -m bench.search FOLDER

The data is made once in FOLDER (which takes a while) and kept. What is timed is the statement that
search sends, as the run-time role, over a Unix socket; the embedding of the question is apart. Both
the wall's time and the processor's time of the server process are told: the latter is moved least
by other load on the machine. Half of the questions are *own*: near something that is there; half
are *cross*: about what this store never talks about, where an index that filters afterwards fails.

Beside it, in the same run: the same vectors in memory (numpy); the table that guides to pgvector
show, with the vector beside the text and one HNSW; and the table that mem0 OSS makes, with the
filter inside a JSON document. Those two are built by us, from what their documents say.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management import call_command

from bench.search_asking import (
    LIMIT,
    TO_TELL_P99,
    Bench,
    ask_exact,
    configure,
    questions,
    timed,
)
from bench.search_data import PEOPLE, Server, start

_NUMPY_BARS = {"1k": 20, "10k": 8, "50k": 8}
_LONG = frozenset({"vacuum-graph"})  # a quarter of an hour: only where it is asked for


def scopes(bench: Bench) -> None:
    """Latency by size of the store, beside the same matrix in memory."""
    print("\n| asked | what | p50 ms | p95 | p99 | CPU p50 | recall own | cross | rows | × numpy |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    connection = bench.app()
    for name in PEOPLE:
        _, stored = bench.kept(name)
        k = min(LIMIT, len(stored))
        calls = [
            lambda q=q, m=stored, k=k: np.argpartition(-(m @ q), k - 1)[:k]
            for q in questions(bench, name)
        ]
        floor, _ = timed(None, calls, rounds=TO_TELL_P99)
        ours, (own, cross), rows = ask_exact(bench, connection, name)
        ratio = ours.mid / max(floor.mid, 1e-3)
        print(f"| {len(stored):,} | numpy, in memory | {floor.line()} | 1 | 1 | {k} | 1 |")
        print(
            f"| {len(stored):,} | exact, index only | {ours.line()} | {own:.3f} | {cross:.3f} |"
            f" {rows} | {ratio:.1f} |"
        )
        bench.hold(f"recall, a person's {len(stored):,}", "≥", 1.0, min(own, cross))
        bench.hold(f"rows, a person's {len(stored):,}", "≥", k, rows)
        if name in _NUMPY_BARS:
            bench.hold(f"× numpy, {len(stored):,}", "≤", _NUMPY_BARS[name], ratio)


def growth_point(bench: Bench) -> float:
    """CPU p50 of the 5,000 passages, now."""
    connection = bench.app()
    time_, _, _ = ask_exact(bench, connection, "5k")
    connection.close()
    return float(time_.mid)


def main() -> None:
    """Make the data if it is not there, and print one table after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the data is kept")
    parser.add_argument("--passages", type=int, default=3_000_000)
    parser.add_argument("--large", type=int, default=500_000, help="passages of the shared store")
    parser.add_argument("--peers", type=int, default=1_000_000, help="rows of the peers' tables")
    parser.add_argument("--buffers", default="2GB", help="shared_buffers")
    parser.add_argument("--only", nargs="*", default=[], help="tables to print")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    server = start(folder, shared_buffers=arguments.buffers)
    configure(server, folder)
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    path = folder / "manifest.json"
    try:
        manifest = (
            json.loads(path.read_text()) if path.exists() else _built(folder, server, arguments)
        )
        _tables(Bench(folder, server, manifest), arguments)
    finally:
        server.server.stop()


def _built(folder: Path, server: Server, arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.search_build import build  # noqa: PLC0415 — it needs the settings

    return build(
        folder,
        server,
        passages=arguments.passages,
        large=arguments.large,
        ask=lambda manifest: growth_point(Bench(folder, server, manifest)),
    )


def _tables(bench: Bench, arguments: argparse.Namespace) -> None:
    # They need the settings.
    from bench import (  # noqa: PLC0415
        search_clients,
        search_costs,
        search_filters,
        search_large,
        search_peers,
        search_walls,
        search_words,
    )

    wanted: dict[str, Callable[[], None]] = {
        "scopes": lambda: scopes(bench),
        "growth": lambda: _growth(bench),
        "walls": lambda: search_walls.walls(bench),
        "promote": lambda: search_large.promote(bench),
        "narrowed": lambda: search_large.narrowed(bench),
        "hybrid": lambda: search_words.hybrid(bench),
        "filters": lambda: search_filters.filters(bench),
        "frequent": lambda: search_words.frequent(bench),
        "peers": lambda: search_peers.peers(bench, rows=arguments.peers),
        "clients": lambda: search_clients.clients(bench),
        "bytes": lambda: search_costs.sizes(bench),
        "insert": lambda: search_costs.insert(bench),
        "erase": lambda: search_costs.erase(bench),
        "vacuum": lambda: search_costs.vacuum(bench),
        "vacuum-graph": lambda: search_costs.vacuum_graph(bench),
        "cold": lambda: search_clients.cold(bench),
    }
    for name, table in wanted.items():
        if name in arguments.only or (not arguments.only and name not in _LONG):
            begin = time.monotonic()
            table()
            print(f"\n({name}: {time.monotonic() - begin:.0f} s)", flush=True)
    print("\n| what | bar | measured | |\n| --- | --- | --- | --- |")
    for bar in bench.bars:
        met = "met" if bar.is_met else "**missed**"
        print(f"| {bar.what} | {bar.bound} {bar.bar:g} | {bar.measured:,.3g} | {met} |")


def _growth(bench: Bench) -> None:
    print("\n| passages in the table | 5,000 passages, CPU p50 ms | × first |\n| --- | --- | --- |")
    found = bench.manifest["growth"]
    first = next(iter(found.values()))
    for size, mid in found.items():
        print(f"| {int(size):,} | {mid:.2f} | {mid / first:.2f} |")
    last = next(reversed(found.values()))
    print(f"| as it is today | {growth_point(bench):.2f} | |")
    bench.hold("5,000 passages while the table grows", "≤", 1.15, last / first)


if __name__ == "__main__":
    main()
