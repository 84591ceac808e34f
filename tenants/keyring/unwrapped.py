"""Keys that this process has unwrapped: few, for minutes, and dropped when they are destroyed.

Every process looks for changes before it uses a key, at most once a second. So a destroyed
key opens nothing after that second, in any process; and where the keyring cannot be asked, no key
that this process still holds is used either.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from tenants.keyring.errors import KeystoreUnavailable

# Longest life of an unwrapped key; the time by which a revoked organization's key has stopped.
LIFE_SECONDS = 300.0
LOOK_SECONDS = 1.0
# People, shared stores and organizations whose keys are held at once.
MOST_SUBJECTS = 10_000

_NEVER = float("-inf")

# Of a tenant: a subject, or None for the index key.
Whose = tuple[UUID, UUID | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A key was destroyed, or has a newer version. `subject_id` None: all of the tenant's."""

    id: UUID
    tenant_id: UUID
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class Heard:
    """The changes of the last 2 × LIFE_SECONDS, and the time on the keyring's own clock."""

    at_seconds: float
    changes: list[Change]


@dataclass(slots=True)
class _Held:
    """What is held of one subject: secrets by version, and which versions are in use."""

    secrets: dict[int, tuple[bytes, float]] = field(default_factory=dict)
    live: tuple[tuple[int, ...], float] = ((), _NEVER)


class UnwrappedKeys:
    """A bounded cache of secrets. Thread-safe."""

    def __init__(
        self,
        look: Callable[[], Heard],
        *,
        life_seconds: float = LIFE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        most: int = MOST_SUBJECTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look` asks the keyring; it raises KeystoreUnavailable."""
        self._look = look
        self._life_seconds = life_seconds
        self._look_seconds = look_seconds
        self._most = most
        self._clock = clock
        self._listeners: list[Callable[[UUID | None], None]] = []
        self.start_anew()

    def when_dropped(self, listener: Callable[[UUID | None], None]) -> None:
        """Have it told whose keys are dropped: an organization's, or (None) everybody's.

        For whatever else this process must not know any longer than a key. It is told at once
        here, and within a second elsewhere.
        """
        self._listeners.append(listener)

    def start_anew(self) -> None:
        """Hold nothing, and know nothing: for a new process, which has its parent's memory."""
        self._lock = threading.Lock()  # around what is held
        self._turn = threading.Lock()  # around a look
        self._held: OrderedDict[Whose, _Held] = OrderedDict()
        self._known: frozenset[UUID] = frozenset()
        self._drops = 0
        self._looked_at = self._heard_at = _NEVER
        self._looks, self._failed = 0, False

    def get(self, whose: Whose, version: int) -> bytes | None:
        """A secret; None: ask the keyring.

        Raises:
            KeystoreUnavailable: nobody can say what was destroyed, so nothing is used.
        """
        self._hear()
        with self._lock:
            held = self._held.get(whose)
            secret, until = held.secrets.get(version, (None, _NEVER)) if held else (None, _NEVER)
            if held is None or secret is None:
                return None
            if until < self._clock():
                del held.secrets[version]
                return None
            self._held.move_to_end(whose)
            return secret

    def live(self, whose: Whose) -> tuple[int, ...] | None:
        """The versions of a key that are in use, newest first; None: ask the keyring.

        Raises:
            KeystoreUnavailable
        """
        self._hear()
        with self._lock:
            held = self._held.get(whose)
            versions, until = held.live if held else ((), _NEVER)
            return versions if versions and until >= self._clock() else None

    def ticket(self) -> int:
        """Taken before the keyring is read, and given back with what was read there."""
        with self._lock:
            return self._drops

    def keep(self, whose: Whose, version: int, secret: bytes, *, ticket: int) -> None:
        """Hold a secret for a while, unless something was dropped since the ticket was taken: it
        may have been this one, read just before it was destroyed.
        """
        with self._lock:
            if ticket == self._drops:
                until = self._clock() + self._life_seconds
                self._of(whose).secrets[version] = (secret, until)

    def keep_live(self, whose: Whose, versions: tuple[int, ...], *, ticket: int) -> None:
        """Remember for a while which versions are in use, on the same condition."""
        with self._lock:
            if ticket == self._drops:
                self._of(whose).live = (versions, self._clock() + self._life_seconds)

    def drop(self, tenant_id: UUID, subject_id: UUID | None = None) -> None:
        """Forget a subject's keys, or all of an organization's."""
        with self._lock:
            self._drops += 1
            if subject_id is not None:
                self._held.pop((tenant_id, subject_id), None)
            else:
                for whose in [whose for whose in self._held if whose[0] == tenant_id]:
                    del self._held[whose]
        self._tell(tenant_id)

    def clear(self) -> None:
        """Forget every key."""
        with self._lock:
            self._drops += 1
            self._held.clear()
        self._tell(None)

    def _tell(self, tenant_id: UUID | None) -> None:
        for listener in self._listeners:
            listener(tenant_id)

    def _of(self, whose: Whose) -> _Held:
        held = self._held.setdefault(whose, _Held())
        self._held.move_to_end(whose)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return held

    def _hear(self) -> None:
        """Look for changes, unless that was done a moment ago. One thread looks for all."""
        if self._clock() - self._looked_at < self._look_seconds:
            return
        looks = self._looks
        with self._turn:
            if self._clock() - self._looked_at < self._look_seconds:
                return
            if self._looks != looks and self._failed:  # whoever waited for it has waited enough
                raise KeystoreUnavailable
            self._look_now()

    def _look_now(self) -> None:
        now = self._clock()
        self._failed = True
        try:
            self._take(self._look())
            self._looked_at, self._failed = now, False
        finally:
            self._looks += 1

    def _take(self, heard: Heard) -> None:
        # By the keyring's clock: this machine may have slept, and missed more than a look tells.
        if heard.at_seconds - self._heard_at > self._life_seconds:
            self.clear()
        for change in heard.changes:
            if change.id not in self._known:
                self.drop(change.tenant_id, change.subject_id)
        self._known = frozenset(change.id for change in heard.changes)
        self._heard_at = heard.at_seconds
