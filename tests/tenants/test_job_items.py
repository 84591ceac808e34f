"""Items: each once, a bad one alone is set aside, and what passes is waited for."""

from uuid import uuid4

import pytest
from django.db import connection

from souvenir.core.errors import Unavailable
from souvenir.core.jobs import Job as Kind
from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.memories.errors import MemoryEmpty, PersonNotFound
from souvenir.memories.models import Person
from souvenir.memories.services import ensure_person
from tenants.errors import LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger import (
    MAX_ATTEMPTS,
    Cost,
    Lease,
    accept_job,
    claim_job,
    get_job,
    job_items,
    retry_failed_items,
)
from tenants.ledger.items import Part, items_set_aside, plan_items, work_items
from tenants.models import Job, JobItem
from tests.builders import Tenant


class _Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs."""


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn ends after a second, which a busy machine can take for a few items."""
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 600.0)


def _begun(tenant: Tenant, *parts: Part) -> Lease:
    with tenant_scope(tenant.id):
        job = accept_job(Kind.RUN_IMPORT, subject_id=uuid4(), person_id=None, unit="objects")
        lease = claim_job(job.id)
    assert lease is not None
    with lease.step(total=sum(part.size for part in parts)):
        plan_items(lease, parts)
    return lease


def _taken_over(lease: Lease) -> Lease:
    """The lease of whoever comes after a worker that was killed."""
    with tenant_scope(lease.organization_id):
        Job.objects.filter(id=lease.job_id).update(holder="")
        again = claim_job(lease.job_id)
    assert again is not None
    return again


def _job(lease: Lease) -> Job:
    with tenant_scope(lease.organization_id):
        return get_job(job_id=lease.job_id)


def _items(lease: Lease) -> list[tuple[str, int, int, str]]:
    with tenant_scope(lease.organization_id):
        found = job_items(job_id=lease.job_id)
        return [(item.name, item.first, item.size, item.state) for item in found]


def _people(lease: Lease) -> list[str]:
    with tenant_scope(lease.organization_id):
        return sorted(Person.objects.values_list("external_id", flat=True))


def _remember_each(item: JobItem) -> Cost:
    for place in range(item.first, item.first + item.size):
        ensure_person(external_id=f"{item.name}-{place}")
    return Cost(bytes=10 * item.size)


def test_items_are_done_in_order_and_counted(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 2), Part("b", 1))

    assert work_items(lease, _remember_each)

    assert [state for *_, state in _items(lease)] == ["succeeded", "succeeded"]
    job = _job(lease)
    assert (job.done, job.failed, job.cost_bytes) == (3, 0, 30)
    assert _people(lease) == ["a-0", "a-1", "b-0"]


def test_an_item_that_a_person_can_mend_is_set_aside_with_its_code(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 1), Part("b", 1))

    def refuse_a(item: JobItem) -> Cost:
        if item.name == "a":
            ensure_person(external_id="half-done")
            raise MemoryEmpty
        return _remember_each(item)

    assert work_items(lease, refuse_a)

    assert [state for *_, state in _items(lease)] == ["failed", "succeeded"]
    assert (_job(lease).done, _job(lease).failed) == (1, 1)
    assert _people(lease) == ["b-0"], "nothing half-done is kept"


def test_what_is_about_the_whole_job_is_not_put_down_to_an_item(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 1))

    def refuse(_: JobItem) -> Cost:
        raise PersonNotFound(person="x")

    with pytest.raises(PersonNotFound):
        work_items(lease, refuse)

    assert _items(lease) == [("a", 0, 1, "queued")]


def test_what_breaks_us_is_found_by_halving_and_set_aside_alone(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 8))

    def break_at_five(item: JobItem) -> Cost:
        if item.first <= 5 < item.first + item.size:
            raise ValueError("a person's words, which nobody shall see")
        return _remember_each(item)

    assert work_items(lease, break_at_five)

    assert ("a", 5, 1, "quarantined") in _items(lease)
    assert (_job(lease).done, _job(lease).failed) == (7, 1)
    with tenant_scope(acme.id):
        bad = job_items(job_id=lease.job_id).get(state="quarantined")
        assert items_set_aside(lease) == [bad]
    assert (bad.error_class, bad.error_code) == ("poison", "item-breaks")
    assert bad.error_params["what"].startswith("ValueError at test_job_items.py:")
    assert "words" not in str(bad.error_params)


def test_what_kills_workers_is_found_by_halving_too(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 4))

    def die_at_two(item: JobItem) -> Cost:
        if item.first <= 2 < item.first + item.size:
            raise _Killed
        return _remember_each(item)

    deaths = 0
    while True:
        try:
            if work_items(lease, die_at_two):
                break
        except _Killed:
            deaths += 1
            lease = _taken_over(lease)

    assert deaths == 6  # twice for 4, for 2 and for 1
    assert deaths > MAX_ATTEMPTS, "cutting counts as moving on"
    assert ("a", 2, 1, "quarantined") in _items(lease)
    assert _people(lease) == ["a-0", "a-1", "a-3"]


def test_one_death_over_an_item_is_forgiven(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 4))
    tries = iter([True, False])

    def die_once(item: JobItem) -> Cost:
        if next(tries):
            raise _Killed
        return _remember_each(item)

    with pytest.raises(_Killed):
        work_items(lease, die_once)
    lease = _taken_over(lease)
    assert work_items(lease, die_once)

    assert _items(lease) == [("a", 0, 4, "succeeded")]


def test_what_waits_for_something_of_ours_waits_whole(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 4))

    def unavailable(_: JobItem) -> Cost:
        raise EmbedderUnavailable

    for _ in range(3):
        with pytest.raises(Unavailable):
            work_items(lease, unavailable)
        lease = _taken_over(lease)

    assert _items(lease) == [("a", 0, 4, "queued")]
    assert work_items(lease, _remember_each)


def test_whose_lease_was_taken_changes_no_row(acme: Tenant) -> None:
    old = _begun(acme, Part("a", 1), Part("b", 1))
    _taken_over(old)
    before = (_job(old).version, _items(old), _people(old))

    with pytest.raises(LeaseLost):
        work_items(old, _remember_each)
    with pytest.raises(LeaseLost):
        old.renew()
    with tenant_scope(acme.id):
        for write in (old.finish, old.give_turn_back, old.move_on):
            with pytest.raises(LeaseLost):
                write()

    assert (_job(old).version, _items(old), _people(old)) == before


def test_what_was_set_aside_is_done_when_it_is_tried_again(acme: Tenant) -> None:
    lease = _begun(acme, Part("a", 1), Part("b", 1))

    def break_at_a(item: JobItem) -> Cost:
        if item.name == "a":
            raise KeyError
        return _remember_each(item)

    work_items(lease, break_at_a)
    with lease.step():
        lease.finish()
    with tenant_scope(acme.id):
        retry_failed_items(job_id=lease.job_id)
        again = claim_job(lease.job_id)
    assert again is not None

    assert work_items(again, _remember_each)

    assert _people(again) == ["a-0", "b-0"]
    assert (_job(again).done, _job(again).failed) == (2, 0)


def test_a_long_job_leaves_off_between_two_items(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = _begun(acme, Part("a", 1), Part("b", 1))
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)

    assert not work_items(lease, _remember_each)

    assert [state for *_, state in _items(lease)] == ["succeeded", "queued"]
    lease = _taken_over(lease)
    assert work_items(lease, _remember_each), "nothing is left: it goes on to its end"


def test_globex_s_rows_are_out_of_reach_of_an_item(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(globex.id):
        ensure_person(external_id="theirs")
    lease = _begun(acme, Part("a", 1))

    def reach_out(_: JobItem) -> Cost:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM memories_person WHERE external_id = 'theirs'")
            assert cursor.rowcount == 0
        return Cost()

    assert work_items(lease, reach_out)
