"""What a passage gets for its time, whatever it says: a little, added to its score.

Bounded, so that what fits better is never lost to what is merely of the right time. Pure: the same
question, asked at the same moment, gets the same answer.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from souvenir.search import timely
from souvenir.search.records import Candidate
from souvenir.search.time_expressions import Understood

RECENCY_SHARE = 0.01  # of something said right now: decides between what fits as well
_HALF_LIFE = timedelta(days=180)


def prior_of_time(asked_at: datetime, time: Understood | None) -> Callable[[Candidate], float]:
    """What a candidate gets: up to RECENCY_SHARE, and TIME_SHARE if it is of the time asked about.

    One that has no date gets nothing, and loses nothing.
    """

    def prior(candidate: Candidate) -> float:
        said_at = candidate.occurred_at
        if said_at is None:
            return 0.0
        share = timely.TIME_SHARE if time is not None and _within(said_at, time) else 0.0
        return share + recency(asked_at - said_at)

    return prior


def recency(age: timedelta) -> float:
    """RECENCY_SHARE for what is new, half of it after half a year, and so on."""
    return float(RECENCY_SHARE * 0.5 ** (max(age, timedelta()) / _HALF_LIFE))


def _within(moment: datetime, time: Understood) -> bool:
    after = time.since is None or moment >= time.since
    return after and (time.until is None or moment < time.until)
