"""The outbox: written with the job, sent once at least, and nobody is forgotten."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections, transaction
from django.utils import timezone
from kombu.exceptions import EncodeError, OperationalError

from souvenir.core.jobs import Job as Kind
from souvenir.core.jobs import Queue
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, cancel_job, claim_job, claim_next
from tenants.ledger.allowances import charge, set_allowance
from tenants.ledger.fairness import QUANTUM_SECONDS
from tenants.ledger.relaying import LOOK_AHEAD, MOST_REFUSALS, UNANSWERED, Owed, next_messages
from tenants.ledger.rings import DOORBELL
from tenants.models import Breaker, Job, Ring
from tenants.services import resume_organization, suspend_organization
from tests.builders import Tenant, make_tenant
from workers.app import app
from workers.relaying import relay_database, relay_once
from workers.running import take_turn

RELAY = "relay"


@pytest.fixture(autouse=True)
def nothing_else_waits() -> None:
    """What other tests have left in the outbox is not what these are about."""
    app.loader.import_default_modules()  # as a worker does when it starts
    Ring.objects.all().delete()


def _accept(tenant: Tenant, kind: Kind = Kind.RUN_IMPORT) -> UUID:
    with tenant_scope(tenant.id):
        return accept_job(kind, subject_id=uuid4(), person_id=None, unit="objects").id


def _rung(queue: Queue = Queue.BULK) -> list[UUID]:
    return [owed.job_id for owed in next_messages(queue, using=RELAY)]


def _later(job_id: UUID, by: timedelta) -> None:
    """Let time pass for a ring."""
    ring = Ring.objects.get(job_id=job_id)
    ring.due_at -= by
    ring.save()


def test_the_message_is_owed_if_and_only_if_the_job_is_accepted(acme: Tenant) -> None:
    def accept_and_fail() -> None:
        with tenant_scope(acme.id):
            accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        accept_and_fail()
    assert not Ring.objects.exists()

    job_id = _accept(acme)

    assert Ring.objects.get().job_id == job_id


def test_what_is_owed_is_sent_once(acme: Tenant) -> None:
    job_id = _accept(acme)

    assert _rung() == [job_id]
    assert _rung() == []


def test_a_message_that_nobody_answers_is_sent_again_and_ever_later(acme: Tenant) -> None:
    job_id = _accept(acme)
    _rung()
    _later(job_id, UNANSWERED)

    assert _rung() == [job_id]
    _later(job_id, UNANSWERED)
    assert _rung() == []
    _later(job_id, UNANSWERED)
    assert _rung() == [job_id]


def test_a_job_whose_worker_is_gone_is_rung_again(acme: Tenant) -> None:
    job_id = _accept(acme)
    _rung()
    with tenant_scope(acme.id):
        lease = claim_job(job_id)
    assert lease is not None
    assert _rung() == []
    lease.renew()
    _later(job_id, timedelta(seconds=30))

    assert _rung() == [job_id]


def test_nothing_is_owed_for_a_job_that_has_ended(acme: Tenant) -> None:
    done, cancelled = _accept(acme), _accept(acme)
    with tenant_scope(acme.id):
        lease = claim_job(done)
        cancel_job(job_id=cancelled)
    assert lease is not None
    with lease.step():
        lease.finish()

    assert not Ring.objects.exists()


def test_what_is_owed_for_a_job_that_is_gone_is_forgotten(acme: Tenant) -> None:
    job_id = _accept(acme)
    with tenant_scope(acme.id):
        Job.objects.filter(id=job_id).delete()

        assert claim_job(job_id) is None

    assert not Ring.objects.exists()


def test_a_suspended_organization_is_not_rung_until_it_is_resumed(acme: Tenant) -> None:
    job_id = _accept(acme)
    suspend_organization(organization_id=acme.id)
    assert _rung() == []

    resume_organization(organization_id=acme.id)

    assert _rung() == [job_id]


def test_only_a_few_are_sent_ahead_so_that_turns_can_be_taken(acme: Tenant, globex: Tenant) -> None:
    for _ in range(10):
        _accept(acme)
    theirs = _accept(globex)

    sent = _rung()

    assert len(sent) == LOOK_AHEAD
    assert theirs in sent, "who came last with one job does not wait behind ten"


def test_an_organization_has_no_more_in_hand_than_it_may(acme: Tenant) -> None:
    set_allowance(acme.id, jobs_at_once=1)
    first, second = _accept(acme), _accept(acme)
    assert _rung() == [first]
    with tenant_scope(acme.id):
        lease = claim_job(first)
    assert lease is not None
    assert _rung() == []

    with lease.step():
        lease.finish()

    assert _rung() == [second]


def test_a_long_job_gives_its_turn_to_others(acme: Tenant, globex: Tenant) -> None:
    long_one = _accept(acme)
    _rung()
    with tenant_scope(acme.id):
        lease = claim_job(long_one)
    assert lease is not None
    short_one = _accept(globex)
    with lease.step(done=1):
        lease.give_turn_back()

    assert _rung()[0] == short_one
    with tenant_scope(acme.id):
        again = claim_job(long_one)
        job = Job.objects.get(id=long_one)
    assert again is not None
    assert (job.state, job.attempts) == ("running", 1)


def test_erasures_do_not_wait_for_room_that_imports_have_taken(acme: Tenant) -> None:
    for _ in range(10):
        _accept(acme)
    _rung()
    erasure = _accept(acme, Kind.ERASE)

    assert _rung(Queue.ERASURE) == [erasure]


def test_equals_have_equal_turns_from_the_first_one_on() -> None:
    tenants = [make_tenant() for _ in range(5)]
    jobs = {tenant.id: _accept(tenant) for tenant in tenants}
    turns: Counter[UUID] = Counter()

    for _ in range(3 * len(tenants)):
        (owed,) = next_messages(Queue.BULK, using=RELAY, ahead=1)
        with tenant_scope(owed.organization_id):
            lease = claim_job(jobs[owed.organization_id])
            assert lease is not None
            charge(owed.organization_id, seconds=QUANTUM_SECONDS)
            lease.give_turn_back()
        turns[owed.organization_id] += 1

    assert set(turns.values()) == {3}


def test_two_relays_at_once_send_each_message_once(acme: Tenant) -> None:
    job_id = _accept(acme)
    with transaction.atomic():  # one relay is in the middle of its look
        first = next_messages(Queue.BULK, using="default")
        second = next_messages(Queue.BULK, using=RELAY)

    assert [owed.job_id for owed in first] == [job_id]
    assert second == []


def test_while_the_broker_is_away_nothing_is_lost_and_nothing_is_dead(acme: Tenant) -> None:
    job_id = _accept(acme)

    def away(_: Owed) -> None:
        raise OperationalError

    for _ in range(MOST_REFUSALS + 3):
        assert relay_once(using=RELAY, send=away) == 0
        _later(job_id, timedelta(seconds=2))

    sent: list[UUID] = []
    relay_once(using=RELAY, send=lambda owed: sent.append(owed.job_id))
    assert sent == [job_id]


def test_what_the_broker_refuses_again_and_again_is_a_dead_letter(acme: Tenant) -> None:
    job_id = _accept(acme)

    def refuse(_: Owed) -> None:
        raise EncodeError

    for _ in range(MOST_REFUSALS):
        relay_once(using=RELAY, send=refuse)
        _later(job_id, timedelta(seconds=2))

    ring = Ring.objects.get(job_id=job_id)
    assert (ring.state, ring.reason) == ("dead", "message-refused")
    assert _rung() == []


def test_the_relay_runs_as_the_role_that_sees_nothing_else() -> None:
    with connections[relay_database()].cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("souvenir_relay",)


@pytest.fixture
def doorbell() -> Iterator[psycopg.Connection]:
    parameters = connections[RELAY].get_connection_params()
    wanted = {
        k: v for k, v in parameters.items() if k in {"dbname", "user", "password", "host", "port"}
    }
    with psycopg.connect(**wanted, autocommit=True) as connection:
        connection.execute(f"LISTEN {DOORBELL}")
        yield connection


def test_the_doorbell_rings_when_the_job_is_there_to_be_seen(
    acme: Tenant, doorbell: psycopg.Connection
) -> None:
    with tenant_scope(acme.id):
        accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables")
        assert list(doorbell.notifies(timeout=0.2)) == []

    (rung,) = doorbell.notifies(timeout=10, stop_after=1)
    assert rung.payload == "erasure", "where to look, and nothing else"
    assert Ring.objects.exists()


def test_a_ring_that_waits_for_later_is_not_sent_before(acme: Tenant) -> None:
    job_id = _accept(acme)
    Ring.objects.filter(job_id=job_id).update(due_at=timezone.now() + timedelta(minutes=1))

    assert _rung() == []


def test_a_turn_takes_what_has_waited_longest_of_the_same_organization_and_queue(
    acme: Tenant, globex: Tenant
) -> None:
    first, second = _accept(acme), _accept(acme)
    _accept(acme, Kind.ERASE)
    _accept(globex)

    with tenant_scope(acme.id):
        taken = [claim_next(Queue.BULK) for _ in range(3)]

    assert [lease.job_id if lease else None for lease in taken] == [first, second, None]
    assert Ring.objects.filter(state=Ring.State.RUNNING).count() == 2


def test_a_turn_leaves_alone_what_is_rung_paused_or_waits_for_something(acme: Tenant) -> None:
    _accept(acme)
    _rung()
    parked, embedding = _accept(acme), _accept(acme, Kind.EMBED_PASSAGES)
    Ring.objects.filter(job_id=parked).update(due_at=timezone.now() + timedelta(minutes=1))
    Breaker.objects.create(kind=Kind.EMBED_PASSAGES.value, code="x", open_until=timezone.now())

    with tenant_scope(acme.id):
        assert claim_next(Queue.BULK) is None
    Breaker.objects.all().delete()
    set_allowance(acme.id, paused=True)
    with tenant_scope(acme.id):
        assert claim_next(Queue.BULK) is None
    set_allowance(acme.id, paused=False)
    with tenant_scope(acme.id):
        taken = claim_next(Queue.BULK)

    assert taken is not None
    assert taken.job_id == embedding


def test_one_message_is_enough_for_many_small_jobs(acme: Tenant, globex: Tenant) -> None:
    job_ids = [_accept(acme, Kind.EMBED_PASSAGES) for _ in range(5)]
    theirs = _accept(globex, Kind.EMBED_PASSAGES)

    take_turn(acme.id, job_ids[0], kind=Kind.EMBED_PASSAGES)

    with tenant_scope(acme.id):
        assert set(Job.objects.values_list("state", "fence")) == {("succeeded", 1)}
    with tenant_scope(globex.id):
        assert Job.objects.get(id=theirs).state == "queued"


def test_a_turn_ends_by_the_clock(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.running.QUANTUM_SECONDS", 0.0)
    first, second = _accept(acme, Kind.EMBED_PASSAGES), _accept(acme, Kind.EMBED_PASSAGES)

    take_turn(acme.id, first, kind=Kind.EMBED_PASSAGES)

    with tenant_scope(acme.id):
        assert Job.objects.get(id=second).state == "queued"
