"""Take everything home: ask for a copy, let it expire."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from souvenir.audit.actions import Action
from souvenir.core.jobs import Job as Kind
from souvenir.export.models import Export
from souvenir.memories.models import Person
from tenants import objects
from tenants.auditing import audit
from tenants.ledger import accept_job
from tenants.ledger.allowances import check_jobs_quota
from tenants.ledger.selectors import UNFINISHED
from tenants.models import Job

EXPORTS = "exports"  # the kind of object that a finished copy is, and the parts of one to come
_ID_CHARACTERS = 36
_FAILED_KEPT = timedelta(days=1)  # its parts: it can be gone on with for so long


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
    audit(Action.EXPORT_ASKED, f"export:{export.id}", person_id=export.person_id)
    return export


def expire_exports() -> int:
    """Remove the files of copies whose time is over; their rows stay. Gives how many files.

    Parts and drafts of what is not being written any more go too. Needs a tenant scope.
    """
    names = objects.names(EXPORTS)  # listed first: whatever is begun later is not among them
    over = Export.objects.filter(expires_at__lte=timezone.now(), size_bytes__isnull=False)
    removed = [objects.remove(EXPORTS, str(export.id)) for export in over]
    over.update(size_bytes=None)
    published = {str(id_) for id_ in Export.objects.values_list("id", flat=True)}
    of_parts = {name[:_ID_CHARACTERS] for name in names} if set(names) - published else set()
    kept = _gone_on_with(of_parts)
    parts = [name for name in names if name not in published and name[:_ID_CHARACTERS] not in kept]
    # The list first: without it, whoever tries again begins anew.
    parts.sort(key=lambda name: not name.endswith("-list"))
    return sum(removed) + sum(objects.remove(EXPORTS, name) for name in parts)


def _gone_on_with(export_ids: set[str]) -> set[str]:
    """Those of some copies that are being written, or may be tried again."""
    since = timezone.now() - _FAILED_KEPT
    going_on = Q(state__in=UNFINISHED) | Q(state=Job.State.FAILED, finished_at__gte=since)
    found = Job.objects.filter(
        going_on, kind=Kind.WRITE_EXPORT.value, subject_id__in=list(export_ids)
    )
    return {str(id_) for id_ in found.values_list("subject_id", flat=True)}
