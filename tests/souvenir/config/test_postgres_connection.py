"""A connection whose server has gone is not used again, and none is asked whether it is there."""

import time

from django.db import connection, connections


def test_a_connection_that_its_server_has_ended_is_not_usable(database: None) -> None:
    other = connections.create_connection("default")
    other.connect()
    before = other.is_usable()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [other.connection.info.backend_pid])

    deadline = time.monotonic() + 10
    while other.is_usable() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert before
    assert not other.is_usable()
    other.close()


def test_a_connection_that_was_never_made_is_not_usable() -> None:
    assert not connections.create_connection("default").is_usable()
