"""Let go of a message that a child took and died with, before it could say that it had begun.

A pool knows whom a task was given to only from the child's own word. If that one is killed in
between, the task is nobody's: it never ends, its message is never acknowledged, and with a prefetch
of one the worker takes no other, for ever. Every message is only a doorbell, so it is simply put
down: the job's row says that nobody has it, and the relay rings again.
"""

import logging
import time
from typing import Any

from celery import bootsteps
from celery.worker import state

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
# A child begins within milliseconds. One that was only slow does no harm: it works all the same.
PATIENCE_SECONDS = 5.0


class PutDownUnbegun(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """A step of the worker's consumer: looks, every second, for what was taken and never begun."""

    requires = {"celery.worker.consumer.tasks:Tasks"}

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._since: dict[str, float] = {}
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        self._timer = parent.timer.call_repeatedly(LOOK_SECONDS, self.look)

    def stop(self, parent: Any) -> None:
        del parent
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> int:
        """Put down what has waited too long. Gives how many."""
        now = time.monotonic()
        unbegun = {
            request.id: request
            for request in list(state.reserved_requests)
            if request not in state.active_requests
        }
        self._since = {id_: self._since.get(id_, now) for id_ in unbegun}
        late = [id_ for id_, since in self._since.items() if now - since >= PATIENCE_SECONDS]
        for id_ in late:
            logger.warning("a message was taken and never begun; it is put down")
            unbegun[id_].acknowledge()
            state.task_ready(unbegun[id_])
            del self._since[id_]
        return len(late)
