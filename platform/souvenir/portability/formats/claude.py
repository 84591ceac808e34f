"""Claude: one conversation of an export, of 2024 (a line) or 2026 (a tree), to a canonical one."""

from collections.abc import Mapping
from datetime import datetime

from souvenir.portability.documents import (
    Block,
    ConversationDocument,
    JsonObject,
    JsonValue,
    MessageDocument,
    Origin,
    Role,
)
from souvenir.portability.formats.claude_content import blocks_of, repeats
from souvenir.portability.instants import read_instant
from souvenir.portability.json_values import as_id, as_list, as_object, as_text, to_json, without
from souvenir.portability.linear import array_order, chain, in_time
from souvenir.portability.naming import name_messages
from souvenir.portability.notices import NoticeLog
from souvenir.portability.tree import Arranged, Link, arrange, newest_leaf
from souvenir.portability.unread import note_unread_blocks, unread_message

_NO_PARENT = "00000000-0000-4000-8000-000000000000"
_ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
}


def is_readable(source: JsonObject) -> bool:
    """Whether `source` has the messages without which there is no conversation."""
    return isinstance(source.get("chat_messages"), list)


def count_messages(source: JsonObject) -> int:
    """The messages, as the source shows them: a null is none."""
    return sum(1 for message in as_list(source.get("chat_messages")) if message is not None)


def layout(source: JsonObject) -> str:
    """ "tree" where messages name their parents, "linear" where not; "" without messages."""
    messages = as_list(source.get("chat_messages"))
    if not messages:
        return ""
    return "tree" if any(_told_parent(message) for message in messages) else "linear"


def conversation_id(source: JsonObject) -> str:
    """The provider's id of the conversation, "" where none stands."""
    return as_id(source.get("uuid"))


def normalise(source: JsonObject, provider_id: str, log: NoticeLog) -> ConversationDocument:
    """Read a conversation whose `is_readable` is true."""
    listed = [message for message in as_list(source.get("chat_messages")) if message is not None]
    messages = name_messages(listed, "uuid", log)
    times = _times(messages)
    if layout(source) == "tree":
        links = _told_links(messages)
    else:
        links = chain(in_time(list(messages), times, log))
    tree = arrange(links, times)
    _note_repairs(tree, log)
    current, origin = _current_leaf(source, tree, times, log)
    return ConversationDocument(
        provider="claude",
        provider_id=provider_id,
        title=as_text(source.get("name")),
        messages=tuple(
            _message(messages[message_id], message_id, tree.parents[message_id], log)
            for message_id in tree.order
        ),
        started_at=read_instant(source.get("created_at")),
        updated_at=read_instant(source.get("updated_at")),
        current_leaf=current,
        current_leaf_origin=origin,
        extra={**_not_held(source, provider_id), **array_order(list(messages), tree)},
    )


def _told_parent(message: JsonValue) -> str:
    return as_id(as_object(message).get("parent_message_uuid"))


def _told_links(messages: Mapping[str, JsonValue]) -> dict[str, Link]:
    parents = {message_id: _told_parent(message) for message_id, message in messages.items()}
    return {
        message_id: Link(parent if parent not in ("", _NO_PARENT) else None)
        for message_id, parent in parents.items()
    }


def _times(messages: Mapping[str, JsonValue]) -> dict[str, datetime]:
    times = {
        message_id: read_instant(as_object(message).get("created_at"))
        for message_id, message in messages.items()
    }
    return {message_id: time for message_id, time in times.items() if time is not None}


def _note_repairs(tree: Arranged, log: NoticeLog) -> None:
    for message_id in tree.orphans:
        log.add("parent-missing", message_id)
    for message_id in tree.cut:
        log.add("cycle-broken", message_id)


def _current_leaf(
    source: JsonObject, tree: Arranged, times: Mapping[str, datetime], log: NoticeLog
) -> tuple[str | None, Origin]:
    """Exports do not tell it; what browser extensions save does."""
    told = as_id(source.get("current_leaf_message_uuid"))
    if told in tree.parents:
        return told, "native"
    if told:
        log.add("current-node-missing")
    return newest_leaf(tree.order, tree.parents, times), "inferred"


def _not_held(source: JsonObject, provider_id: str) -> JsonObject:
    """What of a conversation has no field of its own, with its times as they were written."""
    extra = without(source, "chat_messages")
    if isinstance(source.get("name"), str | None):
        extra.pop("name", None)
    if source.get("uuid") in (None, provider_id):
        extra.pop("uuid", None)
    return extra


def _message(
    source: JsonValue, message_id: str, parent: str | None, log: NoticeLog
) -> MessageDocument:
    if not isinstance(source, dict):
        return unread_message(source, message_id, parent, log)
    blocks = blocks_of(source)
    note_unread_blocks(blocks, message_id, log)
    occurred_at = read_instant(source.get("created_at"))
    if occurred_at is None:
        log.add("time-unknown", message_id)
    return MessageDocument(
        provider_id=message_id,
        parent_id=parent,
        role=_role(source, message_id, log),
        blocks=tuple(blocks),
        occurred_at=occurred_at,
        time_original=to_json(source["created_at"]) if "created_at" in source else "",
        model=as_text(source.get("model")),
        extra=_message_extra(source, message_id, blocks),
    )


def _role(source: JsonObject, message_id: str, log: NoticeLog) -> Role:
    if role := _ROLES.get(as_text(source.get("sender"))):
        return role
    log.add("unknown-role", message_id)
    return "event"


def _message_extra(source: JsonObject, message_id: str, blocks: list[Block]) -> JsonObject:
    """What of a message has no field of its own; its plain text only if the blocks differ."""
    extra = without(source, "created_at", "model")
    if source.get("uuid") in (None, message_id):
        extra.pop("uuid", None)
    if as_text(source.get("sender")) in _ROLES:
        extra.pop("sender", None)
    for key in ("content", "attachments", "files"):
        if isinstance(source.get(key), list | None):
            extra.pop(key, None)
    if repeats(source, blocks):
        extra.pop("text", None)
    return extra
