"""What a job says of its error: told to whom it concerns, and a dump of its row names nothing."""

import json

import pytest
from django.db import connection

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.keyring.errors import KeystoreUnavailable
from tenants.keyring.services import destroy_subject_keys
from tenants.ledger import jobs
from tenants.models import Job
from tests.builders import Tenant, run_jobs

FILE_NAME = "divorce-of-alice.json"
BROKEN = b'[{"mapping": {}, "title": "x", "create_time": 1}, oops]'


def _fail_an_import(tenant: Tenant) -> Job:
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice")
        accept_import(person=person, upload=Upload(FILE_NAME, [BROKEN]))
    run_jobs(tenant, Kind.RUN_IMPORT)
    with tenant_scope(tenant.id):
        return jobs().get(kind=Kind.RUN_IMPORT.value)


def _dumped(tenant: Tenant, job: Job) -> str:
    """The row as whoever steals the table has it: texts as they are, bytes as their characters."""
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tenants_job WHERE id = %s", [job.id])
        return "".join(
            bytes(value).decode("latin-1") if isinstance(value, memoryview | bytes) else str(value)
            for value in cursor.fetchone()
        )


def test_a_dump_of_a_failed_import_does_not_name_its_file(acme: Tenant) -> None:
    job = _fail_an_import(acme)

    answer = acme.http.get(f"/api/v1/jobs/{job.id}").json()

    assert job.state == "failed"
    assert FILE_NAME in answer["error"]["detail"], "whom it concerns is told"
    assert "divorce" not in _dumped(acme, job)


def test_globex_is_not_told_of_it(acme: Tenant, globex: Tenant) -> None:
    job = _fail_an_import(acme)

    assert globex.http.get(f"/api/v1/jobs/{job.id}").status_code == 404


def test_what_is_gone_with_a_person_s_key_is_told_as_an_ellipsis(acme: Tenant) -> None:
    job = _fail_an_import(acme)
    with tenant_scope(acme.id):
        assert job.person_id is not None
        destroy_subject_keys(job.person_id)

    answer = acme.http.get(f"/api/v1/jobs/{job.id}").json()

    assert answer["error"]["code"] == job.error_code
    assert "…" in answer["error"]["detail"]


def test_an_error_that_cannot_be_sealed_now_is_found_again_later(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise KeystoreUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(Job, "sealed_for", away)
        parked = _fail_an_import(acme)
    assert (parked.state, parked.error_class) == ("queued", "transient")

    run_jobs(acme, Kind.RUN_IMPORT)

    with tenant_scope(acme.id):
        assert jobs().get(id=parked.id).state == "failed"


def test_an_erasure_that_is_refused_nothing_names_no_one(acme: Tenant) -> None:
    job = _fail_an_import(acme)
    with tenant_scope(acme.id):
        assert job.person_id is not None
        request_erasure(target="person", target_id=job.person_id)
    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id):
        left = json.dumps(list(Job.objects.values_list("error_params", flat=True)))
    assert "divorce" not in left
