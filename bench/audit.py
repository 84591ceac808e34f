"""The audit log: what recording costs those who work, and how long it takes to prove things.

    PYTHONPATH=platform:. .venv/bin/python -m bench.audit [--entries 100000]

The control takes its number in the business transaction, behind a lock held to the commit: what a
log without an outbox would do. Prints one table.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from random import Random
from uuid import UUID, uuid4

from django.core.management import call_command
from django.db import connection

import bench.own_souvenir  # noqa: F401 — before anything that has models
from souvenir.audit.actions import Action
from souvenir.audit.entries import Event
from souvenir.audit.models import Checkpoint, Entry, Waiting
from souvenir.audit.selectors import consistency_proof, inclusion_proof, tree_size
from souvenir.audit.services import make_checkpoints, record
from tenants.isolation.scope import tenant_scope
from tenants.services import create_organization

_THREADS = 20
_EACH = 30
_WORK_SECONDS = 0.02  # what else a business transaction does after it has recorded
_AT_ONCE = 1_000
Record = Callable[[UUID], None]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    entries = parser.parse_args().entries
    organization, _ = create_organization(slug="audit", name_en="A", name_fr="B", placement="local")
    print("| what | result |\n| --- | --- |")
    for name, how in (("nothing recorded", _nothing), ("recorded", _record), ("control", _locked)):
        tell(f"{_THREADS} at once, {name}", transactions(organization.id, how))
    make_checkpoints()
    fill(organization.id, entries - tree_size())
    began = time.perf_counter()
    placed = make_checkpoints()
    seconds = time.perf_counter() - began
    tell(f"{placed:,} entries placed and signed", f"{seconds:.1f} s ({placed / seconds:,.0f}/s)")
    prove()
    began, said = time.perf_counter(), StringIO()
    call_command("verify_audit", stdout=said)
    tell(f"all verified: “{said.getvalue().strip()}”", f"{time.perf_counter() - began:.1f} s")


def tell(what: str, result: str) -> None:
    print(f"| {what} | {result} |", flush=True)


def transactions(organization_id: UUID, how: Record) -> str:
    """Business transactions of many at once, and how long each took."""

    def work(_: int) -> list[float]:
        taken = []
        for _ in range(_EACH):
            began = time.perf_counter()
            with tenant_scope(organization_id):
                how(organization_id)
                time.sleep(_WORK_SECONDS)
            taken.append(1000 * (time.perf_counter() - began))
        connection.close()
        return taken

    began = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        found = sorted(one for some in pool.map(work, range(_THREADS)) for one in some)
    seconds = time.perf_counter() - began
    p50, p99 = statistics.median(found), found[int(0.99 * len(found))]
    return f"{len(found) / seconds:,.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms"


def _nothing(_: UUID) -> None:
    """Only the scope and the work."""


def _event(organization_id: UUID) -> Event:
    return Event(action=Action.KEY_ISSUED, object=f"key:{uuid4()}", organization_id=organization_id)


def _record(organization_id: UUID) -> None:
    record(_event(organization_id))


def _locked(organization_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1)")
    record(_event(organization_id))


def fill(organization_id: UUID, number: int) -> None:
    """Entries by the thousand, past `record`: what is measured here is what comes after it."""
    with tenant_scope(organization_id):
        record(_event(organization_id))
        model = Entry.objects.filter(organization_id=organization_id).latest("at")
    for first in range(1, number, _AT_ONCE):
        found, waiting = [], []
        for _ in range(min(_AT_ONCE, number - first)):
            entry = Entry(
                **{name: getattr(model, name) for name in model.__dict__ if name[0] != "_"}
            )
            entry.id = uuid4()
            entry.leaf_hash = entry.facts.leaf_hash()
            found.append(entry)
            waiting.append(
                Waiting(
                    entry_id=entry.id,
                    organization_id=organization_id,
                    at=entry.at,
                    leaf_hash=entry.leaf_hash,
                )
            )
        with tenant_scope(organization_id):
            Entry.objects.bulk_create(found)
            Waiting.objects.bulk_create(waiting)


def prove() -> None:
    """Proofs of entries and of growth, chosen at random, as a request makes them."""
    chance, size = Random(1), tree_size()  # noqa: S311 — no secret
    sizes = list(Checkpoint.objects.values_list("size", flat=True))
    kinds: dict[str, Callable[[], object]] = {
        "an inclusion proof": lambda: inclusion_proof(number=chance.randrange(size), size=size),
        "a consistency proof": lambda: consistency_proof(old=chance.choice(sizes), size=size),
    }
    for name, make in kinds.items():
        taken = []
        for _ in range(1_000):
            began = time.perf_counter()
            make()
            taken.append(1000 * (time.perf_counter() - began))
        taken.sort()
        tell(f"{name} of {size:,}", f"p50 {taken[500]:.1f} ms, p99 {taken[990]:.1f} ms")


if __name__ == "__main__":
    main()
