"""What is asked of jobs, tellings and answers kept is looked up, in an organization of many.

The statements that the services send are run once more, as the run-time role, and the rows that
each of them reads are counted. The organization was not there at the last ANALYZE; others were.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from souvenir.core.jobs import Job as Kind
from souvenir.core.jobs import Queue
from souvenir.ingestion.services import describe, remember
from souvenir.memories.metadata import wanted_in
from souvenir.memories.metadata_tokens import memories_with
from souvenir.memories.models import Memory, MetadataToken
from souvenir.memories.selectors import memories, personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants.idempotency.services import Answer, Claim, Sent, claim_or_replay
from tenants.isolation.scope import tenant_scope
from tenants.ledger import (
    Cost,
    accept_job,
    cancel_job,
    claim_next,
    get_job,
    job_items,
    jobs,
    retry_failed_items,
)
from tenants.ledger.items import Part, plan_items, work_items
from tenants.ledger.together import Portion, work_together
from tenants.models import JobItem
from tenants.webhooks.models import Delivery, Endpoint
from tenants.webhooks.recording import tell_of_ended_jobs
from tenants.webhooks.selectors import pending
from tenants.webhooks.services import Wanted, create_endpoint
from tests.builders import Tenant, make_tenant, take_job
from tests.souvenir.search.planned import copy_row

_TABLES = (
    "tenants_job", "tenants_jobitem", "idempotency_replay", "webhooks_event", "webhooks_delivery",
    "memories_metadatatoken", "memories_memory", "memories_memoryversion",
)  # fmt: skip
_OTHERS, _OURS = 3_000, 10_000
_FEW = 100
# What has ended of late is looked for among all jobs and what was told of them, each once.
_EACH_ONCE = "finished_at"
_MORE = (
    "UPDATE tenants_job SET created_at = created_at - random() * interval '10 days'",
    "INSERT INTO webhooks_event SELECT (jsonb_populate_record(one, jsonb_build_object("
    " 'id', uuidv7(), 'job_id', j.id, 'job_version', j.version))).*"
    " FROM webhooks_event one, tenants_job j WHERE one.job_id <> j.id",
    "INSERT INTO webhooks_delivery SELECT (jsonb_populate_record(one, jsonb_build_object("
    " 'id', uuidv7(), 'event_id', e.id))).*"
    " FROM webhooks_delivery one, webhooks_event e WHERE one.event_id <> e.id",
    "INSERT INTO idempotency_replay SELECT (jsonb_populate_record(one, jsonb_build_object("
    " 'id', uuidv7(), 'digest', '\\x' || lpad(to_hex(n), 64, '0')))).*"
    " FROM idempotency_replay one, generate_series(1, {count}) n",
    "INSERT INTO memories_metadatatoken SELECT (jsonb_populate_record(one, jsonb_build_object("
    " 'memory_id', m.id, 'token', '\\x' || lpad(to_hex(n % 50), 32, '0')))).*"
    " FROM memories_metadatatoken one,"
    " (SELECT id, row_number() OVER () AS n FROM memories_memory) m"
    " WHERE one.memory_id <> m.id",
)


@pytest.fixture(scope="module")
def crowded() -> Tenant:
    """An organization that came with much after the last ANALYZE."""
    _fill(make_tenant(), _OTHERS)
    with connections["owner"].cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ANALYZE {table}")
    tenant = make_tenant()
    _fill(tenant, _OURS)
    return tenant


def _fill(tenant: Tenant, count: int) -> None:
    """So many rows in each table, of what is over."""
    with tenant_scope(tenant.id):
        create_endpoint(wanted=Wanted("https://a.example.ca/", "local", "To know.", []))
        job = accept_job(Kind.ERASE, subject_id=uuid4(), person_id=None, unit="tables")
    lease = take_job(tenant, job.id)
    with lease.step(total=1):
        plan_items(lease, [Part("a", size=1)])
    work_items(lease, lambda _: Cost())
    with lease.step():
        lease.finish()
    with tenant_scope(tenant.id):
        tell_of_ended_jobs()
        Delivery.objects.update(state=Delivery.State.DELIVERED)
        _carry_out("the first")
        memory = _remember({"place": 0})
        copy_row(get_job(job_id=job.id), count)
        copy_row(JobItem.objects.get(), count, number="ordinal")
        copy_row(memory, count)
        with connection.cursor() as cursor:
            for statement in _MORE:
                cursor.execute(statement.replace("{count}", str(count)))


def _remember(metadata: dict[str, Any]) -> Memory:
    store = personal_store(person=ensure_person(external_id="alice"))
    return remember(store=store, statement=Statement("Un souvenir", metadata=metadata))


def _carry_out(key: str) -> None:
    claim = claim_or_replay(sent=Sent("secret", "POST /x", key, "/x", b"body"))
    if isinstance(claim, Claim):
        claim.keep(answer=Answer(201, {}, b"{}"), person_id=None, holds_content=False)


def _work(tenant: Tenant) -> None:
    """A job from its beginning to its end, tried again; and one that is cancelled."""
    with tenant_scope(tenant.id):
        job = accept_job(Kind.RUN_IMPORT, subject_id=uuid4(), person_id=None, unit="objects")
        other = accept_job(Kind.RUN_IMPORT, subject_id=uuid4(), person_id=None, unit="objects")
        cancel_job(job_id=other.id)
    lease = take_job(tenant, job.id)
    with lease.step(done=0, total=3):
        plan_items(lease, [Part(name, size=1) for name in "abc"])
    work_items(lease, _break_at_b)
    lease.renew()
    with lease.step():
        lease.finish()
    with tenant_scope(tenant.id):
        retry_failed_items(job_id=job.id)
    again = take_job(tenant, job.id)
    work_together(again, lambda _: Portion({}), tell=lambda _: None)
    with again.step():
        again.charge(Cost(seconds=1.0))
        again.finish()
    with tenant_scope(tenant.id):
        claim_next(Queue.BULK)
        assert len(jobs()[:50]) == 50
        assert len(job_items(job_id=job.id)) == 3


def _break_at_b(item: JobItem) -> Cost:
    if item.name == "b":
        raise ValueError
    return Cost()


def _tell(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        tell_of_ended_jobs()
        assert pending(endpoint_id=Endpoint.objects.get().id)[:1]


def _carry_out_twice(tenant: Tenant) -> None:
    for _ in range(2):
        with tenant_scope(tenant.id):
            _carry_out("once")


def _describe(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        memory = _remember({"place": 7})
        describe(memory_id=memory.id, metadata={"place": 8}, author="key:1")
        wanted = wanted_in({"place": 8})
        listed = memories_with(memories(), wanted, store_ids=[memory.store_id])[:50]
        assert len(listed) == 1
        MetadataToken.objects.filter(memory_id=memory.id).delete()


@pytest.mark.parametrize("do", [_work, _tell, _carry_out_twice, _describe])
def test_no_statement_reads_what_it_does_not_need(crowded: Tenant, do: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        do(crowded)

    too_much = []
    for statement in (query["sql"] for query in queries.captured_queries):
        for table, read in _read_by(crowded, statement):
            limit = 1.1 * _OURS if _EACH_ONCE in statement.partition(" WHERE ")[2] else _FEW
            if read > limit:
                too_much.append((table, read, statement))
    assert too_much == []


def _read_by(tenant: Tenant, statement: str) -> Iterator[tuple[str, int]]:
    """(how a table is read, rows read) by each step of a statement, which is then undone."""
    is_no_read = statement.split(maxsplit=1)[0] not in ("SELECT", "UPDATE", "DELETE")
    if is_no_read or not any(table in statement for table in _TABLES):
        return
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}")
        (answer,) = cursor.fetchone()
        transaction.set_rollback(True)
    told = json.loads(answer) if isinstance(answer, str) else answer
    yield from _reads(told[0]["Plan"])


def _reads(plan: dict[str, Any]) -> Iterator[tuple[str, int]]:
    if "Relation Name" in plan:
        what = f"{plan['Relation Name']} by {plan.get('Index Name', plan['Node Type'])}"
        rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        yield what, int(rows * plan["Actual Loops"])
    for child in plan.get("Plans", []):
        yield from _reads(child)
