"""ChatGPT: one conversation of an export, classic or slim (2026), to a canonical one."""

from collections.abc import Mapping
from datetime import datetime
from typing import get_args

from souvenir.portability.documents import (
    Block,
    ConversationDocument,
    JsonObject,
    JsonValue,
    MessageDocument,
    Origin,
    Role,
)
from souvenir.portability.formats.chatgpt_content import (
    TO_EVERYBODY,
    attached_files,
    blocks_of,
    custom_instructions,
)
from souvenir.portability.instants import read_instant
from souvenir.portability.json_values import as_id, as_object, as_text, to_json, without
from souvenir.portability.notices import NoticeLog
from souvenir.portability.tree import Arranged, Link, arrange, newest_leaf

# A parent that old exports name without listing it: the conversation's beginning.
_UNLISTED_ROOT = "client-created-root"
_ROLES: dict[str, Role] = {role: role for role in get_args(Role)}


def is_readable(source: JsonObject) -> bool:
    """Whether `source` has the messages without which there is no conversation."""
    return isinstance(source.get("mapping"), dict)


def count_messages(source: JsonObject) -> int:
    """The nodes that carry a message, as the source shows them."""
    nodes = as_object(source.get("mapping")).values()
    return sum(1 for node in nodes if as_object(node).get("message") is not None)


def layout(source: JsonObject) -> str:
    """ "classic" where nodes list their children, "slim" where they do not; "" without nodes."""
    nodes = [node for node in as_object(source.get("mapping")).values() if isinstance(node, dict)]
    if not nodes:
        return ""
    return "classic" if any("children" in node for node in nodes) else "slim"


def conversation_id(source: JsonObject) -> str:
    """The provider's id of the conversation, "" where none stands."""
    return as_id(source.get("id")) or as_id(source.get("conversation_id"))


def normalise(source: JsonObject, provider_id: str, log: NoticeLog) -> ConversationDocument:
    """Read a conversation whose `is_readable` is true."""
    nodes = _nodes(source, log)
    times = _times(nodes)
    tree = arrange({node_id: _link(node, nodes) for node_id, node in nodes.items()}, times)
    _note_repairs(tree, log)
    current, origin = _current_leaf(source, tree, nodes, times)
    if origin == "inferred" and source.get("current_node") is not None:
        log.add("current-node-missing")
    return ConversationDocument(
        provider="chatgpt",
        provider_id=provider_id,
        title=as_text(source.get("title")),
        messages=tuple(
            _message(nodes[node_id], node_id, tree.parents[node_id], log) for node_id in tree.order
        ),
        started_at=read_instant(source.get("create_time")),
        updated_at=read_instant(source.get("update_time")),
        current_leaf=current,
        current_leaf_origin=origin,
        extra=_not_held(source, provider_id),
    )


def _nodes(source: JsonObject, log: NoticeLog) -> dict[str, JsonObject]:
    nodes = {}
    for node_id, node in as_object(source.get("mapping")).items():
        if isinstance(node, dict):
            nodes[node_id] = node
        else:
            log.add("node-malformed", node_id)
    return nodes


def _times(nodes: Mapping[str, JsonObject]) -> dict[str, datetime]:
    times = {
        node_id: read_instant(as_object(node.get("message")).get("create_time"))
        for node_id, node in nodes.items()
    }
    return {node_id: time for node_id, time in times.items() if time is not None}


def _link(node: JsonObject, nodes: Mapping[str, JsonObject]) -> Link:
    parent = as_id(node.get("parent")) or None
    if parent == _UNLISTED_ROOT and parent not in nodes:
        parent = None
    return Link(parent=parent, carries_message=node.get("message") is not None)


def _note_repairs(tree: Arranged, log: NoticeLog) -> None:
    for node_id in tree.orphans:
        log.add("parent-missing", node_id)
    for node_id in tree.cut:
        log.add("cycle-broken", node_id)


def _current_leaf(
    source: JsonObject,
    tree: Arranged,
    nodes: Mapping[str, JsonObject],
    times: Mapping[str, datetime],
) -> tuple[str | None, Origin]:
    told = as_id(source.get("current_node"))
    if told in nodes and (leaf := tree.nearest(told)):
        return leaf, "native"
    return newest_leaf(tree.order, tree.parents, times), "inferred"


def _not_held(source: JsonObject, provider_id: str) -> JsonObject:
    """What of a conversation has no field of its own, with its times as they were written."""
    extra = without(source, "mapping", "title", "current_node", "id", "conversation_id")
    for key in ("title", "current_node"):
        if not isinstance(source.get(key), str | None):
            extra[key] = source[key]
    for key in ("id", "conversation_id"):
        if source.get(key) not in (None, provider_id):
            extra[key] = source[key]
    return extra


def _message(node: JsonObject, node_id: str, parent: str | None, log: NoticeLog) -> MessageDocument:
    source = node["message"]
    if not isinstance(source, dict):
        log.add("message-malformed", node_id)
        raw = Block("unknown", as_text(source), {"provider_type": "", "raw": source})
        return MessageDocument(node_id, parent, "event", (raw,))
    metadata = as_object(source.get("metadata"))
    author = as_object(source.get("author"))
    return MessageDocument(
        provider_id=node_id,
        parent_id=parent,
        role=_role(author, node_id, log),
        blocks=_blocks(source, metadata, node_id, log),
        occurred_at=_instant(source, node_id, log),
        time_original=to_json(source["create_time"]) if "create_time" in source else "",
        author_name=as_text(author.get("name")),
        model=as_text(metadata.get("model_slug")),
        hidden=_is_hidden(source, metadata),
        extra=_message_extra(node, source, node_id),
    )


def _role(author: JsonObject, node_id: str, log: NoticeLog) -> Role:
    if role := _ROLES.get(as_text(author.get("role"))):
        return role
    log.add("unknown-role", node_id)
    return "event"


def _blocks(
    source: JsonObject, metadata: JsonObject, node_id: str, log: NoticeLog
) -> tuple[Block, ...]:
    recipient = as_text(source.get("recipient"))
    blocks = blocks_of(source.get("content"), "" if recipient in TO_EVERYBODY else recipient)
    blocks += custom_instructions(metadata)
    blocks += attached_files(metadata, blocks)
    for block in blocks:
        if block.type == "unknown":
            log.add("unknown-block", node_id)
    return tuple(blocks)


def _instant(source: JsonObject, node_id: str, log: NoticeLog) -> datetime | None:
    written = source.get("create_time")
    instant = read_instant(written)
    if instant is None:
        log.add("time-unknown", node_id)
    elif isinstance(written, str):
        log.add("time-as-text", node_id)
    return instant


def _is_hidden(source: JsonObject, metadata: JsonObject) -> bool:
    return (
        source.get("weight") == 0
        or metadata.get("is_visually_hidden_from_conversation") is True
        or metadata.get("is_visually_hidden") is True
    )


def _message_extra(node: JsonObject, source: JsonObject, node_id: str) -> JsonObject:
    """What of a message has no field of its own; `node` holds what stood beside the message."""
    extra = without(source, "id", "content", "create_time", "author")
    if source.get("id") not in (None, node_id):
        extra["id"] = source["id"]
    if author := _author_extra(source.get("author")):
        extra["author"] = author
    beside = without(node, "id", "message", "parent", "children")
    return {**extra, "node": beside} if beside else extra


def _author_extra(author: JsonValue) -> JsonValue:
    """What `role` and `author_name` do not say of the author."""
    if not isinstance(author, dict):
        return author
    known = {
        "role": isinstance(author.get("role"), str) and author["role"] in _ROLES,
        "name": isinstance(author.get("name"), str),
    }
    return {key: value for key, value in author.items() if value and not known.get(key)}
