"""A costly value, built at its first use, once in each process."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# One lock for all, re-entrant: building one value may need another.
_building = threading.RLock()
# A fork waits for the build under way; otherwise the child would inherit a lock nobody opens.
os.register_at_fork(
    before=_building.acquire,
    after_in_parent=_building.release,
    after_in_child=_building.release,
)


class OncePerProcess(Generic[T]):
    """Threads share the value; a forked child builds its own, for native code may not outlive fork.

    A build that raises is tried again at the next use.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._built: tuple[int, T] | None = None  # (process id, value): read and written as one

    def get(self) -> T:
        return self._here() or self._build_here()

    def _build_here(self) -> T:
        with _building:
            value = self._here()
            if value is None:
                value = self._build()
                self._built = (os.getpid(), value)
            return value

    def _here(self) -> T | None:
        built = self._built
        return built[1] if built is not None and built[0] == os.getpid() else None
