"""Everything that falls due by itself: what, how often, and for every organization or once.

Each may run twice, or in two processes at once, without harm.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from souvenir.audit.services import make_checkpoints
from souvenir.core.jobs import Job
from souvenir.core.metrics import jobs_now, search_rows
from souvenir.embedding.counts import search_counts
from souvenir.embedding.large_stores import ask_to_place
from souvenir.embedding.selectors import serving_model
from souvenir.embedding.upkeep import keep_in_order
from souvenir.export.services import expire_exports
from souvenir.ingestion.orphans import remove_orphans
from souvenir.ingestion.services import remove_leftovers
from tenants import objects
from tenants.idempotency.services import expire_replays
from tenants.isolation.scope import tenant_scope
from tenants.keyring.services import forget_old_changes
from tenants.ledger import place_missing_rings
from tenants.ledger.retention import forget_dead_letters, forget_old_jobs
from tenants.ledger.selectors import UNFINISHED, unfinished_by_kind
from tenants.resealing import renew_old_keys
from tenants.selectors import organizations
from tenants.webhooks.recording import tell_of_ended_jobs
from tenants.webhooks.services import forget_old_events

_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
_LONGEST_PAUSE_SECONDS = 1.0
_ABANDONED_SECONDS = _DAY  # no upload and no copy takes that long to write
_ORPHANED_SECONDS = _HOUR  # whoever wrote it may be about to write its row; that is checked too


class Run(Protocol):
    def __call__(self, *, gently: bool = False) -> int:
        """Gives how much was done.

        Args:
            gently: pause after each organization for as long as it took, so that half of the time
                is for who waits for answers.
        """


@dataclass(frozen=True, slots=True)
class Upkeep:
    """One schedule, and its code."""

    name: str
    every_seconds: float
    run: Run


def altogether(once: Callable[[], int]) -> Run:
    """Do it for all organizations at once: there is nothing to pause between."""

    def run(*, gently: bool = False) -> int:
        return once()

    return run


def each_organization(once: Callable[[], int]) -> Run:
    """Do it in the scope of each active organization, one transaction each."""

    def run(*, gently: bool = False) -> int:
        done = 0
        for organization in organizations().filter(state="active").iterator():
            began = time.monotonic()
            with tenant_scope(organization.id):
                done += once()
            if gently:
                time.sleep(min(time.monotonic() - began, _LONGEST_PAUSE_SECONDS))
        return done

    return run


def _remove_abandoned_drafts() -> int:
    return objects.remove_abandoned_drafts(older_than_seconds=_ABANDONED_SECONDS)


def _remove_old_orphans() -> int:
    return remove_orphans(older_than_seconds=_ORPHANED_SECONDS)


def _count_jobs(*, gently: bool = False) -> int:
    unfinished: Counter[tuple[str, str]] = Counter()

    def count() -> int:
        unfinished.update(unfinished_by_kind())
        return 0

    each_organization(count)(gently=gently)
    for kind in Job:
        for state in UNFINISHED:
            jobs_now.labels(kind.value, state.value).set(unfinished[kind.value, state.value])
    return unfinished.total()


def _count_search() -> int:
    """Once a day: it reads everything that search does."""
    serving = serving_model().name
    rows: Counter[str] = Counter()
    for organization in organizations().filter(state="active").iterator():
        with tenant_scope(organization.id):
            counts = search_counts()
        rows["passages"] += counts.to_have_vectors
        rows["vectors"] += counts.vectors[serving]
        rows["with-terms"] += counts.with_terms
        rows["token-sets"] += counts.token_sets
        rows["strays"] += counts.strays
    for what in ("passages", "vectors", "with-terms", "token-sets", "strays"):
        search_rows.labels(what).set(rows[what])
    return rows["strays"]


def _tend_search() -> int:
    """Only where the maintainer's connection is: elsewhere operators run `tend_search`."""
    if "maintainer" not in settings.DATABASES:
        return 0
    return 0 if keep_in_order() is None else 1


UPKEEP = (
    Upkeep("count-jobs", 15.0, _count_jobs),
    Upkeep("place-missing-rings", _MINUTE, each_organization(place_missing_rings)),
    Upkeep("expire-exports", _MINUTE, each_organization(expire_exports)),
    Upkeep("expire-replays", 5 * _MINUTE, each_organization(expire_replays)),
    Upkeep("tell-of-ended-jobs", 10.0, each_organization(tell_of_ended_jobs)),
    Upkeep("forget-old-events", _HOUR, each_organization(forget_old_events)),
    Upkeep("forget-key-changes", _HOUR, altogether(forget_old_changes)),
    Upkeep("renew-old-keys", _HOUR, each_organization(renew_old_keys)),
    Upkeep("remove-leftovers", _HOUR, each_organization(remove_leftovers)),
    Upkeep("remove-orphans", _HOUR, each_organization(_remove_old_orphans)),
    Upkeep("remove-drafts", _HOUR, each_organization(_remove_abandoned_drafts)),
    Upkeep("forget-old-jobs", _HOUR, each_organization(forget_old_jobs)),
    Upkeep("forget-dead-letters", _HOUR, altogether(forget_dead_letters)),
    Upkeep("checkpoint-audit", _MINUTE, altogether(make_checkpoints)),
    Upkeep("tend-search", _DAY, altogether(_tend_search)),
    Upkeep("count-search", _DAY, altogether(_count_search)),
    Upkeep("place-large-stores", _DAY, each_organization(ask_to_place)),
)
