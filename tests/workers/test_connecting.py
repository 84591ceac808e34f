"""A worker finds its broker again within seconds, however long that was away."""

from typing import Any

import pytest
from kombu.connection import Connection

from workers.app import app
from workers.connecting import LONGEST_SECONDS, SteadyConsumer


class _Enough(Exception):
    """So many tries are enough."""


def test_a_broker_that_is_away_is_tried_every_two_seconds_and_never_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    def note(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) > 200:
            raise _Enough

    monkeypatch.setattr("kombu.utils.functional.sleep", note)
    consumer = SteadyConsumer.__new__(SteadyConsumer)
    consumer.app, consumer.first_connection_attempt = app, False
    consumer.broker_connection_retry_attempt = 0

    nobody: Any = Connection("amqp://127.0.0.1:1//")  # type: ignore[no-untyped-call]

    with pytest.raises(_Enough):
        consumer.ensure_connected(nobody)

    assert max(waited) <= LONGEST_SECONDS
    assert app.conf.worker_consumer == "workers.connecting:SteadyConsumer"
