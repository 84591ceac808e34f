"""A worker frozen past its lease wakes when another has done its work: it writes nothing more."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.memories.models import Person
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.models import Job, Ring
from tests.builders import Tenant, empty_the_broker
from tests.processes import Running, start, start_manage

_PATIENCE_SECONDS = 90.0
# A worker whose job writes, waits until it may go on, and writes again: between two steps, or
# within one. Whom it has made known tells which worker that was.
_WORKER = """
import os, pathlib, time, django
django.setup()
from workers import app as settings
settings.app.loader.import_default_modules()
from souvenir.core.jobs import Job
from souvenir.memories.services import ensure_person
from workers import running

def wait(word):
    pathlib.Path({folder!r}, f"{{word}}-{name}").touch()
    while not pathlib.Path({folder!r}, "go").exists():
        time.sleep(0.05)

def between(lease):
    with lease.step(done=1):
        ensure_person(external_id="begun-{name}")
    wait("waits")
    with lease.step(done=2):
        ensure_person(external_id="ended-{name}")
        lease.finish()

def within(lease):
    with lease.step(done=1):
        ensure_person(external_id="begun-{name}")
        wait("waits")
        ensure_person(external_id="ended-{name}")
        lease.finish()

running.HANDLERS[Job.ERASE] = {where}
settings.app.worker_main(["worker", "-P", "solo", "-Q", "erasure", "-n", "{name}@%h",
                          "--without-gossip", "--without-mingle"])
"""


@pytest.fixture(autouse=True)
def relay(database: None) -> Iterator[None]:
    Ring.objects.all().delete()
    empty_the_broker()
    process = start_manage("relay")
    yield
    process.stop()


@pytest.fixture
def started() -> Iterator[Callable[[Running], Running]]:
    """Stops what a test has started, frozen or not."""
    running: list[Running] = []

    def note(process: Running) -> Running:
        running.append(process)
        return process

    yield note
    for process in running:
        process.kill()


def _worker(name: str, where: str, folder: Path) -> Running:
    # A server that would never end a transaction of which nothing is heard: whoever claims does.
    options = {"PGOPTIONS": "-c idle_in_transaction_session_timeout=0"}
    code = _WORKER.format(name=name, where=where, folder=str(folder))
    return start(name, ["-c", code], environment=options, log=folder / f"{name}.log")


def _await(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)


def _known(tenant: Tenant) -> set[str]:
    with tenant_scope(tenant.id):
        return set(Person.objects.values_list("external_id", flat=True))


def _job(tenant: Tenant, job_id: UUID) -> Job:
    with tenant_scope(tenant.id):
        return Job.objects.get(id=job_id)


@pytest.mark.parametrize("where", ["between", "within"])
def test_what_a_frozen_worker_writes_when_it_wakes_changes_nothing(
    acme: Tenant, tmp_path: Path, started: Callable[[Running], Running], where: str
) -> None:
    old = started(_worker("old", where, tmp_path))
    with tenant_scope(acme.id):
        job_id = accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables").id
    _await((tmp_path / "waits-old").exists)
    os.kill(old.process.pid, signal.SIGSTOP)

    (tmp_path / "go").touch()
    started(_worker("new", where, tmp_path))
    _await(lambda: _job(acme, job_id).cost_seconds > 0)  # it has ended, and is paid for
    done, known = _job(acme, job_id), _known(acme)
    os.kill(old.process.pid, signal.SIGCONT)
    _await(lambda: _has_given_up(tmp_path / "old.log"))
    time.sleep(1.0)  # whatever it still would do

    after = _job(acme, job_id)
    assert (done.fence, done.state) == (2, "succeeded")
    assert (after.version, after.fence, after.cost_seconds) == (
        done.version, 2, done.cost_seconds
    )  # fmt: skip
    assert _known(acme) == known
    assert known - {"begun-old"} == {"begun-new", "ended-new"}
    assert ("begun-old" in known) == (where == "between"), "what it had committed stays"


def _has_given_up(log: Path) -> bool:
    said = log.read_text(errors="replace")
    return "was taken over" in said or "met the database" in said
