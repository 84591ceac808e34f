"""Gives names to things whose source gives none, the same ones each time the same bytes come."""

import hashlib
import json
from collections.abc import Sequence

from souvenir.portability.documents import JsonValue
from souvenir.portability.json_values import as_id, as_object
from souvenir.portability.notices import NoticeLog


def name_from_bytes(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def name_messages(messages: Sequence[JsonValue], key: str, log: NoticeLog) -> dict[str, JsonValue]:
    """Every message under its own id, in order.

    Without an id in `key`, the id is made from the content; of two messages with the same id,
    the second is named after the first, with its number: "…#2".
    """
    named: dict[str, JsonValue] = {}
    for message in messages:
        message_id = as_id(as_object(message).get(key))
        if not message_id:
            message_id = name_from_bytes(json.dumps(message, sort_keys=True).encode())
            log.add("message-without-id", message_id)
        named[_free_name(message_id, named, log)] = message
    return named


def _free_name(message_id: str, taken: dict[str, JsonValue], log: NoticeLog) -> str:
    if message_id not in taken:
        return message_id
    log.add("duplicate-message-id", message_id)
    number = 2
    while f"{message_id}#{number}" in taken:
        number += 1
    return f"{message_id}#{number}"
