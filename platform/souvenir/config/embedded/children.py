"""The processes that Souvenir is made of: started, watched, started again, stopped."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from souvenir.config.embedded.errors import KeepsStopping
from souvenir.config.embedded.processes import Start, spawn
from souvenir.config.embedded.speech import say
from souvenir.core.errors import gettext_noop

QUICK_SECONDS = 10.0  # a shorter life counts as a failed start
MAX_QUICK_DEATHS = 4
_LOG_MAX_BYTES = 5_000_000
_TAIL_BYTES = 4_000
_TAIL_LINES = 15
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Recipe:
    """What a process is, whenever it is started. `name` is also the name of its log."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    logs: Path
    last_signal: signal.Signals = signal.SIGKILL
    descriptors: tuple[int, ...] = ()
    niceness: int = 0

    @property
    def log(self) -> Path:
        """Where everything it prints goes."""
        return self.logs / f"{self.name}.log"

    def start(self, *, aloud: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        """Start it once; with `aloud`, only its complaints go to the log."""
        with self.log.open("ab") as log:
            return spawn(
                Start(
                    command=self.command,
                    environment=self.environment,
                    output=aloud or log,
                    errors=log,
                    last_signal=self.last_signal,
                    folder=self.folder,
                    descriptors=self.descriptors,
                    niceness=self.niceness,
                )
            )


class Child:
    """A process that is meant to run for as long as Souvenir does."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._quick_deaths = 0

    def start(self) -> None:
        """Start it now."""
        self._process = self.recipe.start()
        self._started = time.monotonic()

    def watch(self) -> None:
        """Start it again if it has died: at once after a long life, ever later after short ones.

        Raises:
            KeepsStopping: it dies as soon as it is started.
        """
        if self._process is None:
            if time.monotonic() >= self._next_start:
                self.start()
            return
        code = self._process.poll()
        if code is not None:
            self._note_death(code)

    def ask_to_stop(self) -> None:
        """Signal the process alone: its own children are its own to stop."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def make_stop(self, *, deadline: float) -> None:
        """Wait until `deadline` (monotonic), then end it and all that it started."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=max(deadline - time.monotonic(), _POLL_SECONDS))
        # Its session is its group. What is left of that group, if anything, has lost its head.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _note_death(self, code: int) -> None:
        quick = time.monotonic() - self._started < QUICK_SECONDS
        self._quick_deaths = self._quick_deaths + 1 if quick else 0
        self._process = None
        if self._quick_deaths >= MAX_QUICK_DEATHS:
            raise KeepsStopping(
                name=self.recipe.name,
                times=self._quick_deaths,
                log=self.recipe.log,
                words=tail(self.recipe.log),
            )
        pause = 2.0**self._quick_deaths / 2 if self._quick_deaths else 0.0
        self._next_start = time.monotonic() + pause
        say(
            gettext_noop("The {name} process has stopped ({code}). It is started again."),
            name=self.recipe.name,
            code=code,
        )


def stop_all(children: Sequence[Child], *, seconds: float) -> None:
    """Ask all of them, then wait for `seconds` together at most."""
    deadline = time.monotonic() + seconds
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.make_stop(deadline=deadline)


def set_aside_long_logs(folder: Path) -> None:
    """Keep one older log beside each, and none from before that."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > _LOG_MAX_BYTES:
            log.replace(log.with_suffix(".log.1"))


def tail(log: Path) -> str:
    """The last lines of a log."""
    with log.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
