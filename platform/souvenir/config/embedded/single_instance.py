"""One Souvenir per home: a lock that the kernel lets go of when its holder is gone."""

import fcntl
import json
import os
from pathlib import Path
from typing import Self, TypedDict

_NAME = "running.json"
_MAX_BYTES = 1_000


class _Running(TypedDict):
    """What the file holds while its lock is held."""

    pid: int
    url: str


class AlreadyRunning(Exception):
    """Another process serves this home. Not a failure: what was asked for is there."""

    def __init__(self, *, pid: int, url: str) -> None:
        """`url` is empty while that process has not chosen its port."""
        super().__init__(f"process {pid} serves {url}")
        self.pid = pid
        self.url = url


class HomeLock:
    """Held from `take` until `release`, or until this process ends in any other way."""

    def __init__(self, descriptor: int, *, left_over: bool) -> None:
        self._descriptor = descriptor
        self.left_over = left_over

    @classmethod
    def take(cls, home: Path) -> Self:
        """Take the lock of `home`, which exists. `left_over`: the last holder was killed.

        Raises:
            AlreadyRunning: somebody holds it.
        """
        descriptor = os.open(home / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
        running = _read(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(**running) from None
        lock = cls(descriptor, left_over=bool(running["pid"]))
        lock.announce("")
        return lock

    def announce(self, url: str) -> None:
        """Tell whoever comes next where we serve."""
        text = json.dumps({"pid": os.getpid(), "url": url}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)

    def release(self) -> None:
        """Leave in good order. The file stays: deleting it would let two hold one name."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def url_of_running(home: Path) -> str:
    """Where the Souvenir of `home` serves; empty if none does, or not yet."""
    try:
        descriptor = os.open(home / _NAME, os.O_RDWR)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)["url"]
    finally:
        os.close(descriptor)
    return ""


def _read(descriptor: int) -> _Running:
    kept = os.pread(descriptor, _MAX_BYTES, 0)
    return json.loads(kept) if kept else {"pid": 0, "url": ""}
