"""`manage.py sweep`: does what falls due, for as long as it runs. Several at once are safe."""

import logging
import signal
import threading
from argparse import ArgumentParser

from django.db import DatabaseError, close_old_connections

from tenants.commands import ServingCommand
from workers.sweeping import do_what_is_due, make_schedules_known, sweep

logger = logging.getLogger(__name__)


class Command(ServingCommand):
    help = "Do what falls due: retention, expiry, checks. Several at once are safe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=1.0, help="seconds between looks")
        parser.add_argument("--once", action="store_true", help="do all of it now, then stop")

    def handle(self, *, every: float, once: bool, **_: object) -> None:
        if once:
            sweep()
            return
        stop = threading.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: stop.set())
        is_known = False
        while not stop.is_set():
            try:
                if not is_known:
                    make_schedules_known()
                is_known = True
                do_what_is_due()
            except DatabaseError as error:
                logger.warning("the sweep lost the database: %s", type(error).__name__)
            close_old_connections()
            stop.wait(every)
