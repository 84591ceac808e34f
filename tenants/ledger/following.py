"""Following one job: each state that it goes through, as it goes through it."""

import time
from collections.abc import Callable, Iterator

from souvenir.core.errors import SouvenirError
from tenants.ledger.selectors import UNFINISHED
from tenants.models import Job

BEAT_SECONDS = 10.0  # without news, a sign of life this often
LONGEST_SECONDS = 60.0  # then whoever follows comes again; no thread is held for longer
_LOOK_SECONDS = 0.5


def has_ended(job: Job) -> bool:
    return job.state not in UNFINISHED


def states_of(look: Callable[[], Job], *, after: int) -> Iterator[Job | None]:
    """Each state newer than version `after`, the last one when the job has ended; None: no news.

    Ends with the job, after LONGEST_SECONDS, or when `look` refuses.

    Args:
        look: opens a scope, gives the job as it is, and closes it: none is open while we wait.
    """
    began = heard = time.monotonic()
    while time.monotonic() - began < LONGEST_SECONDS:
        try:
            job = look()
        except SouvenirError:  # erased, suspended, or not to be seen any more
            return
        if job.version > after:
            after, heard = job.version, time.monotonic()
            yield job
        if has_ended(job):
            return
        if time.monotonic() - heard >= BEAT_SECONDS:
            heard = time.monotonic()
            yield None
        time.sleep(_LOOK_SECONDS)
