"""What sealing costs: import, reading and search with and without it, in the same run.

    PYTHONPATH=platform:. .venv/bin/python -m bench.sealing path/to/conversations.json

Starts a database of its own. "Without" is this very code with the cipher and the derivation of the
record's key taken out, and nothing else: rows, columns, sizes and queries are the same. Rounds
alternate; each figure is the median of processor time, which other load on the machine moves least.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from bench import own_souvenir  # noqa: F401 — first: it starts what the models stand on
from souvenir.core.sealing import (
    SALT_BYTES,
    TAG_BYTES,
    Place,
    SubjectSecret,
    header,
    header_size,
)
from souvenir.memories.models import Message
from souvenir.memories.selectors import reachable_stores
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants import sealed
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, import_bytes, make_tenant

ROUNDS = 5
SEARCHES = 100


def _framed(plain: bytes, *, place: Place, secrets: Sequence[SubjectSecret], salt: bytes) -> bytes:
    """As long as a sealed value, and not sealed."""
    del place
    return header(secrets) + salt + plain + bytes(TAG_BYTES)


def _unframed(stored: bytes, *, place: Place, secrets: Sequence[SubjectSecret]) -> bytes:
    del place, secrets
    return stored[header_size(stored) + SALT_BYTES : -TAG_BYTES]


@contextmanager
def without_sealing() -> Iterator[None]:
    """Columns are framed and not sealed."""
    with patch.object(sealed, "seal", _framed), patch.object(sealed, "unseal", _unframed):
        yield


def spent(work: Callable[[], object]) -> float:
    """Seconds of this process's processor time."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def read_all(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        for message in Message.objects.iterator(500):
            _ = message.blocks


def ask(tenant: Tenant, questions: list[str]) -> None:
    with tenant_scope(tenant.id):
        stores = reachable_stores(bound_to=None)
        for question in questions:
            search(Question(question, stores, dense_weight=0.0))


def round_of(body: bytes, questions: list[str]) -> dict[str, float]:
    """Seconds by what was done, in an organization of its own."""
    tenant = make_tenant()
    person = uuid4().hex
    return {
        "import": spent(lambda: import_bytes(tenant, body, person=person)),
        "read every message": spent(lambda: read_all(tenant)),
        f"{SEARCHES} searches by words": spent(lambda: ask(tenant, questions)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path, help="an export that Souvenir reads")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    body = options.export.read_bytes()
    words = [word for word in body.decode(errors="ignore").split() if word.isalpha()]
    questions = [" ".join(words[at : at + 6]) for at in range(0, SEARCHES * 40, 40)]
    round_of(body, questions)  # warms what is made once per process
    found: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
    for _ in range(options.rounds):
        found["with"].append(round_of(body, questions))
        with without_sealing():
            found["without"].append(round_of(body, questions))
    print(f"medians of {options.rounds} alternating rounds, seconds of processor time")
    print("| what | sealed | not sealed | ratio |")
    print("| --- | --- | --- | --- |")
    for what in found["with"][0]:
        dear, cheap = (statistics.median(r[what] for r in found[way]) for way in found)
        print(f"| {what} | {dear:.2f} | {cheap:.2f} | {dear / cheap:.2f} |")


if __name__ == "__main__":
    main()
