"""One set of metric files per process that lives, not per process that ever lived.

Workers come and go by the thousand. A process takes the first slot that no other holds, and goes on
counting where the last holder stopped: so the files stay few, and no count is lost. The kernel
frees a slot with its holder, however that one ends.
"""

import fcntl
import os
from itertools import count
from pathlib import Path


class Slots:
    """The slots of one folder, as one process sees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = 0
        self._slot = 0
        self._held: int | None = None  # file descriptor

    def mine(self) -> int:
        """The slot of this process; after a fork, of the child. Called at every count."""
        if self._process != os.getpid():
            self._process, self._slot = os.getpid(), self._take()
        return self._slot

    def _take(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._held is not None:
            os.close(self._held)  # the parent's, which it goes on holding
        for slot in count():
            descriptor = os.open(self._folder / f"slot-{slot}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            self._held = descriptor
            return slot
        raise AssertionError  # the count has no end
