"""Take everything home: ask for a copy, write it, let it expire."""

import hashlib
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

import souvenir
from souvenir.core.jobs import Job as Kind
from souvenir.export.contents import Contents, begin_snapshot
from souvenir.export.models import Export
from souvenir.ingestion.archive_rows import text_of
from souvenir.memories.models import Person
from souvenir.portability.souvenir_archive import writing_archive
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, accept_job
from tenants.ledger.allowances import check_jobs_quota
from tenants.models import Job

_CHUNK_BYTES = 1024 * 1024
EXPORTS = "exports"  # the kind of object that a finished copy is


def request_export(*, person: Person | None) -> Export:
    """Ask for a copy of all of a person's or the organization's memory. Needs a tenant scope.

    Raises:
        TooManyJobs
    """
    check_jobs_quota()
    export = Export.objects.create(person_id=person.id if person else None)
    job = accept_job(
        Kind.WRITE_EXPORT, subject_id=export.id, person_id=export.person_id, unit="objects"
    )
    export.job_id = job.id
    export.save(update_fields=["job_id"])
    return export


def write_export(lease: Lease) -> None:
    """Write a copy. Safe to run again: only a whole file is ever given its name.

    Raises:
        LeaseLost
    """
    with lease.step(done=0):
        export = Export.objects.select_related("person").get(id=lease.subject_id)
    draft = f"{export.id}-{lease.fence}"
    try:
        _write(lease, export, draft)
        with lease.step(done=lease.pulse.total, total=lease.pulse.total):
            _publish(export, draft)
            lease.finish()
    finally:
        with tenant_scope(lease.organization_id):
            objects.remove(EXPORTS, draft)


def _write(lease: Lease, export: Export, draft: str) -> None:
    """One consistent reading, into a file that nobody can ask for yet."""
    lease.cannot_be_cut(because="a copy is of one moment of the database")
    with tenant_scope(lease.organization_id):
        begin_snapshot()
        contents = Contents(export.person)
        lease.pulse.total = contents.size()
        subjects = [export.person_id or export.tenant_id]
        with (
            objects.writing(EXPORTS, draft, sealed_for=subjects) as stream,
            writing_archive(stream) as archive,
        ):
            counts = contents.write(archive, told=partial(_tell, lease))
            archive.close(
                {
                    "scope": "person" if export.person else "organization",
                    "created_at": text_of(timezone.now()),
                    "software": f"souvenir {souvenir.__version__}",
                    "counts": counts,
                }
            )


def _tell(lease: Lease, written: int) -> None:
    """The next beat writes it down: the snapshot's own transaction is open until the end."""
    lease.pulse.done = written


def _publish(export: Export, draft: str) -> None:
    """Give the file its name and its facts. In a step: an erasure in between took the lease."""
    written = objects.stored(EXPORTS, draft)
    digest = hashlib.sha256()
    with written.open() as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    export.sha256 = digest.hexdigest()
    export.size_bytes = written.stat().st_size
    export.expires_at = timezone.now() + timedelta(days=settings.SOUVENIR_EXPORT_DAYS)
    export.save(update_fields=["sha256", "size_bytes", "expires_at"])
    objects.rename(EXPORTS, draft, to=str(export.id))


def expire_exports() -> int:
    """Remove the files of copies whose time is over; their rows stay. Gives how many files.

    Drafts that a killed worker left go too. Needs a tenant scope.
    """
    names = set(objects.names(EXPORTS))  # listed first: whatever is begun later is not among them
    over = Export.objects.filter(expires_at__lte=timezone.now(), size_bytes__isnull=False)
    removed = [objects.remove(EXPORTS, str(export.id)) for export in over]
    over.update(size_bytes=None)
    published = {str(id_) for id_ in Export.objects.values_list("id", flat=True)}
    in_hand = {f"{subject_id}-{fence}" for subject_id, fence in _running()}
    return sum(removed) + sum(objects.remove(EXPORTS, name) for name in names - published - in_hand)


def _running() -> QuerySet[Job, tuple[UUID, int]]:
    """What is being written at this moment: the export's id and the writer's fence."""
    held = Job.objects.filter(kind=Kind.WRITE_EXPORT.value, state=Job.State.RUNNING)
    return held.values_list("subject_id", "fence")
