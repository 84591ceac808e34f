"""How far a copy, a restore and an erasure are, as whoever follows them sees it."""

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.registry import ERASABLES
from souvenir.deletion.services import request_erasure
from souvenir.export.services import EXPORTS, request_export
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.services import ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import claim_job, jobs
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs

# One conversation, its two messages, and the raw object.
_OBJECTS = 4


def _last(tenant: Tenant, kind: Kind) -> Job:
    with tenant_scope(tenant.id):
        found = jobs().filter(kind=kind.value).first()
    assert found is not None
    return found


def _export(tenant: Tenant) -> bytes:
    with tenant_scope(tenant.id):
        export = request_export(person=ensure_person(external_id="alice"))
    run_jobs(tenant, Kind.WRITE_EXPORT)
    with tenant_scope(tenant.id), objects.stored(EXPORTS, str(export.id)).open() as stream:
        return stream.read()


def test_a_copy_and_its_restore_count_every_object(acme: Tenant, globex: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour", "Salut"))

    copy = _export(acme)
    with tenant_scope(globex.id):
        person = ensure_person(external_id="alice")
        accept_import(person=person, upload=Upload("copy.zip", [copy]))
    run_jobs(globex, Kind.RUN_IMPORT)

    made, restored = _last(acme, Kind.WRITE_EXPORT), _last(globex, Kind.RUN_IMPORT)
    assert (made.state, made.done, made.total, made.unit) == ("succeeded", 4, 4, "objects")
    assert (restored.state, restored.done) == ("succeeded", restored.total)
    assert restored.total == _OBJECTS + 1, "and the import that brought them"


def test_an_erasure_counts_its_steps(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Bonjour"))
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        request_erasure(target="person", target_id=person.id)

    run_jobs(acme, Kind.ERASE)

    job = _last(acme, Kind.ERASE)
    assert (job.state, job.done, job.failed) == ("succeeded", job.total, 0)
    assert job.done > len(ERASABLES), "each table, and the files"


def test_work_in_one_piece_tells_how_far_it_is_with_each_beat(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        request_export(person=ensure_person(external_id="alice"))
        lease = claim_job(jobs().get(kind=Kind.WRITE_EXPORT.value).id)
    assert lease is not None
    before = _last(acme, Kind.WRITE_EXPORT).version
    lease.pulse.done, lease.pulse.total = 3, 9

    lease.renew()

    job = _last(acme, Kind.WRITE_EXPORT)
    assert (job.done, job.total) == (3, 9)
    assert job.version > before, "whoever follows it hears of it"
