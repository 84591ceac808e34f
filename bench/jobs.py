"""Jobs against plain Celery on the same broker, and turns: `python -m bench.jobs [objects]`.

Starts a database, its queue and the processes of its own. `objects` is the size of the long import
that other work is measured beside (1,000).
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from souvenir.config.embedded.throwaway import start_test_cluster

_CLUSTER = start_test_cluster()
_FOLDER = tempfile.TemporaryDirectory(prefix="souvenir-bench-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "souvenir.config.settings",
    "SOUVENIR_PROFILE": "test",
    "SOUVENIR_DATABASE_URL": _CLUSTER.app_url,
    "SOUVENIR_OWNER_DATABASE_URL": _CLUSTER.owner_url,
    "SOUVENIR_RELAY_DATABASE_URL": _CLUSTER.relay_url,
    "SOUVENIR_BROKER_URL": _CLUSTER.broker_url,
    "SOUVENIR_BROKER_DSN": _CLUSTER.broker_dsn,
    "SOUVENIR_OBJECTS_DIR": _FOLDER.name,
    "SOUVENIR_KEYS_DIR": f"{_FOLDER.name}/keys",
    "SOUVENIR_SECRET_KEY": "only-for-the-bench-" + "0" * 40,
    "BENCH_LOG": f"{_FOLDER.name}/plain.log",
}

import django  # noqa: E402 — the settings are read on import

django.setup()

from django.core.management import call_command  # noqa: E402

from bench.plain_celery import plain  # noqa: E402
from souvenir.core.jobs import Job as Kind  # noqa: E402
from souvenir.ingestion.services import Upload, accept_import  # noqa: E402
from souvenir.memories.services import ensure_person  # noqa: E402
from tenants.isolation.scope import tenant_scope  # noqa: E402
from tenants.ledger import accept_job  # noqa: E402
from tenants.models import Job  # noqa: E402
from tests.builders import Tenant, chatgpt_export, make_tenant  # noqa: E402
from tests.processes import start, start_manage, start_worker  # noqa: E402

_IDLE, _MANY, _SMALL, _EQUAL = 10, 100, 20, 8
_PATIENCE_SECONDS = 90.0
_WINDOW_SECONDS = 75.0  # three rounds of eight turns


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    rows = [*_plain(), *_ours(size)]
    for label, value in rows:
        print(f"{label:<66}{value:>12}")


def _plain() -> list[tuple[str, str]]:
    command = ["-m", "celery", "-A", "bench.plain_celery", "worker", "-P", "solo", "-Q", "plain"]
    worker = start("plain", [*command, "--without-gossip", "--without-mingle"])
    log = Path(os.environ["BENCH_LOG"])
    plain.delay(time.time())
    _await(log.exists)
    for number in range(_IDLE):
        plain.delay(time.time())
        _await(lambda wanted=number + 2: len(log.read_text().split()) >= wanted)
    waits = [float(line) for line in log.read_text().split()[1:]]
    before, began = len(waits) + 1, time.monotonic()
    for _ in range(_MANY):
        plain.delay(time.time())
    _await(lambda: len(log.read_text().split()) >= before + _MANY)
    rate = _MANY / (time.monotonic() - began)
    worker.stop()
    return [
        ("plain Celery, pgmq: idle latency, median, ms", f"{1000 * median(waits):.0f}"),
        ("plain Celery, pgmq: tasks a second, sending included", f"{rate:.0f}"),
    ]


def _ours(size: int) -> list[tuple[str, str]]:
    running = [start_worker("bulk"), start_manage("relay")]
    acme = make_tenant()
    _await_ended(acme, [_small(acme)])
    waits = []
    for _ in range(_IDLE):
        job_id = _small(acme)
        _await_ended(acme, [job_id])
        waits += _waits(acme, [job_id])
    began = time.monotonic()
    _await_ended(acme, [_small(acme) for _ in range(_MANY)])
    rate = _MANY / (time.monotonic() - began)
    globex = make_tenant()
    _import(acme, size)
    time.sleep(5)
    beside = [_small(globex) for _ in range(_SMALL)]
    _await_ended(globex, beside)
    late = sorted(_waits(globex, beside))[int(0.95 * _SMALL) - 1]
    jain = _jain()
    for process in running:
        process.stop()
    return [
        ("jobs, pgmq: idle latency to the start, median, ms", f"{1000 * median(waits):.0f}"),
        ("jobs, pgmq: jobs a second, accepting included", f"{rate:.0f}"),
        (f"start of {_SMALL} small jobs beside an import of {size:,}, p95, s", f"{late:.1f}"),
        (f"Jain’s index of {_EQUAL} equal imports in {_WINDOW_SECONDS:.0f} s", f"{jain:.2f}"),
    ]


def _small(tenant: Tenant) -> UUID:
    with tenant_scope(tenant.id):
        return accept_job(
            Kind.EMBED_PASSAGES, subject_id=uuid4(), person_id=None, unit="passages"
        ).id


def _import(tenant: Tenant, size: int) -> None:
    talks = [
        json.loads(chatgpt_export(*[f"Word {n} of {i}" for n in range(6)], conversation=f"c-{i}"))
        for i in range(size)
    ]
    body = json.dumps([talk[0] for talk in talks]).encode()
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice")
        accept_import(person=person, upload=Upload("c.json", [body]))


def _jain() -> float:
    """Of seconds of work that equal organizations were given in the same time."""
    tenants = [make_tenant() for _ in range(_EQUAL)]
    for tenant in tenants:
        _import(tenant, 2_000)
    time.sleep(_WINDOW_SECONDS)
    given = []
    for tenant in tenants:
        with tenant_scope(tenant.id):
            given.append(sum(Job.objects.values_list("cost_seconds", flat=True)))
    squares = sum(seconds**2 for seconds in given)
    return sum(given) ** 2 / (len(given) * squares) if squares else 0.0


def _waits(tenant: Tenant, job_ids: list[UUID]) -> list[float]:
    with tenant_scope(tenant.id):
        found = Job.objects.filter(id__in=job_ids, started_at__isnull=False)
        return [
            (started - created).total_seconds()
            for created, started in found.values_list("created_at", "started_at")
            if started is not None
        ]


def _await_ended(tenant: Tenant, job_ids: list[UUID]) -> None:
    def ended() -> bool:
        with tenant_scope(tenant.id):
            return Job.objects.filter(id__in=job_ids, finished_at=None).count() == 0

    _await(ended)


def _await(holds) -> None:  # type: ignore[no-untyped-def]
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.02)


if __name__ == "__main__":
    main()
