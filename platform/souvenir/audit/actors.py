"""Who acts now, for the log: set by each door and each worker, read where something is recorded.

`key:<id>`, `platform:<id>`, `user:<id>`, `job:<id>`, `upkeep:<name>`, `command:<name>`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SYSTEM = "system"
NOBODY = "nobody"  # whoever has not said, or not yet, who it is
_actor: ContextVar[str] = ContextVar("audit_actor", default=SYSTEM)
_later: ContextVar[list[Callable[[], None]] | None] = ContextVar("audit_later", default=None)


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whatever the body records, it records as done by this actor.

    What the body has put off (`after_this`) is done at its end, also where it fails.
    """
    put_off: list[Callable[[], None]] = []
    was, outer = _actor.set(actor), _later.set(put_off)
    try:
        yield
    finally:
        try:
            for do in put_off:
                do()
        finally:
            _later.reset(outer)
            _actor.reset(was)


def now_acting(actor: str) -> None:
    """From here to the end of the `acting_as` around it: who it is has become known."""
    _actor.set(actor)


def current_actor() -> str:
    """Who acts now."""
    return _actor.get()


def after_this(do: Callable[[], None]) -> bool:
    """Put something off to the end of the `acting_as` around it. False: there is none."""
    put_off = _later.get()
    if put_off is None:
        return False
    put_off.append(do)
    return True
