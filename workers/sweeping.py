"""The sweep: whatever is due is done, by whoever comes first."""

import logging

from django.db import DatabaseError

from souvenir.audit.actors import acting_as
from souvenir.core.errors import SouvenirError
from tenants.ledger.breakage import BREAKS, where_it_broke
from tenants.scheduling import claim_run, ensure_schedule, finish_run
from workers.upkeep import UPKEEP, Upkeep

logger = logging.getLogger(__name__)


def make_schedules_known() -> None:
    """Once at the start. What is new is due at once."""
    for upkeep in UPKEEP:
        ensure_schedule(upkeep.name)


def do_what_is_due() -> dict[str, int]:
    """One look at every schedule. Gives what was run, and how much each did.

    Raises:
        DatabaseError: the database cannot be reached.
    """
    done: dict[str, int] = {}
    for upkeep in UPKEEP:
        due = claim_run(upkeep.name, every_seconds=upkeep.every_seconds)
        if due is None:
            continue
        done[upkeep.name], error = _run(upkeep)
        finish_run(due, error=error)
    return done


def sweep() -> dict[str, int]:
    """Do all of it now, due or not, without pauses. Gives how much each did."""
    return {upkeep.name: upkeep.run() for upkeep in UPKEEP}


def _run(upkeep: Upkeep) -> tuple[int, str]:
    """One that fails does not stop the others; it is tried again when it is due again."""
    try:
        with acting_as(f"upkeep:{upkeep.name}"):
            return upkeep.run(gently=True), ""
    except (*BREAKS, DatabaseError, OSError, SouvenirError) as error:
        logger.error("%s failed: %s", upkeep.name, where_it_broke(error))
        return 0, where_it_broke(error)
