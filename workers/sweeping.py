"""The sweep: ring again for what nobody took, remove what has expired. Loops over organizations."""

from souvenir.export.services import expire_exports
from tenants import objects
from tenants.idempotency.services import expire_replays
from tenants.isolation.scope import tenant_scope
from tenants.ledger import ring_overdue_jobs
from tenants.selectors import organizations

_ABANDONED_SECONDS = 24 * 60 * 60  # no upload and no copy takes that long to write


def sweep() -> dict[str, int]:
    """One round. Running it twice, or in two processes, does no harm. Gives counts by kind."""
    counts = dict.fromkeys(("jobs_rung", "exports_expired", "drafts_removed", "replays_expired"), 0)
    for organization in organizations().filter(state="active").iterator():
        with tenant_scope(organization.id):
            counts["jobs_rung"] += ring_overdue_jobs()
            counts["exports_expired"] += expire_exports()
            counts["replays_expired"] += expire_replays()
            counts["drafts_removed"] += objects.remove_abandoned_drafts(
                older_than_seconds=_ABANDONED_SECONDS
            )
    return counts
