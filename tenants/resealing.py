"""Give a subject a new key, and seal again what the old one sealed, while everything goes on."""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Max, Model
from django.utils import timezone
from psycopg import sql

from souvenir.audit.actions import Action
from souvenir.core.jobs import Job
from souvenir.core.sealing import header_entry
from tenants import objects
from tenants.auditing import audit
from tenants.isolation.scope import current_tenant, tenant_named
from tenants.keyring.database import keyring_transaction
from tenants.keyring.errors import ContentGone
from tenants.keyring.models import SubjectKey
from tenants.keyring.services import (
    newest_key_of,
    retire_subject_keys,
    rotate_subject_key,
    subjects_with_keys,
)
from tenants.ledger import Lease, accept_job
from tenants.ledger.selectors import UNFINISHED
from tenants.models import Job as JobRow
from tenants.sealed import SealedRecord, sealed_columns

_STEP_ROWS = 200
_RENEWED_AT_ONCE = 20  # of an organization, in a round
# A transaction that began under the old key may still write with it; none is open for so long.
_LAST_WRITES = timedelta(seconds=120)
_LONGEST_HEADER = 2 + 255 * 20
_NO_ROW = UUID(int=0)


def request_new_key(*, subject_id: UUID) -> JobRow:
    """Rotate a subject's key: new writes use it from now on, and a job seals the rest again.

    Raises:
        ContentGone
    """
    version = rotate_subject_key(subject_id)
    audit(Action.KEYS_ROTATED, f"subject:{subject_id}", details={"version": version})
    return accept_job(Job.SEAL_AGAIN, subject_id=subject_id, person_id=None, unit="rows")


def request_new_keys() -> int:
    """Rotate the key of everyone in the organization in scope. Gives how many."""
    subjects = subjects_with_keys()
    for subject_id in subjects:
        request_new_key(subject_id=subject_id)
    return len(subjects)


def renew_old_keys() -> int:
    """Rotate the keys that are too old in the organization in scope, a few at a time.

    Gives how many. One whose rotation is under way is left alone.
    """
    limit = timezone.now() - timedelta(days=settings.SOUVENIR_KEY_DAYS)
    under_way = JobRow.objects.filter(kind=Job.SEAL_AGAIN.value, state__in=UNFINISHED)
    busy = set(under_way.values_list("subject_id", flat=True))
    old = [one for one in _with_keys_before(limit) if one not in busy]
    for subject_id in old[:_RENEWED_AT_ONCE]:
        with suppress(ContentGone):  # erased meanwhile
            request_new_key(subject_id=subject_id)
    return len(old[:_RENEWED_AT_ONCE])


def _with_keys_before(moment: datetime) -> list[UUID]:
    """Whose newest key in the organization in scope is older, the oldest first. One query."""
    with keyring_transaction(current_tenant()):
        alive = SubjectKey.objects.filter(destroyed_at=None).values("subject_id")
        newest = alive.annotate(newest=Max("created_at")).filter(newest__lt=moment)
        return list(newest.order_by("newest").values_list("subject_id", flat=True))


def seal_again(lease: Lease) -> None:
    """Seal everything of a subject with its newest key, then end the older ones.

    Safe to run again from any point: what is sealed with the newest key is left alone.

    Raises:
        ContentGone: the subject was erased meanwhile.
        LeaseLost
    """
    lease.cannot_be_cut(because="a sealed file is written again in one piece")
    with lease.step(done=0):
        version, made_at = newest_key_of(lease.subject_id)
    done = sum(_seal_rows_again(lease, model, version) for model in _sealed_models())
    done += _seal_objects_again(lease, version)
    if timezone.now() < made_at + _LAST_WRITES:
        with lease.step():
            lease.postpone(seconds=_LAST_WRITES.total_seconds())
        return
    if done:  # something was written meanwhile: look once more before anything is ended
        with lease.step():
            lease.postpone(seconds=0)
        return
    with lease.step():
        retire_subject_keys(lease.subject_id, below=version)
        lease.finish()


def _sealed_models() -> list[type[SealedRecord]]:
    return [
        model
        for model in apps.get_models()
        if issubclass(model, SealedRecord) and sealed_columns(model)
    ]


def _seal_rows_again(lease: Lease, model: type[SealedRecord], version: int) -> int:
    count, last = 0, _NO_ROW
    while True:
        with lease.step():
            ids = _stale_rows(model, lease.subject_id, version, after=last)
            rows = model._default_manager.select_for_update().filter(id__in=ids)
            for row in rows:
                for field in sealed_columns(model):
                    getattr(row, field.attname)  # opened, so that save() seals it again
                row.save(update_fields=[field.name for field in sealed_columns(model)])
        if not ids:
            return count
        count, last = count + len(ids), ids[-1]


def _stale_rows(model: type[Model], subject_id: UUID, version: int, *, after: UUID) -> list[UUID]:
    """Rows sealed for a subject, but not with this version of its key; in order of their ids.

    The header stands in clear in front of each value, so nothing has to be opened to tell.
    """
    columns: list[sql.Composable] = [
        sql.SQL(
            "(position(%(subject)s in substring({column} for {longest})) > 0"
            " AND position(%(entry)s in substring({column} for {longest})) = 0)"
        ).format(column=sql.Identifier(str(field.column)), longest=sql.Literal(_LONGEST_HEADER))
        for field in sealed_columns(model)
    ]
    stale = sql.SQL(" OR ").join(columns)
    statement = sql.SQL(
        "SELECT id FROM {table} WHERE tenant_id = %(tenant)s AND id > %(after)s AND ({stale})"
        " ORDER BY id LIMIT {limit}"
    ).format(table=sql.Identifier(model._meta.db_table), stale=stale, limit=sql.Literal(_STEP_ROWS))
    with connection.cursor() as cursor:
        cursor.execute(
            statement.as_string(cursor.connection),
            {
                "tenant": current_tenant(),
                "after": after,
                "subject": subject_id.bytes,
                "entry": header_entry(subject_id, version),
            },
        )
        return [id_ for (id_,) in cursor.fetchall()]


def _seal_objects_again(lease: Lease, version: int) -> int:
    with lease.step():
        found = [(kind, name) for kind in objects.kinds() for name in objects.names(kind)]
    count = 0
    for kind, name in found:
        # No transaction is open meanwhile: a large file takes its time.
        with tenant_named(lease.organization_id):
            count += _seal_object_again(kind, name, lease.subject_id, version)
    return count


def _seal_object_again(kind: str, name: str, subject_id: UUID, version: int) -> bool:
    stored = objects.stored(kind, name)
    try:
        stale = dict(stored.subjects()).get(subject_id, version) != version
        return stale and objects.seal_again(kind, name)
    except (FileNotFoundError, objects.ObjectRemoved):
        return False
