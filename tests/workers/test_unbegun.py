"""A message whose child died before it began is put down, so that the worker goes on."""

import time

import pytest
from celery.worker import state

from workers.unbegun import PATIENCE_SECONDS, PutDownUnbegun


class _Taken:
    """As much of a request of Celery's as its state asks for."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.name = name
        self.acknowledged = 0

    def acknowledge(self) -> None:
        self.acknowledged += 1


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes at once."""
    begun = time.monotonic()
    moments = iter([begun, begun + PATIENCE_SECONDS, begun + 2 * PATIENCE_SECONDS])
    monkeypatch.setattr("workers.unbegun.time.monotonic", lambda: next(moments))


@pytest.mark.usefixtures("later")
def test_what_was_taken_and_never_begun_is_put_down_once() -> None:
    step, taken = PutDownUnbegun(object()), _Taken("lost")
    state.task_reserved(taken)

    assert [step.look(), step.look(), step.look()] == [0, 1, 0]

    assert taken.acknowledged == 1
    assert taken not in state.reserved_requests


@pytest.mark.usefixtures("later")
def test_what_is_being_worked_on_is_left_alone_however_long_it_takes() -> None:
    step, taken = PutDownUnbegun(object()), _Taken("long")
    state.task_reserved(taken)
    state.task_accepted(taken)

    assert [step.look(), step.look(), step.look()] == [0, 0, 0]

    assert taken.acknowledged == 0
    state.task_ready(taken)
