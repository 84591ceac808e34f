"""Take things in: accept an upload, remember and correct a single statement."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from souvenir.audit.actions import Action
from souvenir.core.ids import new_id
from souvenir.core.jobs import Job
from souvenir.ingestion.errors import UploadEmpty, UploadTooLarge
from souvenir.ingestion.models import Import
from souvenir.ingestion.passages import index_memory
from souvenir.ingestion.past import keep_passages
from souvenir.memories.models import Memory, Person, Store
from souvenir.memories.selectors import current_versions, personal_store
from souvenir.memories.services import Statement, add_memory, correct_memory, describe_memory
from tenants import objects
from tenants.auditing import audit
from tenants.errors import QuotaExceeded
from tenants.ledger import accept_job, join_waiting_job
from tenants.ledger.allowances import check_jobs_quota, check_upload_quota, count_upload
from tenants.models import Job as JobRow

UPLOADS = "uploads"  # the kind of object that an upload is until it has been read
UNITS = "units"  # the same, taken apart: what has been read and is not all kept yet
REPORTS = "reports"  # what that reading has counted
ASSETS = "assets"  # the kind of object that holds an asset's bytes
_ON_THE_WAY = (UPLOADS, UNITS, REPORTS)
_STOPPED_KEPT, _FAILED_KEPT = timedelta(hours=1), timedelta(days=30)
_ENDED = (JobRow.State.SUCCEEDED, JobRow.State.FAILED)
_ID_CHARACTERS = 36
ARCHIVE_LAYOUT = "souvenir-archive"  # of an import that restores an archive of ours


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it arrives: a name that a person gave it, and its bytes in chunks."""

    file_name: str
    chunks: Iterable[bytes]


def accept_import(*, person: Person | None, upload: Upload) -> Import:
    """Keep an upload and accept the job that brings it in. Needs a tenant scope.

    `person` may be None only for the archive of a whole organization.

    Raises:
        UploadEmpty, UploadTooLarge, UploadQuotaExceeded, TooManyJobs: nothing is kept.
    """
    check_jobs_quota()
    check_upload_quota()
    import_id = new_id()
    digest = hashlib.sha256()
    store = personal_store(person=person) if person else None
    record = Import(
        id=import_id,
        store_id=store.id if store else None,
        person_id=person.id if person else None,
        file_name=upload.file_name[:255],
    )
    chunks = _measured(upload.chunks, digest.update)
    record.size_bytes = objects.store(
        UPLOADS, str(import_id), chunks, sealed_for=record.sealed_for()
    )
    if not record.size_bytes:
        objects.remove(UPLOADS, str(import_id))
        raise UploadEmpty
    try:
        count_upload(upload_bytes=record.size_bytes)
    except QuotaExceeded:
        objects.remove(UPLOADS, str(import_id))
        raise
    record.sha256 = digest.hexdigest()
    record.save(force_insert=True)
    person_id = person.id if person else None
    job = accept_job(Job.RUN_IMPORT, subject_id=record.id, person_id=person_id, unit="objects")
    record.job_id = job.id
    record.save(update_fields=["job_id"])
    audit(
        Action.IMPORT_ACCEPTED,
        f"import:{record.id}",
        person_id=person_id,
        private={"bytes": record.size_bytes},
    )
    return record


def remove_upload(import_id: UUID) -> int:
    """Remove an upload and what was made of it on the way. Gives how many files there were."""
    names = {
        kind: [name for name in objects.names(kind) if name.startswith(str(import_id))]
        for kind in _ON_THE_WAY
    }
    return sum(objects.remove(kind, name) for kind in names for name in names[kind])


def remove_leftovers() -> int:
    """Remove uploads whose job is over and will not be tried again. Needs a tenant scope.

    What failed can be tried again for a while; what was stopped cannot. Gives how many files.
    """
    now = timezone.now()
    over = Q(state=JobRow.State.CANCELLED, finished_at__lt=now - _STOPPED_KEPT)
    over |= Q(state__in=_ENDED, finished_at__lt=now - _FAILED_KEPT)
    on_the_way = {name[:_ID_CHARACTERS] for kind in _ON_THE_WAY for name in objects.names(kind)}
    known = Import.objects.filter(id__in=on_the_way).values_list("id", "job_id")
    jobs = {job_id: import_id for import_id, job_id in known if job_id is not None}
    ended = JobRow.objects.filter(over, id__in=jobs).values_list("id", flat=True)
    return sum(remove_upload(jobs[job_id]) for job_id in ended)


def ask_for_vectors(
    *, store_id: UUID, person_id: UUID | None, parent_id: UUID | None = None
) -> None:
    """Accept the job that embeds what is new in a store; `parent_id`: the job that asks for it.

    Where one of the store waits that nobody has begun, that one will do.
    """
    if parent_id is None and join_waiting_job(Job.EMBED_PASSAGES, subject_id=store_id):
        return
    accept_job(
        Job.EMBED_PASSAGES,
        subject_id=store_id,
        person_id=person_id,
        unit="passages",
        parent_id=parent_id,
    )


@transaction.atomic
def remember(
    *, store: Store, statement: Statement, kind: str = "fact", about: Iterable[str] = ()
) -> Memory:
    """Keep a memory that can be found by its words at once, and ask for its vector.

    Raises:
        MemoryEmpty, MemoryTooLong
        MetadataInvalid, and the other errors of `metadata.changed`
        ExternalIdInvalid, PersonLeaving, TooManySubjects
    """
    memory = add_memory(store=store, statement=statement, kind=kind, about=about)
    _index(memory)
    return memory


@transaction.atomic
def correct(
    *, memory_id: UUID, statement: Statement, expected_version: int | None = None
) -> Memory:
    """Correct a memory; from then on search finds what it says now.

    Raises:
        MemoryNotFound, MemoryChanged, MemoryEmpty, MemoryTooLong
        MetadataInvalid, and the other errors of `metadata.changed`
    """
    memory = correct_memory(
        memory_id=memory_id, statement=statement, expected_version=expected_version
    )
    _index(memory)
    return memory


@transaction.atomic
def describe(
    *, memory_id: UUID, metadata: object, author: str, expected_version: int | None = None
) -> Memory:
    """Change a memory's metadata; from then on filters find what it is now.

    What it says has its passages and vectors already: no job is asked for.

    Raises:
        MemoryNotFound, MemoryChanged
        MetadataInvalid, and the other errors of `metadata.changed`
    """
    memory, is_changed = describe_memory(
        memory_id=memory_id, metadata=metadata, author=author, expected_version=expected_version
    )
    if is_changed:
        keep_passages(memory_id=memory.id, version=memory.version - 1)
    return memory


def _index(memory: Memory) -> None:
    index_memory(memory, current_versions([memory])[memory.id])
    ask_for_vectors(store_id=memory.store_id, person_id=memory.person_id)


def _measured(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > settings.SOUVENIR_UPLOAD_MAX_BYTES:
            raise UploadTooLarge(limit_bytes=settings.SOUVENIR_UPLOAD_MAX_BYTES)
        update(chunk)
        yield chunk
