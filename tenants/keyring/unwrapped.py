"""Keys that this process has unwrapped: few, for minutes, and dropped when they are destroyed.

Every process looks for changes before it uses a key, at most once a second. So a destroyed
key opens nothing after that second, in any process; and where the keyring cannot be asked, no key
that this process still holds is used either.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

# Longest life of an unwrapped key; the time by which a revoked organization's key has stopped.
LIFE_SECONDS = 300.0
LOOK_SECONDS = 1.0
MOST_KEYS = 10_000

# Of a tenant: (subject, version) of a subject's key, or (None, epoch) of the index key.
_Name = tuple[UUID, UUID | None, int]
Changed = tuple[UUID, UUID | None]


class UnwrappedKeys:
    """A bounded cache of secrets by name. Thread-safe."""

    def __init__(
        self,
        look: Callable[[], list[Changed]],
        *,
        life_seconds: float = LIFE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        most: int = MOST_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look` gives the changes of the last `life_seconds`, and a while before."""
        self._look = look
        self._life_seconds = life_seconds
        self._look_seconds = look_seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Name, tuple[bytes, float]] = OrderedDict()
        self._live: OrderedDict[Changed, tuple[tuple[int, ...], float]] = OrderedDict()
        self._looked_at = float("-inf")

    def get(self, name: _Name) -> bytes | None:
        """The secret of this name; None: ask the keyring."""
        self._hear()
        with self._lock:
            secret, until = self._kept.get(name, (None, 0.0))
            if secret is None or until < self._clock():
                self._kept.pop(name, None)
                return None
            self._kept.move_to_end(name)
            return secret

    def live(self, tenant_id: UUID, subject_id: UUID | None) -> tuple[int, ...] | None:
        """The versions of a key that are in use, newest first; None: ask the keyring."""
        self._hear()
        with self._lock:
            versions, until = self._live.get((tenant_id, subject_id), ((), 0.0))
            return versions if versions and until >= self._clock() else None

    def keep(self, name: _Name, secret: bytes) -> None:
        """Hold a secret for a while."""
        with self._lock:
            self._kept[name] = (secret, self._clock() + self._life_seconds)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def keep_live(
        self, tenant_id: UUID, subject_id: UUID | None, versions: tuple[int, ...]
    ) -> None:
        """Remember for a while which versions are in use."""
        with self._lock:
            self._live[(tenant_id, subject_id)] = (versions, self._clock() + self._life_seconds)
            while len(self._live) > self._most:
                self._live.popitem(last=False)

    def drop(self, tenant_id: UUID, subject_id: UUID | None = None) -> None:
        """Forget a subject's keys, or all of an organization's."""
        with self._lock:
            for name in [
                name
                for name in self._kept
                if name[0] == tenant_id and subject_id in (None, name[1])
            ]:
                del self._kept[name]
            for key in [
                key for key in self._live if key[0] == tenant_id and subject_id in (None, key[1])
            ]:
                del self._live[key]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._live.clear()

    def _hear(self) -> None:
        """Look for changes, unless that was done a moment ago.

        Raises:
            KeystoreUnavailable: nobody can say what was destroyed, so nothing is used.
        """
        now = self._clock()
        if now - self._looked_at < self._look_seconds:
            return
        changed = self._look()
        self._looked_at = now
        for tenant_id, subject_id in changed:
            self.drop(tenant_id, subject_id)
