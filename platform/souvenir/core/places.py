"""Few may do at once what takes a thread of the web for long, and nobody all of it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from souvenir.core.errors import SouvenirError


class Place:
    """One of some places, until it is left."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """Twice does no harm."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class Places:
    """The places of this process. Thread-safe."""

    def __init__(
        self,
        most: Callable[[], int],
        *,
        of_one: Callable[[int], int],
        all_taken: type[SouvenirError],
        has_its_share: type[SouvenirError],
    ) -> None:
        """`of_one` gives how many of all one owner may have; the errors say which it was."""
        self._most, self._of_one = most, of_one
        self._all_taken, self._has_its_share = all_taken, has_its_share
        self._taken: Counter[object] = Counter()
        self._lock = threading.Lock()

    def take(self, *, owner: object) -> Place:
        """A place, to be left.

        Raises:
            `all_taken`: none is left.
            `has_its_share`: the owner has as many as it may.
        """
        most = self._most()
        with self._lock:
            if self._taken.total() >= most:
                raise self._all_taken
            if self._taken[owner] >= max(1, self._of_one(most)):
                raise self._has_its_share
            self._taken[owner] += 1
        return Place(lambda: self._left(owner))

    @contextmanager
    def taken(self, *, owner: object) -> Iterator[None]:
        """A place for as long as the body lasts. Raises as `take`."""
        place = self.take(owner=owner)
        try:
            yield
        finally:
            place.leave()

    def _left(self, owner: object) -> None:
        with self._lock:
            self._taken -= Counter({owner: 1})  # what falls to zero is forgotten
