"""Starting processes that never outlive the one that started them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """An account of this machine, to run a process as. Only root can become another one."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Start:
    """How to start one process. What it says on stderr joins `output`, unless `errors` is given.

    `last_signal` is what the kernel sends it when the process that started it is gone, however
    that came about. Only Linux does this. `niceness` is how far it stands back for others, of 19.
    """

    command: Sequence[str | Path]
    environment: Mapping[str, str]
    output: IO[bytes]
    last_signal: signal.Signals
    errors: IO[bytes] | None = None
    folder: Path = Path("/")
    account: Account | None = None
    descriptors: tuple[int, ...] = ()
    niceness: int = 0


def spawn(start: Start) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches us alone.

    Raises:
        PermissionError: the account may not be taken, or may not run the command.
    """
    account = start.account
    # The parent-death signal is forgotten at a change of account, so it is set after that one.
    return subprocess.Popen(  # noqa: S603
        [str(part) for part in start.command],
        stdin=subprocess.DEVNULL,
        stdout=start.output,
        stderr=start.errors or subprocess.STDOUT,
        env=dict(start.environment),
        cwd=start.folder,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=() if account else None,
        pass_fds=start.descriptors,
        preexec_fn=_tie_to_parent(start.last_signal, start.niceness),  # noqa: PLW1509
    )


def run_as(
    account: Account | None, command: Sequence[str | Path]
) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end, under another account if one is given."""
    return subprocess.run(  # noqa: S603
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=bare_environment(),
        cwd="/",
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=() if account else None,
        text=True,
        errors="replace",
        check=False,
    )


def bare_environment() -> dict[str, str]:
    """What a PostgreSQL program needs to know, without the `PG…` variables of a person's shell."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _tie_to_parent(last_signal: signal.Signals, niceness: int) -> Callable[[], None]:
    parent = os.getpid()

    def tie() -> None:
        os.nice(niceness)
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(last_signal))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return tie
