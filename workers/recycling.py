"""A worker without a pool ends itself in good order when it has grown old or large.

As a pool replaces its children (`worker_max_tasks_per_child`, `worker_max_memory_per_child`).
Whoever started the worker starts another: the supervisor of `make run`, or Kubernetes.
"""

import logging
import resource

from celery.signals import task_postrun
from celery.worker import state

from workers.app import CHILD_KIB, CHILD_TASKS

logger = logging.getLogger(__name__)
_done = 0


@task_postrun.connect  # type: ignore[untyped-decorator]  # Celery has no types
def count_task(**_: object) -> None:
    """After each task. In a child of a pool this stops nothing: the pool sees to that itself."""
    global _done  # noqa: PLW0603 — one process, one count
    _done += 1
    largest_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if _done >= CHILD_TASKS or largest_kib > CHILD_KIB:
        logger.info(
            "after %s tasks and %s KiB this worker makes room for another", _done, largest_kib
        )
        state.should_stop = 0  # it ends before it takes another message
