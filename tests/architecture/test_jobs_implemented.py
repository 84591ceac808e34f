"""Every kind of background work has its code, its queue, and can be run by the tests."""

from souvenir.core.jobs import QUEUES, Job, Queue
from tests.builders import HANDLERS
from workers.app import app


def test_every_job_has_a_task() -> None:
    app.loader.import_default_modules()

    missing = [job.value for job in Job if job.value not in app.tasks]
    assert missing == [], (
        "Add `job_task(Job.X, handler)` to the stage’s module in workers/, and that module to "
        f"`imports` in workers/app.py: {missing}"
    )


def test_every_task_is_a_job() -> None:
    app.loader.import_default_modules()

    ours = [name for name in app.tasks if not name.startswith("celery.")]
    assert sorted(set(ours) - {job.value for job in Job}) == [], (
        "Name each in souvenir.core.jobs.Job, and make it with workers.running.job_task."
    )


def test_every_job_has_a_queue() -> None:
    missing = [job.value for job in Job if job not in QUEUES]

    assert missing == [], f"Say in souvenir.core.jobs.QUEUES where these wait: {missing}"


def test_every_queue_is_served() -> None:
    served = {queue.name for queue in app.conf.task_queues}

    assert served == {queue.value for queue in Queue}, "Add the queue to workers/app.py."


def test_the_tests_can_run_every_job() -> None:
    missing = [job.value for job in Job if job not in HANDLERS]

    assert missing == [], f"Add these to HANDLERS in tests/builders.py: {missing}"
