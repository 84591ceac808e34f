"""What can go wrong, in five categories. Each door maps the categories to its statuses, once.

An error has a stable `code` (clients branch on it), a `message` for a person (English; the doors
translate it), and `params` for the message. Content of memories never goes into `params`.
"""

from typing import Any, ClassVar


def gettext_noop(message: str) -> str:
    """Mark a message for the translation catalogue; the doors translate it when they render it."""
    return message


class SouvenirError(Exception):
    """The root of all errors that a person may see. Raise one of its leaves, never this."""

    code: ClassVar[str] = "error"
    message: ClassVar[str] = ""
    retry_after_seconds: ClassVar[int | None] = None  # when it may be different

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.message.format(**params))


class Invalid(SouvenirError):
    """What was sent cannot be used, and sending it again will not help."""


class NotFound(SouvenirError):
    """It is not there, or it is not yours: the answer is the same."""


class Forbidden(SouvenirError):
    """You are known, and you may not."""


class Conflict(SouvenirError):
    """It does not fit the state things are in."""


class Unavailable(SouvenirError):
    """It may work later: something Souvenir depends on does not answer."""

    retry_after_seconds = 30


class Told(dict[str, Any]):
    """Parameters of an error that was written down. What is gone since is told as an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"
