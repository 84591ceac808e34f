"""A worker that comes back as soon as its broker does.

Celery waits two seconds longer after each failure, up to half a minute, and gives up after a
hundred of them: a broker that was away for minutes would be met long after it is back.
"""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 2.0  # between two tries


class SteadyConsumer(Consumer):  # type: ignore[misc]  # Celery has no types
    """The part of a worker that holds the connection."""

    def ensure_connected(self, conn: Any) -> Any:
        conn.ensure_connection = partial(
            conn.ensure_connection,
            interval_start=FIRST_SECONDS,
            interval_step=FIRST_SECONDS,
            interval_max=LONGEST_SECONDS,
        )
        return super().ensure_connected(conn)
