"""What a person should know about things that were kept all the same: codes and their sentences."""

from souvenir.core.errors import gettext_noop
from souvenir.portability.documents import Notice

NOTICES: dict[str, str] = {
    # The import
    "set-aside": gettext_noop(
        "Something of the file could not be taken in. It was set aside, and can be tried again."
    ),
    # The file
    "archive-not-opened": gettext_noop(
        "An archive inside the upload was kept as a file, and not opened."
    ),
    "copy-left-out": gettext_noop(
        "chat.html was left out: it repeats what conversations.json says."
    ),
    "secret-left-out": gettext_noop(
        "A file of sign-ins, sessions or payments was left out: Souvenir never keeps those."
    ),
    "system-file-left-out": gettext_noop("A file of the operating system was left out."),
    "json-not-read": gettext_noop("A file that is not valid JSON was kept as it is, and not read."),
    "format-not-read": gettext_noop(
        "An object in the format of another product was kept as it is, and not read."
    ),
    # The text
    "nul-replaced": gettext_noop("Characters U+0000 were replaced by ␀."),
    "surrogate-replaced": gettext_noop("Halves of broken characters were replaced by �."),
    "invalid-utf8": gettext_noop("Bytes that are not UTF-8 were replaced by �."),
    # The JSON
    "duplicate-key": gettext_noop(
        "An object names the same field twice: the last one is shown, the original keeps both."
    ),
    "number-not-finite": gettext_noop("A number that JSON does not allow was kept as text."),
    "number-too-long": gettext_noop("A number of thousands of digits was kept as text."),
    "object-too-deep": gettext_noop("An object nested too deeply was kept as it is, and not read."),
    "not-an-object": gettext_noop("A value that is not an object was kept as it is, and not read."),
    "object-unknown": gettext_noop(
        "An object of an unknown kind, among conversations, was kept as it is, and not read."
    ),
    # The conversation
    "conversation-malformed": gettext_noop(
        "A conversation without readable messages was kept as it is, and not read."
    ),
    "conversation-without-body": gettext_noop(
        "A conversation is listed, but its messages are not in the upload."
    ),
    "conversation-without-id": gettext_noop(
        "A conversation without an identifier was given one made from its content."
    ),
    "node-malformed": gettext_noop("An entry of a conversation that holds no message was skipped."),
    "parent-missing": gettext_noop(
        "A message answers one that is not in the export: it now begins a branch."
    ),
    "cycle-broken": gettext_noop(
        "Messages that answer each other in a circle: the circle was cut at its first message."
    ),
    "order-by-time": gettext_noop(
        "The messages of a conversation were not in order: they were put in order of time."
    ),
    "current-node-missing": gettext_noop(
        "The branch last shown is not in the export: the newest one was taken."
    ),
    # The message
    "message-malformed": gettext_noop("A message of an unknown shape was kept as it is."),
    "message-without-id": gettext_noop(
        "A message without an identifier was given one made from its content."
    ),
    "duplicate-message-id": gettext_noop(
        "Two messages have the same identifier: the second was given another."
    ),
    "time-unknown": gettext_noop("The time of a message is missing or cannot be read."),
    "time-as-text": gettext_noop("A time written as text, not as a number, was read."),
    "unknown-role": gettext_noop("A message from an unknown author was kept as an event."),
    "unknown-block": gettext_noop("A part of an unknown type was kept, but is not displayed."),
}

_LONGEST_PLACE = 200  # characters: ids are what the source says, of any length


class NoticeLog:
    """Collects the notices about one object."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._notices: list[Notice] = []

    def add(self, code: str, within: str = "") -> None:
        """Note `code` of the object, or of a part of it: a provider's id, never content."""
        where = f"{self._where}/{within}" if within else self._where
        self._notices.append(Notice(code=code, where=where[:_LONGEST_PLACE]))

    def taken(self) -> tuple[Notice, ...]:
        return tuple(self._notices)
