"""A port that is taken is no reason not to start."""

import socket
import threading

import pytest

from souvenir.config.embedded.errors import NoFreePort
from souvenir.config.embedded.ports import listen


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def a_taken_port() -> socket.socket:
    """One below the end of the range of ports that systems hand out, so that it has neighbours."""
    return listen(18_700)


def test_a_taken_port_gives_the_next_one() -> None:
    with a_taken_port() as taken, listen(port_of(taken)) as found:
        assert port_of(found) > port_of(taken)


def test_only_this_machine_can_connect() -> None:
    with a_taken_port() as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_whose_holder_is_leaving_is_waited_for() -> None:
    leaving = a_taken_port()
    wanted = port_of(leaving)
    threading.Timer(0.3, leaving.close).start()

    with listen(wanted, patience_seconds=5) as found:
        assert port_of(found) == wanted


def test_at_the_last_port_there_is_no_next_one() -> None:
    with listen(65_535) as taken, pytest.raises(NoFreePort):
        listen(port_of(taken))
