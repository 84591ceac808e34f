"""Many small items in one step: as safe as one by one, when it fails or its worker is gone."""

from collections import Counter
from collections.abc import Mapping
from uuid import uuid4

import pytest
from django.db import connection

from souvenir.core.jobs import Job as Kind
from souvenir.memories.errors import MemoryEmpty
from souvenir.memories.models import Person
from souvenir.memories.services import ensure_person
from tenants.errors import LeaseLost
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, accept_job, get_job, job_items
from tenants.ledger.items import Part, plan_items
from tenants.ledger.together import Portion, work_together
from tenants.models import Job, JobItem
from tests.builders import Tenant, take_job


class _Killed(BaseException):
    """As a worker that is gone."""


@pytest.fixture(autouse=True)
def _slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """However loaded the machine is, a step has room for all."""
    monkeypatch.setattr("tenants.ledger.together.STEP_SECONDS", 60.0)
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 60.0)


def _begun(tenant: Tenant, *names: str) -> Lease:
    with tenant_scope(tenant.id):
        job = accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables")
    lease = take_job(tenant, job.id)
    with lease.step(total=len(names)):
        plan_items(lease, [Part(name, size=1) for name in names])
    return lease


def _job(lease: Lease) -> Job:
    with tenant_scope(lease.organization_id):
        return get_job(job_id=lease.job_id)


def _items(lease: Lease) -> dict[str, tuple[str, int]]:
    """State and portions of each."""
    with tenant_scope(lease.organization_id):
        return {item.name: (item.state, item.attempts) for item in job_items(job_id=lease.job_id)}


def _people(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant.id):
        return sorted(Person.objects.values_list("external_id", flat=True))


def _remember(item: JobItem) -> Portion:
    ensure_person(external_id=item.name)
    return Portion({"people": 1})


class _Report:
    """What has been told, and in how many steps."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.steps = 0

    def __call__(self, counts: Mapping[str, int]) -> None:
        self.counts.update(counts)
        self.steps += 1


def test_all_are_done_in_one_step_and_counted_once(acme: Tenant) -> None:
    lease, report = _begun(acme, "a", "b", "c"), _Report()
    before = _job(lease).version

    assert work_together(lease, _remember, tell=report)

    assert _items(lease) == dict.fromkeys("abc", ("succeeded", 1))
    assert (report.counts, report.steps) == ({"people": 3}, 1)
    job = _job(lease)
    assert (job.done, job.version) == (3, before + 1)


def test_of_what_has_more_the_next_portion_follows(acme: Tenant) -> None:
    lease, report = _begun(acme, "a", "b"), _Report()
    left = iter([True, True, False])

    def in_portions(item: JobItem) -> Portion:
        return Portion({item.name: 5}, more=item.name == "a" and next(left))

    assert work_together(lease, in_portions, tell=report)

    assert _items(lease) == {"a": ("succeeded", 3), "b": ("succeeded", 1)}
    assert report.counts == {"a": 15, "b": 5}


def test_a_step_ends_by_the_clock(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.ledger.together.STEP_SECONDS", 0.0)
    lease, report = _begun(acme, "a", "b", "c"), _Report()

    assert work_together(lease, _remember, tell=report)

    assert (report.counts, report.steps) == ({"people": 3}, 3)


def test_a_turn_ends_between_two_steps(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.ledger.together.STEP_SECONDS", 0.0)
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)
    lease, report = _begun(acme, "a", "b"), _Report()

    assert not work_together(lease, _remember, tell=report)

    job = _job(lease)
    assert (job.state, job.holder, job.done) == ("running", "", 1)
    assert _items(lease) == {"a": ("succeeded", 1), "b": ("queued", 0)}
    assert work_together(take_job(acme, lease.job_id), _remember, tell=report)
    assert report.counts == {"people": 2}


def test_what_fails_leaves_done_what_came_before_it(acme: Tenant) -> None:
    lease, report = _begun(acme, "a", "b", "c", "d"), _Report()

    def refuse_c(item: JobItem) -> Portion:
        if item.name == "c":
            ensure_person(external_id="half-done")
            raise MemoryEmpty
        return _remember(item)

    with pytest.raises(MemoryEmpty):
        work_together(lease, refuse_c, tell=report)

    assert _items(lease) == dict.fromkeys("ab", ("succeeded", 1)) | dict.fromkeys(
        "cd", ("queued", 0)
    )
    assert _people(acme) == ["a", "b"]
    assert (report.counts, _job(lease).done) == ({"people": 2}, 2)


def test_after_a_lost_holder_each_is_alone_and_counted_once(acme: Tenant) -> None:
    lease, report = _begun(acme, "a", "b", "c"), _Report()

    def die_at_c(item: JobItem) -> Portion:
        if item.name == "c":
            raise _Killed
        return _remember(item)

    with pytest.raises(_Killed):
        work_together(lease, die_at_c, tell=report)
    assert (_people(acme), report.steps) == ([], 0), "nothing of the step is kept"
    with pytest.raises(_Killed):
        work_together(take_job(acme, lease.job_id), die_at_c, tell=report)

    assert (_people(acme), report.steps) == (["a", "b"], 2)
    assert work_together(take_job(acme, lease.job_id), _remember, tell=report)
    assert report.counts == {"people": 3}
    assert _job(lease).done == 3


def test_what_a_holder_of_before_had_in_hand_is_done_too(acme: Tenant) -> None:
    lease = _begun(acme, "a", "b")
    with lease.step():
        job_items(job_id=lease.job_id).filter(name="a").update(state=JobItem.State.RUNNING)

    assert work_together(lease, _remember, tell=_Report())

    assert _people(acme) == ["a", "b"]


def test_whose_lease_was_taken_changes_no_row(acme: Tenant) -> None:
    old = _begun(acme, "a")
    take_job(acme, old.job_id)

    with pytest.raises(LeaseLost):
        work_together(old, _remember, tell=_Report())

    assert (_items(old), _people(acme)) == ({"a": ("queued", 0)}, [])


def test_globex_s_rows_are_out_of_reach(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(globex.id):
        ensure_person(external_id="theirs")
    lease = _begun(acme, "a")

    def reach_out(_: JobItem) -> Portion:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM memories_person WHERE external_id = 'theirs'")
            return Portion({"theirs": cursor.rowcount})

    report = _Report()
    assert work_together(lease, reach_out, tell=report)

    assert report.counts["theirs"] == 0
    assert _people(globex) == ["theirs"]
