"""Make the data of bench.search, and ask a fixed store while the table grows."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.search_data import PEOPLE, Loader, Server, Store, Vectors, strangers
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import (
    Statement,
    add_memory,
    ensure_person,
    ensure_shared_store,
)
from tenants.isolation.scope import tenant_scope
from tests.builders import make_tenant

LARGE = "large"
GROWTH = (100_000, 300_000, 1_000_000, 3_000_000)
_TENANTS = 2_000


def build(
    folder: Path,
    server: Server,
    *,
    passages: int,
    large: int,
    ask: Callable[[dict[str, Any]], float],
) -> dict[str, Any]:
    """Make the data; on the way, `ask` the fixed store at each size of the table."""
    tenant = make_tenant()
    vectors, stores, people = Vectors(3), {}, {**PEOPLE, LARGE: large}
    with tenant_scope(tenant.id):
        for name, count in people.items():
            row = (
                ensure_shared_store(slug=LARGE)
                if name == LARGE
                else personal_store(person=ensure_person(external_id=name))
            )
            memory = add_memory(store=row, statement=Statement(text="What all say."))
            stores[name] = Store(
                tenant.id, row.id, count, vectors.topics(200), memory.id, kept=name
            )
    manifest: dict[str, Any] = {
        "tenant": str(tenant.id),
        "stores": {name: str(store.id) for name, store in stores.items()},
        "growth": {},
    }
    loader = Loader(server, seed=11)
    mine = sum(people.values())
    rest = strangers(_TENANTS, passages=max(0, passages - mine))
    loaded, begun = 0, time.monotonic()
    for size, part in _parts(list(stores.values()), rest):
        loader.load(part)
        loaded += sum(store.passages for store in part)
        keep(folder, loader)
        print(f"  {loaded:,} passages after {time.monotonic() - begun:.0f} s", flush=True)
        _settle(server)
        if size:
            manifest["growth"][str(loaded)] = ask(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return manifest


def _parts(mine: list[Store], rest: list[Store]) -> list[tuple[bool, list[Store]]]:
    """Who is loaded together, so that the table has the sizes of GROWTH on the way."""
    small = [store for store in mine if store.kept not in ("50k", LARGE)]
    late = [store for store in mine if store not in small]
    parts: list[tuple[bool, list[Store]]] = []
    waiting, part, loaded = [*late, *rest], small, sum(store.passages for store in small)
    for size in GROWTH:
        while waiting and loaded + waiting[-1].passages <= size:
            store = waiting.pop()
            part = [*part, store]
            loaded += store.passages
        while waiting and loaded < size * 0.95 and size >= loaded + waiting[0].passages:
            store = waiting.pop(0)
            part = [*part, store]
            loaded += store.passages
        if part:
            parts.append((True, part))
        part = []
    return [*parts, *([(True, waiting)] if waiting else [])]


def keep(folder: Path, loader: Loader) -> None:
    """Write down what was loaded of the stores that are asked."""
    for name, parts in loader.kept.items():
        np.save(folder / f"{name}.ids.npy", np.concatenate([ids for ids, _ in parts]))
        np.save(folder / f"{name}.vectors.npy", np.concatenate([rows for _, rows in parts]))


def _settle(server: Server) -> None:
    """As vacuum would have it after a while."""
    with server.superuser() as connection:
        connection.execute("CHECKPOINT")
        for table in ("ingestion_passage", "ingestion_passagevector", "ingestion_passagetoken"):
            connection.execute(f"VACUUM (ANALYZE) {table}")
