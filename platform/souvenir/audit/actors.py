"""Who acts now, for the log: set by each door and each worker, read where something is recorded.

`key:<id>`, `platform:<id>`, `user:<id>`, `job:<id>`, or what runs by itself: `system`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SYSTEM = "system"
NOBODY = "nobody"  # whoever has not said, or not yet, who it is
_actor: ContextVar[str] = ContextVar("audit_actor", default=SYSTEM)


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whatever the body records, it records as done by this actor."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def now_acting(actor: str) -> None:
    """From here to the end of the `acting_as` around it: who it is has become known."""
    _actor.set(actor)


def current_actor() -> str:
    """Who acts now."""
    return _actor.get()
