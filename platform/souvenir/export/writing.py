"""Write a copy: list what is there, write it part by part, join the parts.

The list is of one moment, and a part is one item of the job: so a copy that was interrupted goes on
where it was, and comes out the same. While it is written nothing of it is erased: an erasure ends
the copies that may hold what goes, and a copy begins after the erasures that began before it.
"""

import hashlib
import json
from datetime import timedelta
from functools import partial
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

import souvenir
from souvenir.audit.actions import Action
from souvenir.core.jobs import Job as Kind
from souvenir.export.contents import LINE_FILES, write_part
from souvenir.export.listing import BODIES, FILES, begin_snapshot, kind_of, read_list, write_list
from souvenir.export.models import Export
from souvenir.export.services import EXPORTS
from souvenir.ingestion.archive_rows import text_of
from souvenir.portability.archive_parts import Joining, Opened, PartWriter
from tenants import objects
from tenants.auditing import audit
from tenants.isolation.scope import tenant_named, tenant_scope
from tenants.ledger import Cost, Lease, job_items
from tenants.ledger.items import forget_items, plan_items, work_all
from tenants.ledger.selectors import UNFINISHED
from tenants.models import Job, JobItem

_ERASING_SECONDS = 2.0


def write_export(lease: Lease) -> None:
    """Write a copy, for a turn or to its end. Safe to run again from any point.

    Raises:
        LeaseLost
    """
    with lease.step():
        export = Export.objects.select_related("person").get(id=lease.subject_id)
        is_listed = _list(export).exists() and job_items(job_id=lease.job_id).exists()
        if not is_listed and _is_being_erased_from(export, lease):
            lease.postpone(seconds=_ERASING_SECONDS)
            return
    if not is_listed:
        _write_list(lease, export)
    if work_all(lease, partial(_write_part, lease, export)):
        _join(lease, export)
        with tenant_scope(lease.organization_id):
            _remove_parts(export)


def _is_being_erased_from(export: Export, lease: Lease) -> bool:
    """Whether an erasure goes on that will not end this copy, for it began before."""
    asked_at = Job.objects.values_list("created_at", flat=True).get(id=lease.job_id)
    about = Q() if export.person_id is None else Q(person_id=export.person_id)
    erasures = Job.objects.filter(about, kind=Kind.ERASE.value, state__in=UNFINISHED)
    return erasures.filter(created_at__lte=asked_at).exists()


def _list(export: Export) -> objects.StoredObject:
    return objects.stored(EXPORTS, f"{export.id}-list")


def _write_list(lease: Lease, export: Export) -> None:
    draft = f"{export.id}-{lease.fence}-list"
    with tenant_scope(lease.organization_id):
        begin_snapshot()
        with objects.writing(EXPORTS, draft, sealed_for=_subjects(export)) as stream:
            head = {"created_at": text_of(timezone.now())}
            stream.write(json.dumps(head).encode() + b"\n")
            parts = list(write_list(export.person, stream))
    with lease.step(done=0, total=sum(part.size for part in parts)):
        forget_items(lease)
        plan_items(lease, parts)
        objects.rename(EXPORTS, draft, to=_list(export).name)


def _write_part(lease: Lease, export: Export, item: JobItem) -> Cost:
    """Write one part. Under a name that no other holder of the job gives."""
    with _list(export).open() as listed:
        kind, entries = read_list(listed, item.name)
    name = _part_name(export, item.ordinal, lease.fence)
    with objects.writing(EXPORTS, name, sealed_for=_subjects(export)) as stream:
        part = PartWriter(stream)
        write_part(part, kind, entries, person=export.person)
        part.finish()
        return Cost(bytes=stream.tell())


def _join(lease: Lease, export: Export) -> None:
    """Make one file of the parts, which nobody can ask for before it is whole."""
    lease.cannot_be_cut(because="the parts of a copy are joined in one reading")
    with lease.step():
        items = list(job_items(job_id=lease.job_id))
        subjects = _subjects(export)
    draft = f"{export.id}-{lease.fence}-copy"
    try:
        with (
            tenant_named(lease.organization_id),  # no transaction is open meanwhile
            objects.writing(EXPORTS, draft, sealed_for=subjects) as stream,
        ):
            written = _Measured(stream)
            _write_archive(export, items, written)
        with lease.step():
            export.sha256 = written.digest.hexdigest()
            export.size_bytes = written.size_bytes
            export.expires_at = timezone.now() + timedelta(days=settings.SOUVENIR_EXPORT_DAYS)
            export.save(update_fields=["sha256", "size_bytes", "expires_at"])
            audit(
                Action.EXPORT_MADE,
                f"export:{export.id}",
                person_id=export.person_id,
                private={"bytes": written.size_bytes},
            )
            objects.rename(EXPORTS, draft, to=str(export.id))
            lease.finish()
    finally:
        with tenant_scope(lease.organization_id):
            objects.remove(EXPORTS, draft)


def _write_archive(export: Export, items: list[JobItem], stream: "_Measured") -> None:
    with _list(export).open() as listed:
        head = json.loads(listed.readline())
    parts: dict[str, list[Opened]] = {}
    for item in items:
        stored = objects.stored(EXPORTS, _part_name(export, item.ordinal, item.fence))
        parts.setdefault(kind_of(item.name), []).append(stored.open)
    archive = Joining(stream)  # type: ignore[arg-type]  # it only writes
    counts = {
        path.removesuffix(".jsonl").replace("raw", "raw_objects"): archive.lines(
            path, parts.get(kind, [])
        )
        for path, kind in LINE_FILES.items()
    }
    for kind in (BODIES, FILES):
        archive.files(parts.get(kind, []))
    archive.close(
        {
            "scope": "person" if export.person_id else "organization",
            "created_at": head["created_at"],
            "software": f"souvenir {souvenir.__version__}",
            "counts": counts,
        }
    )


class _Measured:
    """Counts and hashes what is written through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size_bytes += len(data)
        return self._stream.write(data)


def _subjects(export: Export) -> list[UUID]:
    return [export.person_id or export.tenant_id]


def _part_name(export: Export, ordinal: int, fence: int) -> str:
    return f"{export.id}-{fence}-{ordinal}"


def _remove_parts(export: Export) -> None:
    """The sweep removes what is left if we are killed before."""
    for name in objects.names(EXPORTS):
        if name.startswith(f"{export.id}-"):
            objects.remove(EXPORTS, name)
