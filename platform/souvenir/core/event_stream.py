"""Server-sent events (the HTML standard, §9.2): their bytes, and how many streams are held open.

A stream holds one thread of the web for as long as it lasts, so there are few places, and no owner
may take more than half of them. Whoever finds none asks again later, or polls.
"""

from collections.abc import Iterator

from django.conf import settings

from souvenir.core.errors import Unavailable, gettext_noop
from souvenir.core.places import Place, Places

MEDIA_TYPE = "text/event-stream"
# No proxy between may keep, shorten or hold back what is sent.
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
HEARTBEAT = b": still here\n\n"
FIRST = b"retry: 2000\n\n"  # milliseconds until a client whose stream has ended comes back


class StreamsBusy(Unavailable):
    code = "streams-busy"
    message = gettext_noop(
        "Too many are following jobs right now. Ask for the job itself every few seconds instead."
    )
    retry_after_seconds = 5


def encode_event(*, name: str, data: str, event_id: int) -> bytes:
    """One event. Each line of `data` becomes a line of its own, as the format asks."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"id: {event_id}\nevent: {name}\n{lines}\n".encode()


def last_event_id(header: str | None) -> int:
    """The version that a client has seen, of its `Last-Event-ID`; 0: none, or none of ours."""
    return int(header) if header and header.isascii() and header.isdigit() else 0


class HeldStream:
    """A stream that gives its place back when it is closed, also before its first part."""

    def __init__(self, parts: Iterator[bytes], place: Place) -> None:
        self._parts, self._place = parts, place

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        """Twice does no harm."""
        self._place.leave()


def hold_stream(parts: Iterator[bytes], *, owner: object) -> HeldStream:
    """Give a stream a place until it is closed.

    Raises:
        StreamsBusy: none is left, or the owner has half of them already.
    """
    return HeldStream(parts, job_streams.take(owner=owner))


# Of this web process: whoever follows a job, by whichever door.
job_streams = Places(
    lambda: int(settings.SOUVENIR_EVENT_STREAMS),
    of_one=lambda most: most // 2,
    all_taken=StreamsBusy,
    has_its_share=StreamsBusy,
)
