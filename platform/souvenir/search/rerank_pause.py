"""After failures in a row nobody waits for the reranker, for a while; then one tries again."""

import threading
import time
from collections.abc import Callable

OPENS_AT = 3  # failures in a row
PAUSE_SECONDS = 30.0


class Pause:
    """Of one process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def holds(self) -> bool:
        """Whether it is not to be asked now. Whoever comes first after a pause tries for all."""
        with self._lock:
            if self._failures < OPENS_AT:
                return False
            if self._clock() < self._until:
                return True
            self._until = self._clock() + PAUSE_SECONDS
            return False

    def note_failure(self) -> None:
        """It did not answer, or with nothing of use."""
        with self._lock:
            self._failures += 1
            self._until = self._clock() + PAUSE_SECONDS

    def note_success(self) -> None:
        """It answered."""
        with self._lock:
            self._failures = 0
