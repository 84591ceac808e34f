"""What falls due is done once each time, however many look, and whatever their clocks say."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from souvenir.core.jobs import Job as Kind
from souvenir.core.jobs import Queue
from souvenir.ingestion.services import (
    UPLOADS,
    Upload,
    accept_import,
    remove_leftovers,
)
from souvenir.memories.services import ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import keyring_transaction
from tenants.keyring.models import SubjectKey
from tenants.keyring.services import newest_key_of, sealing_secrets
from tenants.ledger import MAX_ATTEMPTS, accept_job, cancel_job, claim_job
from tenants.ledger.allowances import allowance_of, count_upload
from tenants.ledger.breaker import OPENS_AT, note_available, note_unavailable
from tenants.ledger.relaying import next_messages
from tenants.ledger.retention import forget_dead_letters, forget_old_jobs
from tenants.models import Breaker, Job, JobItem, Ring, Schedule, Usage
from tenants.resealing import renew_old_keys
from tenants.scheduling import claim_run, ensure_schedule, finish_run
from tests.builders import Tenant, chatgpt_export
from workers import sweeping
from workers.sweeping import do_what_is_due, make_schedules_known
from workers.upkeep import UPKEEP, Upkeep, altogether


def _let_pass(name: str, seconds: float) -> None:
    schedule = Schedule.objects.get(name=name)
    schedule.next_at -= timedelta(seconds=seconds)
    schedule.save()


def _claims(name: str) -> int:
    try:
        return sum(claim_run(name, every_seconds=60.0) is not None for _ in range(3))
    finally:
        connection.close()


def test_many_schedulers_at_once_have_one_run(unique: str) -> None:
    ensure_schedule(unique)

    with ThreadPoolExecutor(8) as pool:
        runs = sum(pool.map(_claims, [unique] * 8))

    assert runs == 1


def test_a_run_is_due_again_after_its_interval_and_not_before(unique: str) -> None:
    ensure_schedule(unique)
    assert claim_run(unique, every_seconds=60.0)
    _let_pass(unique, 59)
    assert claim_run(unique, every_seconds=60.0) is None
    _let_pass(unique, 2)

    assert claim_run(unique, every_seconds=60.0)


def test_what_was_missed_is_done_once_and_the_time_of_day_stays(unique: str) -> None:
    ensure_schedule(unique)
    due = Schedule.objects.get(name=unique).next_at - timedelta(seconds=600.5)
    Schedule.objects.filter(name=unique).update(next_at=due)

    assert claim_run(unique, every_seconds=60.0)
    assert claim_run(unique, every_seconds=60.0) is None

    late = (Schedule.objects.get(name=unique).next_at - due).total_seconds()
    assert late % 60 == pytest.approx(0, abs=1e-3)


def test_a_schedule_that_is_known_keeps_its_time(unique: str) -> None:
    ensure_schedule(unique)
    claim_run(unique, every_seconds=3600.0)

    ensure_schedule(unique)

    assert claim_run(unique, every_seconds=3600.0) is None


def test_how_it_went_is_written_down(unique: str) -> None:
    ensure_schedule(unique)
    for error, failures in (("KeyError at x.py:1", 1), ("KeyError at x.py:1", 2), ("", 0)):
        _let_pass(unique, 61)
        due = claim_run(unique, every_seconds=60.0)
        assert due is not None
        finish_run(due, error=error)

        schedule = Schedule.objects.get(name=unique)
        assert (schedule.error, schedule.failures) == (error, failures)


def test_one_that_fails_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, unique: str
) -> None:
    def fail() -> int:
        raise DatabaseError("what a person wrote")

    bad, good = (
        Upkeep(f"{name}-{unique}", 60.0, altogether(code))
        for name, code in (("bad", fail), ("good", lambda: 7))
    )
    monkeypatch.setattr(sweeping, "UPKEEP", (bad, good))
    make_schedules_known()

    done = do_what_is_due()

    assert done == {bad.name: 0, good.name: 7}
    assert Schedule.objects.get(name=bad.name).error.startswith("DatabaseError at ")
    assert do_what_is_due() == {}


def test_every_upkeep_runs_twice_without_harm(acme: Tenant) -> None:
    for _ in range(2):
        for upkeep in UPKEEP:
            assert upkeep.run() >= 0
    assert len({upkeep.name for upkeep in UPKEEP}) == len(UPKEEP)


def test_a_stopped_import_s_upload_goes_and_a_failed_one_s_stays_a_while(acme: Tenant) -> None:
    kept = []
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        for _ in range(2):
            upload = Upload("c.json", [chatgpt_export("Bonjour")])
            kept.append(accept_import(person=person, upload=upload))
        stopped, failed = kept
        assert stopped.job_id is not None
        cancel_job(job_id=stopped.job_id)
        assert remove_leftovers() == 0
        ended = timezone.now() - timedelta(hours=2)
        assert failed.job_id is not None
        Job.objects.filter(id=failed.job_id).update(state="failed")
        Job.objects.all().update(finished_at=ended)

        assert remove_leftovers() == 1
        assert objects.names(UPLOADS) == [str(failed.id)]
        Job.objects.all().update(finished_at=ended - timedelta(days=30))
        assert remove_leftovers() == 1


def test_old_jobs_are_forgotten_with_their_items(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        with tenant_scope(tenant.id):
            for days in (1, 100):
                job = accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables")
                JobItem.objects.create(job_id=job.id, ordinal=0, name="x", state="succeeded")
                ended = timezone.now() - timedelta(days=days)
                Job.objects.filter(id=job.id).update(state="succeeded", finished_at=ended)
            accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables")

    with tenant_scope(acme.id):
        Usage.objects.create(day=date(2020, 1, 1), uploaded_bytes=1)
        count_upload(upload_bytes=1)
        assert forget_old_jobs() == 1
        assert (Job.objects.count(), JobItem.objects.count()) == (2, 1)
        assert Usage.objects.get().day == datetime.now(UTC).date()
    with tenant_scope(globex.id):
        assert Job.objects.count() == 3


def test_keys_that_are_too_old_are_renewed_a_few_at_a_time(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        sealing_secrets([person.id])
        version, _ = newest_key_of(person.id)
        assert renew_old_keys() == 0
        with keyring_transaction(acme.id):
            SubjectKey.objects.filter(subject_id=person.id).update(
                created_at=timezone.now() - timedelta(days=400)
            )

        assert renew_old_keys() == 1
        assert renew_old_keys() == 0, "its rotation is under way"
        assert newest_key_of(person.id)[0] == version + 1
        assert Job.objects.filter(kind=Kind.SEAL_AGAIN.value).count() == 1


@pytest.fixture
def quiet() -> None:
    Ring.objects.all().delete()
    Breaker.objects.all().delete()


def _gave_up(tenant: Tenant) -> UUID:
    """A job that was begun too often, and is a dead letter."""
    with tenant_scope(tenant.id):
        job = accept_job(Kind.WRITE_EXPORT, subject_id=uuid4(), person_id=None, unit="files")
        for _ in range(MAX_ATTEMPTS):
            assert claim_job(job.id)
            Job.objects.filter(id=job.id).update(holder="")
        assert claim_job(job.id) is None
        return job.id


def _shown(*options: str) -> str:
    out = StringIO()
    call_command("jobs", *options, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("quiet")
def test_operators_see_what_waits_and_what_is_dead_and_replay_it(
    acme: Tenant, globex: Tenant
) -> None:
    with tenant_scope(globex.id):
        accept_job(Kind.RUN_IMPORT, subject_id=uuid4(), person_id=None, unit="objects")
    job_id = _gave_up(acme)
    note_unavailable(Kind.EMBED_PASSAGES, code="embedder-unavailable")

    table = _shown()

    lines = [line.split() for line in table.splitlines()]
    assert ["bulk", "1", "0", "0", "0"] in [line[:5] for line in lines]
    assert ["interactive", "0", "0", "0", "1"] in [line[:5] for line in lines]
    assert [str(globex.id), "bulk", "1"] in [line[:3] for line in lines]
    assert ["embed-passages", "embedder-unavailable", "1", "-"] in lines
    assert [str(job_id), "write-export", str(acme.id), "job-gave-up"] in [
        line[:4] for line in lines
    ]

    assert _shown("--replay", str(job_id)).strip() == str(job_id)

    with tenant_scope(acme.id):
        assert Job.objects.get(id=job_id).state == "queued"
    assert Ring.objects.get(job_id=job_id).state == "waiting"
    with pytest.raises(CommandError):
        _shown("--replay", str(job_id))


@pytest.mark.usefixtures("quiet")
def test_dead_letters_are_forgotten_when_nobody_replays_them(acme: Tenant) -> None:
    _gave_up(acme)
    assert forget_dead_letters() == 0
    Ring.objects.update(due_at=timezone.now() - timedelta(days=31))

    assert forget_dead_letters() == 1


def test_operators_set_what_an_organization_may_have(acme: Tenant) -> None:
    _shown("--organization", str(acme.id), "--weight", "3", "--bytes-per-day", "5")

    allowance = allowance_of(acme.id)
    assert (allowance.weight, allowance.bytes_per_day) == (3, 5)
    with pytest.raises(CommandError):
        _shown("--organization", str(uuid4()), "--weight", "3")


@pytest.mark.usefixtures("quiet")
def test_a_kind_whose_dependency_is_away_waits_and_one_tries_whether_it_is_back(
    acme: Tenant, globex: Tenant
) -> None:
    for tenant in (acme, globex):
        for _ in range(2):
            with tenant_scope(tenant.id):
                accept_job(Kind.EMBED_PASSAGES, subject_id=uuid4(), person_id=None, unit="passages")
    with tenant_scope(acme.id):
        accept_job(Kind.RUN_IMPORT, subject_id=uuid4(), person_id=None, unit="objects")
    for _ in range(OPENS_AT):
        note_unavailable(Kind.EMBED_PASSAGES, code="embedder-unavailable")

    first = _rung()
    assert first == [Kind.RUN_IMPORT], "others go on"
    assert _rung() == []

    Breaker.objects.update(open_until=timezone.now() - timedelta(seconds=1))
    assert _rung() == [Kind.EMBED_PASSAGES], "one tries"
    assert _rung() == []

    note_available(Kind.EMBED_PASSAGES)
    assert _rung() == [Kind.EMBED_PASSAGES], "as far as there is room"


def _rung() -> list[Kind]:
    return [owed.kind for owed in next_messages(Queue.BULK, using="relay")]


def test_a_breaker_waits_ever_longer_and_closes_at_once(acme: Tenant) -> None:
    del acme
    Breaker.objects.all().delete()
    waits = []
    for _ in range(OPENS_AT + 8):
        note_unavailable(Kind.WRITE_EXPORT, code="x")
        until = Breaker.objects.get().open_until
        waits.append((until - timezone.now()).total_seconds() if until else 0.0)

    assert waits[: OPENS_AT - 1] == [0.0] * (OPENS_AT - 1)
    assert 1 < waits[OPENS_AT - 1] < waits[-1] <= 60
    note_available(Kind.WRITE_EXPORT)
    assert not Breaker.objects.exists()
