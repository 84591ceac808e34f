"""Files on their way in or out: each takes a thread of the web for as long as its client takes."""

from contextlib import ExitStack
from typing import Any, BinaryIO

from django.conf import settings
from django.http import FileResponse

from souvenir.core.errors import Unavailable, gettext_noop
from souvenir.core.places import Places

_PAUSE_SECONDS = 5


class TransfersBusy(Unavailable):
    code = "transfers-busy"
    message = gettext_noop(
        "Too many files are on their way in or out right now. Try again in a moment."
    )
    retry_after_seconds = _PAUSE_SECONDS


class TooManyTransfers(Unavailable):
    code = "too-many-transfers"
    message = gettext_noop(
        "As many files of yours as may be are on their way in or out. Wait until one of them has "
        "arrived, and try again."
    )
    retry_after_seconds = _PAUSE_SECONDS


# Of this web process. Nobody takes the last one.
transfers = Places(
    lambda: int(settings.SOUVENIR_TRANSFERS),
    of_one=lambda most: most - 1,
    all_taken=TransfersBusy,
    has_its_share=TooManyTransfers,
)


class HeldFile(FileResponse):
    """A file that gives its place back when it has been sent, or its reader has gone."""

    def __init__(self, stream: BinaryIO, *, owner: object, **options: Any) -> None:
        """Options are those of a FileResponse.

        Raises:
            TransfersBusy, TooManyTransfers: the stream is closed.
        """
        with ExitStack() as unless_held:
            unless_held.callback(stream.close)
            self._place = transfers.take(owner=owner)
            unless_held.pop_all()
        super().__init__(stream, **options)

    def close(self) -> None:
        super().close()
        self._place.leave()
