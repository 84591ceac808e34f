"""`manage.py sweep`: rings again for lost jobs, removes what has expired, round after round."""

import logging
import signal
import threading
from argparse import ArgumentParser

from django.db import DatabaseError, close_old_connections

from tenants.commands import ServingCommand
from workers.sweeping import sweep

logger = logging.getLogger(__name__)


class Command(ServingCommand):
    help = "Ring again for lost jobs and remove what has expired, every few seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=10.0, help="seconds between rounds")
        parser.add_argument("--once", action="store_true", help="one round, then stop")

    def handle(self, *, every: float, once: bool, **_: object) -> None:
        stop = threading.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: stop.set())
        while True:
            try:
                sweep()
            except DatabaseError:
                logger.exception("the sweep could not reach the database; it will try again")
            close_old_connections()
            if once or stop.wait(every):
                return
