"""Claude: a design chat (2026), put into the shape of an ordinary conversation of Claude's."""

from souvenir.portability.documents import JsonObject, JsonValue
from souvenir.portability.json_values import as_list, as_object, as_text, without


def is_readable(source: JsonObject) -> bool:
    """Whether `source` has the messages without which there is no conversation."""
    return isinstance(source.get("messages"), list)


def as_conversation(source: JsonObject) -> JsonObject:
    """`source` as a conversation that `claude` reads: nothing is left out, some is renamed."""
    rest = without(source, "messages", "title")
    messages = [_message(message) for message in as_list(source.get("messages"))]
    title = source.get("title") or as_object(source.get("project")).get("name")
    return {"name": title, **rest, "chat_messages": messages}


def _message(message: JsonValue) -> JsonValue:
    if not isinstance(message, dict):
        return message
    told = as_object(message.get("content"))
    blocks = [block for item in as_list(told.get("contentBlocks")) for block in _blocks(item)]
    read: JsonObject = {
        **without(message, "role", "content"),
        "sender": message.get("role"),
        "text": told.get("content"),
        "content": [*blocks],
        "attachments": told.get("attachments"),
    }
    if not isinstance(message.get("content"), dict):
        return {**read, "text": message.get("content")}
    rest = without(told, "id", "role", "content", "contentBlocks", "attachments")
    return {**read, "design": rest} if rest else read


def _blocks(item: JsonValue) -> list[JsonValue]:
    block = as_object(item)
    kind = as_text(block.get("type"))
    if kind == "thinking" and "thinking" not in block:
        return [{**without(block, "text"), "thinking": block.get("text")}]
    call = block.get("toolCall")
    if kind != "tool_call" or not isinstance(call, dict):
        return [item]
    made: JsonObject = {**without(block, "toolCall"), **without(call, "output"), "type": "tool_use"}
    if call.get("output") is None:
        return [made]
    outcome: JsonObject = {
        "type": "tool_result",
        "tool_use_id": call.get("id"),
        "name": call.get("name"),
        "content": call["output"],
    }
    return [made, outcome]
