"""A holder that froze within a step: its transaction has the job's row locked, and says nothing.

A process that is stopped, or a machine that has gone without closing its connections, is not dead
for the server, which ends such a transaction after a minute (tenants/isolation/roles.py). Whoever
wants to claim the job can tell sooner: a holder that lives beats, however long its step.
"""

from typing import Any
from uuid import UUID

from django.db import connection

from tenants.isolation.scope import current_tenant
from tenants.ledger.lease import LEASE
from tenants.models import Ring

_ENDING_MILLISECONDS = 2_000
# Who has the row locked is who is in its xmax, unless several have; then the server's minute holds.
_END = """
    SELECT pg_terminate_backend(a.pid, %(ending)s)
      FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'transactionid' AND l.granted AND l.transactionid = (
           SELECT j.xmax FROM tenants_job j WHERE j.tenant_id = %(tenant)s AND j.id = %(job)s)
       AND a.state = 'idle in transaction' AND a.state_change < clock_timestamp() - %(silence)s
"""


def end_frozen_step(job_id: UUID) -> bool:
    """End the transaction of a job's holder, if nothing is heard of it. Says whether one ended.

    Nothing is heard if its lease ran out without a beat, so that the job was rung again, and if its
    transaction has asked nothing for as long. It writes nothing more then, and meets that when it
    wakes. Needs a tenant scope.
    """
    # Who ends or cancels the job has its ring locked as well, and may take its time.
    rung = Ring.objects.select_for_update(skip_locked=True).filter(state=Ring.State.RUNG)
    if not rung.filter(organization_id=current_tenant(), job_id=job_id):
        return False
    values: dict[str, Any] = {
        "tenant": current_tenant(),
        "job": job_id,
        "silence": LEASE,
        "ending": _ENDING_MILLISECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_END, values)
        return any(ended for (ended,) in cursor.fetchall())
