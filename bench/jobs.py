"""Jobs against plain Celery on the same broker, and turns.

    PYTHONPATH=platform:. .venv/bin/python -m bench.jobs
        [--parts brokers beside evenly] [--messages 1000000] [--jobs 100] [--tenants 20]
        [--seconds 75] [--many 300]

Starts a database, brokers (those that are installed) and processes of its own: one worker, one
relay. Prints one table.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from bench import own_souvenir  # first: it starts what the models stand on

os.environ["BENCH_LOG"] = str(own_souvenir.FOLDER / "plain.log")

from bench.jobs_beside import Row, beside, evenly
from bench.jobs_waiting import await_ended, await_that, waits
from bench.plain_celery import QUORUM, application, queue_name
from souvenir.core.jobs import Job as Kind
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tests.brokers import RABBITMQ, REDIS, Broker, rabbitmq_broker, redis_broker
from tests.builders import Tenant, make_tenant
from tests.processes import Running, start, start_manage, start_worker

_IDLE = 20
_PARTS = ["brokers", "beside", "evenly"]
_BROKERS: dict[str, Callable[[], Broker] | None] = {
    "pgmq": None,
    "Redis": redis_broker if REDIS else None,
    "RabbitMQ": rabbitmq_broker if RABBITMQ else None,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the long import")
    parser.add_argument("--jobs", type=int, default=100, help="small ones beside it")
    parser.add_argument("--tenants", type=int, default=20, help="equal ones")
    parser.add_argument("--seconds", type=float, default=75.0, help="for which they are watched")
    parser.add_argument("--many", type=int, default=300, help="jobs for the rate")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS)
    asked = parser.parse_args()
    if "brokers" in asked.parts:
        _compare(asked.many)
    running = _service({})
    if "beside" in asked.parts:
        _show(beside(messages=asked.messages, small_jobs=asked.jobs))
    if "evenly" in asked.parts:
        _show(evenly(tenants=asked.tenants, seconds=asked.seconds))
    _stop(running)


def _compare(many: int) -> None:
    for name, make in _BROKERS.items():
        if make is None and name != "pgmq":
            _show([(f"{name} is not installed", "")])
            continue
        broker = make() if make else None
        environment = {"SOUVENIR_BROKER_URL": broker.url} if broker else {}
        try:
            _show(_plain(name, environment, many))
            if name == "RabbitMQ":  # Souvenir's queues there are quorum queues
                os.environ[QUORUM] = "1"
                _show(_plain(f"{name}, a quorum queue", environment, many))
                del os.environ[QUORUM]
            _show(_ours(name, environment, many))
        finally:
            if broker:
                broker.stop()


def _show(rows: list[Row]) -> None:
    for label, value in rows:
        print(f"{label:<66}{value:>12}", flush=True)


def _service(environment: dict[str, str]) -> list[Running]:
    return [
        start_worker("bulk", environment=environment),
        start_manage("relay", environment=environment),
    ]


def _stop(running: list[Running]) -> None:
    for process in running:
        process.stop()


def _plain(name: str, environment: dict[str, str], many: int) -> list[Row]:
    pool = "prefork" if environment else "solo"
    command = ["-m", "celery", "-A", "bench.plain_celery", "worker", "-P", pool, "-c", "1"]
    command += ["-Q", queue_name(), "--without-gossip", "--without-mingle"]
    worker = start("plain", command, environment=environment)
    url = environment.get("SOUVENIR_BROKER_URL", os.environ["SOUVENIR_BROKER_URL"])
    app = application(url, os.environ["SOUVENIR_BROKER_DSN"])
    log = Path(os.environ["BENCH_LOG"])
    log.unlink(missing_ok=True)

    def send_and_wait(number: int) -> None:
        here = _lines(log)
        for _ in range(number):
            app.send_task("plain", [time.time()])
        await_that(lambda: _lines(log) >= here + number)

    send_and_wait(1)
    for _ in range(_IDLE):
        send_and_wait(1)
    late = [float(line) for line in log.read_text().split()[1:]]
    began = time.monotonic()
    send_and_wait(many)
    rate = many / (time.monotonic() - began)
    worker.stop()
    return [
        (f"plain Celery, {name}: idle latency, median, ms", f"{1000 * median(late):.0f}"),
        (f"plain Celery, {name}: tasks a second, sending included", f"{rate:.0f}"),
    ]


def _lines(log: Path) -> int:
    return len(log.read_text().split()) if log.exists() else 0


def _ours(name: str, environment: dict[str, str], many: int) -> list[Row]:
    running = _service(environment)
    acme = make_tenant()
    await_ended(acme, [_small(acme)])
    late = []
    for _ in range(_IDLE):
        job_id = _small(acme)
        await_ended(acme, [job_id])
        late += waits(acme, [job_id])
    began = time.monotonic()
    await_ended(acme, [_small(acme) for _ in range(many)])
    rate = many / (time.monotonic() - began)
    _stop(running)
    return [
        (f"jobs, {name}: idle latency to the start, median, ms", f"{1000 * median(late):.0f}"),
        (f"jobs, {name}: jobs a second, accepting included", f"{rate:.0f}"),
    ]


def _small(tenant: Tenant) -> UUID:
    """Of a store with nothing to embed: all that it takes is the ledger's own."""
    with tenant_scope(tenant.id):
        return accept_job(
            Kind.EMBED_PASSAGES, subject_id=uuid4(), person_id=None, unit="passages"
        ).id


if __name__ == "__main__":
    main()
