"""What a key provider is, whichever one holds the keys of organizations."""

from collections.abc import Sequence
from typing import Protocol


class KeyProvider(Protocol):
    """Holds one named key per organization, in versions. Thread-safe; nothing is cached here.

    Every method may raise:
        KeystoreUnavailable: it does not answer within its time limit. Trying again may help.
        KeyRefused: it answers and refuses the key: revoked, disabled, sealed, or gone.
    """

    def create(self, name: str) -> None:
        """Make the key. One that is there is left alone; one that was destroyed stays so, as far as
        the provider remembers it: a name is never given to a second organization.
        """

    def wrap(self, name: str, secret: bytes, *, context: bytes) -> bytes:
        """A secret under the key's newest version, bound to `context`."""

    def unwrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        """The secret again.

        Raises:
            SealBroken: altered, or bound to another context.
        """

    def unwrap_many(self, name: str, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """The secrets of some (wrapped, context), in order: one question where that can be.

        Raises:
            SealBroken: one of them is.
        """

    def rotate(self, name: str) -> int:
        """Make a new version, which wraps from now on; older ones still unwrap. Gives its
        number.
        """

    def rewrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        """The same secret under the newest version, without giving it out where that can be."""

    def retire(self, name: str, *, below: int) -> None:
        """End the versions before `below`: what was not renewed since cannot be opened any more.

        Of two rotations at once, neither ends what the other one still has to renew.
        """

    def destroy(self, name: str) -> None:
        """End the key for good. A second call changes nothing."""

    def check(self) -> None:
        """Ask whether it answers. Gives nothing; raises KeystoreUnavailable or KeyRefused."""
