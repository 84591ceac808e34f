"""Souvenir's own processes, as tests start them: real ones, as the roles they have in service."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from souvenir.config.embedded.processes import Start, spawn
from souvenir.config.environment import CHECKOUT

_STOP_SECONDS = 15.0


@dataclass
class Running:
    """One process of ours and those that it has started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None = None

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def children(self) -> list[int]:
        """Process ids of its children, the oldest first."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(FileNotFoundError, ProcessLookupError):
            return [int(pid) for pid in listed.read_text().split()]
        return []

    def kill(self) -> None:
        """kill -9 of it alone: what becomes of its children is part of what is tried."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As an operator stops it; at the latest after a while, with all that it has started."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start_worker(
    *queues: str, environment: Mapping[str, str] | None = None, log: Path | None = None
) -> Running:
    """A Celery worker: of one child on a real broker, alone on pgmq, as the profiles have it."""
    pool = "prefork" if "SOUVENIR_BROKER_URL" in (environment or {}) else "solo"
    command = [
        *("-m", "celery", "-A", "workers.app", "worker", "-P", pool, "-c", "1"),
        *("-Q", ",".join(queues), "-n", f"{'-'.join(queues)}-{os.urandom(4).hex()}@%h"),
        *("--without-gossip", "--without-mingle"),
    ]
    return start(f"worker {','.join(queues)}", command, environment=environment, log=log)


def start_manage(
    *arguments: str, environment: Mapping[str, str] | None = None, log: Path | None = None
) -> Running:
    """A command of manage.py that runs on."""
    return start(arguments[0], ["manage.py", *arguments], environment=environment, log=log)


def start(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Running:
    """A process of Python, without what only the owner of the tables may know."""
    given = {"PYTHONPATH": f"platform{os.pathsep}.", "OMP_NUM_THREADS": "1"} | dict(
        environment or {}
    )
    given = {k: v for k, v in (os.environ | given).items() if k != "SOUVENIR_OWNER_DATABASE_URL"}
    with (log or Path(os.devnull)).open("ab") as output:
        process = spawn(
            Start(
                command=[sys.executable, *command],
                environment=given,
                output=output,
                last_signal=signal.SIGKILL,
                folder=CHECKOUT,
            )
        )
    return Running(name, process, log)
