"""A message on the broker chooses no organization: only a ticket of ours does anything."""

import time
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.core import signing
from django.core.exceptions import ObjectDoesNotExist

from souvenir.core.jobs import TICKET, TICKET_SECONDS, Job
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.models import Job as JobRow
from tests.adversarial.filled import Filled
from tests.adversarial.judging import Tally
from tests.adversarial.kinds import Kind
from tests.adversarial.row_state import State, differences, state_of
from tests.builders import make_tenant
from workers.app import app
from workers.deletion import erase_task
from workers.embedding import (
    clear_model_task,
    demote_store_task,
    embed_passages_task,
    fill_model_task,
    promote_store_task,
)
from workers.export import write_export_task
from workers.ingestion import run_import_task
from workers.keys import rebuild_tokens_task, seal_again_task
from workers.webhooks import deliver_webhooks_task

TASKS: dict[Job, Any] = {
    Job.RUN_IMPORT: run_import_task,
    Job.EMBED_PASSAGES: embed_passages_task,
    Job.WRITE_EXPORT: write_export_task,
    Job.ERASE: erase_task,
    Job.SEAL_AGAIN: seal_again_task,
    Job.REBUILD_TOKENS: rebuild_tokens_task,
    Job.PROMOTE_STORE: promote_store_task,
    Job.DEMOTE_STORE: demote_store_task,
    Job.FILL_MODEL: fill_model_task,
    Job.CLEAR_MODEL: clear_model_task,
    Job.DELIVER_WEBHOOKS: deliver_webhooks_task,
}
# Of each kind, what it works on; add that of a new kind.
SUBJECTS = {
    Job.RUN_IMPORT: Kind.IMPORT,
    Job.EMBED_PASSAGES: Kind.MEMORY,
    Job.WRITE_EXPORT: Kind.EXPORT,
    Job.ERASE: Kind.ERASURE,
    Job.SEAL_AGAIN: Kind.MEMORY,
    Job.REBUILD_TOKENS: Kind.MEMORY,
    Job.PROMOTE_STORE: Kind.MEMORY,
    Job.DEMOTE_STORE: Kind.MEMORY,
    Job.FILL_MODEL: Kind.MEMORY,
    Job.CLEAR_MODEL: Kind.MEMORY,
    Job.DELIVER_WEBHOOKS: Kind.WEBHOOK,
}
SALT = "souvenir.job"
each_kind = pytest.mark.parametrize("kind", Job)


def test_every_kind_of_job_is_tried() -> None:
    assert set(TASKS) == set(Job), "Add the task of the new kind to TASKS, in this file."


def test_every_task_of_ours_is_a_kind_of_job() -> None:
    ours = {name for name in app.tasks if not name.startswith("celery.")}

    assert ours == {kind.value for kind in Job}, "Make it with job_task (workers/running.py)."


@each_kind
def test_a_ticket_that_names_one_organization_and_another_s_job_does_nothing(
    three: dict[str, Filled], kind: Job
) -> None:
    acme, globex = three["acme"], three["globex"]
    theirs = _waiting_job(globex, kind)
    before = _states(three)

    for job_id in (theirs, uuid4(), UUID(globex.mine[Kind.JOB])):
        _deliver(TASKS[kind], _ticket(kind, acme.id, job_id))

    assert _changed(three, before) == []


@each_kind
def test_a_ticket_that_is_not_ours_does_nothing(three: dict[str, Filled], kind: Job) -> None:
    globex = three["globex"]
    job_id = _waiting_job(globex, kind)
    before = _states(three)
    good = _ticket(kind, globex.id, job_id)
    facts, stamp, signature = good.split(":")
    acme_s = _ticket(kind, three["acme"].id, job_id).split(":")
    long_ago = time.time() - TICKET_SECONDS - 60
    with patch("django.core.signing.time.time", return_value=long_ago):
        expired = _ticket(kind, globex.id, job_id)
    wrong = [
        None,
        "",
        "::",
        f"{facts}:{stamp}:{signature[:-2]}",
        f"{facts}:{stamp}:{acme_s[2]}",
        f"{acme_s[0]}:{stamp}:{signature}",
        f"{facts}:{acme_s[1]}x:{signature}",
        signing.dumps([kind.value, str(globex.id), str(job_id)], salt="another"),
        signing.dumps([kind.value, str(globex.id), str(job_id)], key="another", salt=SALT),
        expired,
        *(_ticket(other, globex.id, job_id) for other in Job if other is not kind),
    ]

    for ticket in wrong:
        with pytest.raises(signing.BadSignature):
            _deliver(TASKS[kind], ticket)

    assert _changed(three, before) == []


def test_the_right_ticket_does_something(three: dict[str, Filled]) -> None:
    initech = three["initech"]
    with tenant_scope(initech.id):
        store_id = UUID(initech.mine[Kind.MEMORY])
        job = accept_job(Job.EMBED_PASSAGES, subject_id=store_id, person_id=None, unit="passages")
    before = _states(three)

    _deliver(embed_passages_task, _ticket(Job.EMBED_PASSAGES, initech.id, job.id))

    # A turn is its organization's: what else waits there may be done in it, and nobody else's.
    changed = _changed(three, before)
    assert "initech: tenants_job" in changed
    assert all(change.startswith("initech: ") for change in changed)


def _waiting_job(filled: Filled, kind: Job) -> UUID:
    """A job that waits, on something that is there: run by anyone, it would change rows."""
    with tenant_scope(filled.id):
        subject_id = UUID(filled.mine[SUBJECTS[kind]])
        return accept_job(kind, subject_id=subject_id, person_id=None, unit="objects").id


def _deliver(task: Any, ticket: str | None) -> None:
    """As a worker runs a message that has this ticket in its header; None: that has none."""
    task.apply(headers={TICKET: ticket} if ticket is not None else {}, throw=True)


def _ticket(kind: Job, organization_id: UUID, job_id: UUID) -> str:
    return signing.dumps([kind.value, str(organization_id), str(job_id)], salt=SALT)


def _states(three: dict[str, Filled]) -> dict[str, State]:
    return {name: state_of(filled.id) for name, filled in three.items()}


def _changed(three: dict[str, Filled], before: dict[str, State]) -> list[str]:
    return [
        f"{name}: {table}"
        for name, filled in three.items()
        for table in differences(before[name], state_of(filled.id))
    ]


@each_kind
def test_a_job_that_names_a_stranger_s_thing_ends_like_one_that_names_nobody_s(
    three: dict[str, Filled], tally: Tally, kind: Job
) -> None:
    globex, initech, tenant = three["globex"], three["initech"], make_tenant()
    before = _states(three)

    ends = {}
    for what, subject in {
        "nobody's": uuid4(),
        "a stranger's": UUID(globex.mine[SUBJECTS[kind]]),
        "another stranger's": UUID(initech.mine[SUBJECTS[kind]]),
    }.items():
        with tenant_scope(tenant.id):
            job = accept_job(kind, subject_id=subject, person_id=None, unit="objects")
        tally.count(f"job {kind.value}", what)
        ends[what] = _end_of(tenant.id, kind, job.id)

    changed = set(_changed(three, before))
    tally.leaks += len(changed) + len(set(ends.values())) - 1
    assert changed == set()
    assert len(set(ends.values())) == 1, ends


def _end_of(tenant_id: UUID, kind: Job, job_id: UUID) -> tuple[str, str]:
    """How a job ends: its state and the code of its error; or what it raised."""
    try:
        _deliver(TASKS[kind], _ticket(kind, tenant_id, job_id))
    except ObjectDoesNotExist as error:
        return "raised", type(error).__name__
    with tenant_scope(tenant_id):
        job = JobRow.objects.get(id=job_id)
    return job.state, job.error_code
