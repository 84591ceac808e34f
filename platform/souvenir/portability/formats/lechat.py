"""Le Chat (Mistral): one chat-*.json, a list of messages in no order, to a conversation."""

from collections.abc import Callable, Mapping
from datetime import datetime

from souvenir.portability.documents import (
    Block,
    ConversationDocument,
    JsonObject,
    JsonValue,
    MessageDocument,
    Role,
)
from souvenir.portability.instants import read_instant
from souvenir.portability.json_values import (
    as_id,
    as_list,
    as_object,
    as_text,
    renamed,
    take_text,
    to_json,
    without,
)
from souvenir.portability.linear import array_order, chain, in_time
from souvenir.portability.naming import name_messages
from souvenir.portability.notices import NoticeLog
from souvenir.portability.tree import arrange, newest_leaf
from souvenir.portability.unread import note_unread_blocks, unread_message

_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
}
_TITLE_LENGTH = 80  # of a title made from the first question


def count_messages(source: list[JsonValue]) -> int:
    """The messages, as the source shows them: a null is none."""
    return sum(1 for message in source if message is not None)


def conversation_id(source: list[JsonValue]) -> str:
    """The provider's id of the chat, "" where none stands."""
    return next(filter(None, (as_id(as_object(message).get("chatId")) for message in source)), "")


def normalise(source: list[JsonValue], provider_id: str, log: NoticeLog) -> ConversationDocument:
    """Read a chat. It has no title: the first line of the first question stands for one."""
    messages = name_messages([item for item in source if item is not None], "id", log)
    times = _times(messages)
    tree = arrange(chain(in_time(list(messages), times, log)), times)
    read = tuple(
        _message(messages[message_id], message_id, tree.parents[message_id], log)
        for message_id in tree.order
    )
    return ConversationDocument(
        provider="lechat",
        provider_id=provider_id,
        title=_title(read),
        messages=read,
        started_at=min(times.values(), default=None),
        updated_at=max(times.values(), default=None),
        current_leaf=newest_leaf(tree.order, tree.parents, times),
        extra={"title_origin": "inferred", **array_order(list(messages), tree)},
    )


def _times(messages: Mapping[str, JsonValue]) -> dict[str, datetime]:
    times = {
        message_id: read_instant(as_object(message).get("createdAt"))
        for message_id, message in messages.items()
    }
    return {message_id: time for message_id, time in times.items() if time is not None}


def _title(messages: tuple[MessageDocument, ...]) -> str:
    for message in messages:
        for block in message.blocks:
            if message.role == "user" and block.text.strip():
                return _shortened(block.text.strip().splitlines()[0])
    return ""


def _shortened(line: str) -> str:
    """Its first words; of a single long one, its beginning."""
    if len(line) <= _TITLE_LENGTH:
        return line
    words = line[: _TITLE_LENGTH - 1].rsplit(maxsplit=1)
    return f"{words[0]}…"


def _message(
    source: JsonValue, message_id: str, parent: str | None, log: NoticeLog
) -> MessageDocument:
    if not isinstance(source, dict):
        return unread_message(source, message_id, parent, log)
    blocks = _blocks(source)
    note_unread_blocks(blocks, message_id, log)
    occurred_at = read_instant(source.get("createdAt"))
    if occurred_at is None:
        log.add("time-unknown", message_id)
    role = _ROLES.get(as_text(source.get("role")))
    if role is None:
        log.add("unknown-role", message_id)
    return MessageDocument(
        provider_id=message_id,
        parent_id=parent,
        role=role or "event",
        blocks=tuple(blocks),
        occurred_at=occurred_at,
        time_original=to_json(source["createdAt"]) if "createdAt" in source else "",
        extra=_message_extra(source, blocks),
    )


def _message_extra(source: JsonObject, blocks: list[Block]) -> JsonObject:
    """What of a message has no field of its own, its plain content where the blocks differ."""
    extra = without(source, "createdAt")
    if as_text(source.get("role")) in _ROLES:
        extra.pop("role", None)
    for key in ("contentChunks", "files", "canvas"):
        if isinstance(source.get(key), list | None):
            extra.pop(key, None)
    spoken = "".join(block.text for block in blocks if block.type == "text")
    if source.get("content") in (None, "", spoken):
        extra.pop("content", None)
    return extra


def _blocks(source: JsonObject) -> list[Block]:
    blocks = [block for chunk in as_list(source.get("contentChunks")) for block in _chunk(chunk)]
    content = as_text(source.get("content"))
    if content and not any(block.type == "text" for block in blocks):
        blocks.append(Block("text", content))
    blocks += [_file(file) for file in as_list(source.get("files")) if file is not None]
    blocks += [_canvas(canvas) for canvas in as_list(source.get("canvas")) if canvas is not None]
    return blocks


def _chunk(chunk: JsonValue) -> list[Block]:
    if chunk is None:
        return []
    if not isinstance(chunk, dict):
        return [_unknown("", chunk)]
    provider_type = as_text(chunk.get("type"))
    read = _READERS.get(provider_type)
    return read(without(chunk, "type")) if read else [_unknown(provider_type, chunk)]


def _unknown(provider_type: str, raw: JsonValue) -> Block:
    text = as_text(as_object(raw).get("text"))
    return Block("unknown", text, {"provider_type": provider_type, "raw": raw})


def _text(chunk: JsonObject) -> list[Block]:
    text, fields = take_text(chunk, "text")
    return [Block("text", text, fields)]


def _tool_call(chunk: JsonObject) -> list[Block]:
    """A call, and what came of it."""
    told = renamed(without(chunk, "publicResult"), {"id": "call_id"})
    arguments, fields = take_text(told, "publicArguments")
    blocks = [Block("tool_call", arguments, fields)]
    if chunk.get("publicResult") is not None:
        outcome: JsonObject = {"publicResult": chunk["publicResult"]}
        result, rest = take_text(outcome, "publicResult")
        named = {"call_id": chunk["id"]} if "id" in chunk else {}
        blocks.append(Block("tool_result", result, {**rest, **named}))
    return blocks


def _reference(chunk: JsonObject) -> list[Block]:
    return [Block("citation", "", chunk)]


def _image(chunk: JsonObject) -> list[Block]:
    return [Block("image", "", chunk)]


def _file_reference(chunk: JsonObject) -> list[Block]:
    return [Block("file", "", chunk)]


def _file(file: JsonValue) -> Block:
    if isinstance(file, dict):
        return Block("image" if file.get("type") == "image" else "file", "", file)
    return Block("file", "", {"name": file}) if isinstance(file, str) else _unknown("", file)


def _canvas(canvas: JsonValue) -> Block:
    if not isinstance(canvas, dict):
        return _unknown("canvas", canvas)
    text, fields = take_text(canvas, "content")
    return Block("artifact", text, renamed(fields, {"id": "artifact_id", "type": "mime"}))


_READERS: dict[str, Callable[[JsonObject], list[Block]]] = {
    "text": _text,
    "tool_call": _tool_call,
    "reference": _reference,
    "image_url": _image,
    "file_reference": _file_reference,
}
