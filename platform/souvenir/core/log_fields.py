"""What every log line of one request or one job says besides its message: ids, route, status."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

Field = str | int | float
_fields: ContextVar[dict[str, Field] | None] = ContextVar("log_fields", default=None)


@contextmanager
def log_fields(**fields: Field) -> Iterator[None]:
    """Let every line that the body logs carry these. Inner fields come on top of outer ones."""
    token = _fields.set({**current_log_fields(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def note(**fields: Field | UUID) -> None:
    """Add to the fields of the request or job under way; outside of one, nothing is noted."""
    noted = _fields.get()
    if noted is not None:
        noted.update({k: str(v) if isinstance(v, UUID) else v for k, v in fields.items()})


def current_log_fields() -> Mapping[str, Field]:
    """The fields that a line logged now carries."""
    return _fields.get() or {}
