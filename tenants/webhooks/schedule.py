"""When a telling that was not taken is tried again."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Of the specification's example; about three days in all.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
LONGEST_WISH = timedelta(hours=24)  # of a `Retry-After`
_JITTER = 0.2  # of a pause, either way


def next_pause(tries: int, *, wish: timedelta | None, chance: float) -> timedelta | None:
    """How long to wait after the `tries`-th attempt; None: that was the last one.

    Args:
        tries: attempts made so far, from 1.
        wish: what the receiver asked for (`Retry-After`): it is never asked sooner.
        chance: in [0, 1): spreads what would otherwise come all at once.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * (1 - _JITTER + 2 * _JITTER * chance)
    return max(pause, min(wish, LONGEST_WISH)) if wish is not None else pause


def wished_pause(header: str | None, *, now: datetime) -> timedelta | None:
    """A `Retry-After`, in seconds or as a date (RFC 9110, §10.2.3); None: there is none to heed."""
    if not header:
        return None
    if header.isascii() and header.isdigit():
        return timedelta(seconds=min(int(header[:9]), int(LONGEST_WISH.total_seconds())))
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(moment.replace(tzinfo=moment.tzinfo or UTC) - now, timedelta())
