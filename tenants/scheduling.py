"""Schedules in the database: whoever moves the next time on has the run. No clock but the server's.

Several schedulers at once are safe, with clocks as wrong as they like. What was missed while nobody
ran is done once, not as often as it was missed.
"""

from dataclasses import dataclass

from django.db import connection

from tenants.models import Schedule

# From the time that was due, by whole intervals, to the first one still to come.
_CLAIM = """
    UPDATE tenants_schedule
       SET next_at = next_at + make_interval(secs => %(every)s * (1 + floor(
               extract(epoch FROM clock_timestamp() - next_at) / %(every)s))),
           started_at = clock_timestamp(), runs = runs + 1
     WHERE name = %(name)s AND next_at <= clock_timestamp()
"""
_FINISH = """
    UPDATE tenants_schedule
       SET finished_at = clock_timestamp(), error = %(error)s,
           failures = CASE %(error)s WHEN '' THEN 0 ELSE failures + 1 END
     WHERE name = %(name)s
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A run that is ours to do."""

    name: str


def ensure_schedule(name: str) -> None:
    """Make a schedule known, due at once. One that is known keeps its time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenants_schedule (name, next_at, runs, failures, error)"
            " VALUES (%s, clock_timestamp(), 0, 0, '') ON CONFLICT DO NOTHING",
            [name],
        )


def claim_run(name: str, *, every_seconds: float) -> Due | None:
    """Take the run that is due, if one is and nobody else has taken it."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"name": name, "every": every_seconds})
        return Due(name) if cursor.rowcount else None


def finish_run(due: Due, *, error: str = "") -> None:
    """Write down how it went; `error` is a class and a place, never a text that may quote."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, {"name": due.name, "error": error[:127]})


def schedules() -> list[Schedule]:
    """All that are known, the next one first. One query."""
    return list(Schedule.objects.order_by("next_at"))
