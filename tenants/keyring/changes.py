"""What every process must hear of keys, through a table of the keyring. See `KeyChange`.

Times are those of the keyring's own clock: no process has to agree with another on what time it is.
"""

from uuid import UUID

from django.db import connections
from django.db.models.functions import Now

from tenants.keyring.database import ALIAS, control_transaction
from tenants.keyring.models import KeyChange
from tenants.keyring.unwrapped import LIFE_SECONDS, Change, Heard

# A change is told for longer than a key lives: also one whose transaction took its time.
TOLD_SECONDS = 2 * LIFE_SECONDS

# The time comes also where there is nothing to tell.
_RECENT = """
SELECT extract(epoch FROM statement_timestamp())::float8,
       change.id, change.organization_id, change.subject_id
FROM (VALUES (1)) AS always
LEFT JOIN keyring_keychange AS change
       ON change.at >= statement_timestamp() - make_interval(secs => %s)
"""


def recent_changes() -> Heard:
    """The changes of late. Needs no scope; one query.

    Raises:
        KeystoreUnavailable
    """
    with control_transaction(), connections[ALIAS].cursor() as cursor:
        cursor.execute(_RECENT, [TOLD_SECONDS])
        rows = cursor.fetchall()
    changes = [Change(*row[1:]) for row in rows if row[1] is not None]
    return Heard(at_seconds=rows[0][0], changes=changes)


def record_change(tenant_id: UUID, subject_id: UUID | None) -> None:
    """Tell every process. In the transaction that changes the key, so that both or none is seen."""
    KeyChange.objects.create(organization_id=tenant_id, subject_id=subject_id, at=Now())
