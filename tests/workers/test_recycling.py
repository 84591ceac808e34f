"""What hangs ends, what is old is replaced, what is long is cut: in real workers."""

import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.core.jobs import Queue
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, accept_job, claim_job, claim_next
from tenants.ledger.rings import HEAD_START
from tenants.models import Job, Ring
from tests.builders import Tenant, empty_the_broker
from tests.processes import Running, start, start_manage
from workers.app import TASK_SECONDS, UNCUT_TASK_SECONDS, app
from workers.running import HANGS_EXIT, work

_PATIENCE_SECONDS = 60.0
_WORKER = (
    "import sys, time, django; django.setup();"
    "from workers import app as settings; {before};"
    "settings.app.loader.import_default_modules(); {after};"
    "settings.app.worker_main(['worker', '-P', 'solo', '-Q', 'erasure', '--without-gossip',"
    " '--without-mingle'])"
)
_ENDLESS = (
    "from workers import running; from souvenir.core.jobs import Job;"
    "running._BEAT_SECONDS = 0.2;"
    "running.HANDLERS[Job.ERASE] = lambda lease: (setattr(lease.pulse, 'patience_seconds', 0.5),"
    " time.sleep(600))"
)


@pytest.fixture
def relay(database: None, tmp_path: object) -> object:
    Ring.objects.all().delete()
    empty_the_broker()
    process = start_manage("relay")
    yield process
    process.stop()


def _worker(*, before: str = "pass", after: str = "pass") -> Running:
    return start("worker", ["-c", _WORKER.format(before=before, after=after)])


def _accept(tenant: Tenant, kind: Kind = Kind.ERASE) -> UUID:
    with tenant_scope(tenant.id):
        return accept_job(kind, subject_id=uuid4(), person_id=None, unit="tables").id


def _exit_of(worker: Running) -> int | None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while worker.is_alive and time.monotonic() < deadline:
        time.sleep(0.1)
    return worker.process.poll()


def test_a_worker_whose_task_hangs_ends(acme: Tenant, relay: Running) -> None:
    worker = _worker(after=_ENDLESS)
    job_id = _accept(acme)

    ended = _exit_of(worker)
    worker.stop()

    assert ended == HANGS_EXIT
    with tenant_scope(acme.id):
        assert Job.objects.get(id=job_id).state == "running", "until its lease runs out"


def test_a_worker_without_a_pool_makes_room_after_so_many_tasks(
    acme: Tenant, relay: Running
) -> None:
    worker = _worker(before="settings.CHILD_TASKS = 1")
    job_id = _accept(acme)

    ended = _exit_of(worker)
    worker.stop()

    assert ended == 0
    with tenant_scope(acme.id):
        assert Job.objects.get(id=job_id).attempts == 1


def test_only_what_cannot_be_cut_may_take_longer() -> None:
    app.loader.import_default_modules()
    limits = {kind: app.tasks[kind.value].time_limit for kind in Kind}
    longer = {kind for kind, limit in limits.items() if limit != TASK_SECONDS}

    assert app.conf.task_time_limit == TASK_SECONDS
    assert {limits[kind] for kind in longer} == {UNCUT_TASK_SECONDS}
    assert longer == {
        Kind.RUN_IMPORT,  # for the verifying of an archive
        Kind.WRITE_EXPORT,  # for the joining of its parts
        Kind.SEAL_AGAIN,
        *(Kind.PROMOTE_STORE, Kind.DEMOTE_STORE, Kind.FILL_MODEL, Kind.CLEAR_MODEL),
    }


def test_what_is_cut_by_the_clock_goes_on_in_another_turn(acme: Tenant) -> None:
    job_id = _accept(acme)
    turns: list[int] = []

    def work_on(lease: Lease) -> None:
        with lease.step():
            turns.append(lease.fence)
        if len(turns) < 3:
            lease.pulse.cut_after_seconds = 0.0
        with lease.step():
            lease.finish()

    for _ in range(3):
        with tenant_scope(acme.id):
            lease = claim_job(job_id)
        assert lease is not None
        work(lease, work_on)

    with tenant_scope(acme.id):
        job = Job.objects.get(id=job_id)
    assert (job.state, turns) == ("succeeded", [1, 2, 3])
    assert job.attempts == 1, "a turn that ends is no failure"


def test_a_constant_stream_of_what_goes_first_does_not_starve_the_rest(acme: Tenant) -> None:
    Ring.objects.all().delete()
    import_id = _accept(acme, Kind.RUN_IMPORT)
    accepted = Ring.objects.get(job_id=import_id).due_at
    start_ahead = HEAD_START[Kind.EMBED_PASSAGES]
    # One a second, for a minute, each taken before the next one comes, as if time had passed.
    reached_after = None
    for second in range(60):
        stream_id = _accept(acme, Kind.EMBED_PASSAGES)
        due_at = accepted + timedelta(seconds=second) - start_ahead
        Ring.objects.filter(job_id=stream_id).update(due_at=min(due_at, timezone.now()))
        with tenant_scope(acme.id):
            taken = claim_next(Queue.BULK)
        assert taken is not None
        if taken.job_id == import_id:
            reached_after = second
            break

    assert reached_after is not None
    assert reached_after <= start_ahead.total_seconds() + 1
