"""What a reader does with what it cannot read: keep it whole, and say so."""

from collections.abc import Iterable

from souvenir.portability.documents import Block, JsonValue, MessageDocument
from souvenir.portability.json_values import as_text
from souvenir.portability.notices import NoticeLog


def unread_message(
    source: JsonValue, message_id: str, parent: str | None, log: NoticeLog
) -> MessageDocument:
    """A message that is no JSON object, as an event with one unknown block; noted."""
    log.add("message-malformed", message_id)
    raw = Block("unknown", as_text(source), {"provider_type": "", "raw": source})
    return MessageDocument(message_id, parent, "event", (raw,))


def note_unread_blocks(blocks: Iterable[Block], message_id: str, log: NoticeLog) -> None:
    """Note each block of a type that no one has told us of."""
    for block in blocks:
        if block.type == "unknown":
            log.add("unknown-block", message_id)
