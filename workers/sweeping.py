"""The sweep: ring again for what nobody took, remove what has expired. Loops over organizations."""

from collections import Counter

from souvenir.core.jobs import Job
from souvenir.core.metrics import jobs_now
from souvenir.export.services import expire_exports
from tenants import objects
from tenants.idempotency.services import expire_replays
from tenants.isolation.scope import tenant_scope
from tenants.ledger import place_missing_rings
from tenants.ledger.selectors import UNFINISHED, unfinished_by_kind
from tenants.selectors import organizations
from tenants.webhooks.recording import tell_of_ended_jobs
from tenants.webhooks.services import forget_old_events

_ABANDONED_SECONDS = 24 * 60 * 60  # no upload and no copy takes that long to write


def sweep() -> dict[str, int]:
    """One round. Running it twice, or in two processes, does no harm. Gives counts by kind."""
    counts: Counter[str] = Counter()
    unfinished: Counter[tuple[str, str]] = Counter()
    for organization in organizations().filter(state="active").iterator():
        with tenant_scope(organization.id):
            counts["jobs_rung"] += place_missing_rings()
            counts["exports_expired"] += expire_exports()
            counts["replays_expired"] += expire_replays()
            counts["events_told"] += tell_of_ended_jobs()
            counts["events_forgotten"] += forget_old_events()
            counts["drafts_removed"] += objects.remove_abandoned_drafts(
                older_than_seconds=_ABANDONED_SECONDS
            )
            unfinished.update(unfinished_by_kind())
    for kind in Job:
        for state in UNFINISHED:
            jobs_now.labels(kind.value, state.value).set(unfinished[kind.value, state.value])
    return dict(counts)
