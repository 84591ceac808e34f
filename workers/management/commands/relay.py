"""`manage.py relay`: sends the messages that the outbox owes, for as long as it runs."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser

import psycopg
from django.db import DatabaseError, connections

from souvenir.core.jobs import Queue
from tenants.commands import ServingCommand
from tenants.isolation.roles import RELAY
from workers.relaying import (
    listen,
    relay_database,
    relay_once,
    tell_of_the_outbox,
    wait_for_the_doorbell,
)

logger = logging.getLogger(__name__)
_TELL_SECONDS = 5.0  # between two counts for operators
_GATHER_SECONDS = 0.005  # what rings right after a look is looked for together
_PAUSE_SECONDS = 1.0  # after the database was away


class Command(ServingCommand):
    role = RELAY
    connection = relay_database()
    help = "Send the messages that the outbox owes. Several at once are safe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--every", type=float, default=1.0, help="seconds between looks if the doorbell is mute"
        )
        parser.add_argument("--once", action="store_true", help="send what is owed, then stop")

    def handle(self, *, every: float, once: bool, **_: object) -> None:
        using = relay_database()
        if once:
            relay_once(using=using)
            return
        stop = threading.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: stop.set())
        while not stop.is_set():
            try:
                _relay(stop, using=using, every=every)
            except (DatabaseError, psycopg.Error) as error:
                logger.warning("the relay lost the database: %s", type(error).__name__)
                connections[using].close()
                stop.wait(_PAUSE_SECONDS)


def _relay(stop: threading.Event, *, using: str, every: float) -> None:
    """Send what is owed, until asked to stop. What no bell says is looked for all the same.

    Raises:
        DatabaseError, psycopg.Error: the database cannot be reached.
    """
    listen(using=using)
    left = set(Queue)
    told = looked_at_all = time.monotonic() - max(2 * _TELL_SECONDS, every)
    while not stop.is_set():
        now = time.monotonic()
        if now - told > _TELL_SECONDS:
            tell_of_the_outbox(using=using)
            told = now
        if (pause := looked_at_all + every - now) > 0:
            queues = wait_for_the_doorbell(using=using, seconds=pause, left=left)
        else:
            queues, looked_at_all = set(Queue), now
        if queues:
            relay_once(using=using, queues=queues, left=left)
            stop.wait(_GATHER_SECONDS)
