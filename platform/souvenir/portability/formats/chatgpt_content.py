"""ChatGPT: the content of one message to blocks, one function per content type.

Every value of the source's content stands in some block: as its text, or in its fields under the
provider's own name (docs/formats.md tells the few that are renamed).
"""

from collections.abc import Callable

from souvenir.portability.documents import Block, BlockType, JsonObject, JsonValue
from souvenir.portability.json_values import (
    as_list,
    as_object,
    as_text,
    parse_inner,
    renamed,
    take_text,
    without,
)

TO_EVERYBODY = ("", "all")
_MEMORY_TOOL = "bio"
_CANVAS_OPERATIONS = {
    "canmore.create_textdoc": "create",
    "canmore.update_textdoc": "update",
    "canmore.comment_textdoc": "comment",
}


def blocks_of(content: JsonValue, recipient: str) -> list[Block]:
    """The blocks of a message's `content`, addressed to `recipient` ("" where none is told)."""
    if content is None:
        return []
    if isinstance(content, str):
        return [_spoken(content, {}, recipient)]
    if not isinstance(content, dict):
        return [_unknown("", content)]
    provider_type = as_text(content.get("content_type"))
    rest = without(content, "content_type")
    if provider_type in ("text", "multimodal_text") or (not provider_type and "parts" in content):
        return _parts(rest, recipient)
    if provider_type == "code":
        text, fields = take_text(rest, "text")
        return _call(text, fields, recipient) if recipient else [Block("code", text, fields)]
    read = _READERS.get(provider_type)
    return read(rest) if read else [_unknown(provider_type, content)]


def attached_files(metadata: JsonObject, blocks: list[Block]) -> list[Block]:
    """The attachments that no block points to already."""
    pointers = [as_text(block.fields.get("pointer")) for block in blocks]
    attachments = [item for item in as_list(metadata.get("attachments")) if isinstance(item, dict)]
    return [
        Block("file", "", renamed(attachment, {"id": "pointer"}))
        for attachment in attachments
        if not _is_pointed_to(as_text(attachment.get("id")), pointers)
    ]


def custom_instructions(metadata: JsonObject) -> list[Block]:
    """The custom instructions that until 2025 stood in a system message's metadata."""
    data = metadata.get("user_context_message_data")
    if not isinstance(data, dict):
        return []
    names = {"about_user_message": "profile", "about_model_message": "instructions"}
    return [_context(renamed(data, names), "user_context_message_data")]


def _is_pointed_to(file_id: str, pointers: list[str]) -> bool:
    return bool(file_id) and any(pointer.endswith(file_id) for pointer in pointers)


def _unknown(provider_type: str, raw: JsonValue) -> Block:
    text = as_text(as_object(raw).get("text"))
    return Block("unknown", text, {"provider_type": provider_type, "raw": raw})


def _parts(content: JsonObject, recipient: str) -> list[Block]:
    """`text` and `multimodal_text`: a list of texts and of things to see or hear."""
    if "parts" not in content:
        text, fields = take_text(content, "text")
        return [_spoken(text, fields, recipient)] if content else []
    blocks: list[Block] = []
    parts = content["parts"]
    for part in parts if isinstance(parts, list) else [parts]:
        blocks.extend(_part(part, recipient))
    return _with_rest(blocks, without(content, "parts"), "text")


def _part(part: JsonValue, recipient: str) -> list[Block]:
    if part is None:
        return []
    if isinstance(part, str):
        return _call(part, {}, recipient) if recipient else [Block("text", part)]
    if not isinstance(part, dict):
        return [_unknown("", part)]
    provider_type = as_text(part.get("content_type"))
    if read := _PART_READERS.get(provider_type):
        return read(without(part, "content_type"))
    if not provider_type and isinstance(part.get("content"), str):
        return [_canvas(part, "create")]
    return [_unknown(provider_type, part)]


def _spoken(text: str, fields: JsonObject, recipient: str) -> Block:
    return _call(text, fields, recipient)[0] if recipient else Block("text", text, fields)


def _call(text: str, fields: JsonObject, recipient: str) -> list[Block]:
    """What a message to a tool says: a memory to keep, or a call, with the canvas it edits."""
    if recipient == _MEMORY_TOOL:
        return [Block("memory_write", text, {**fields, "op": "add", "name": recipient})]
    blocks = [Block("tool_call", text, {**fields, "name": recipient})]
    if operation := _CANVAS_OPERATIONS.get(recipient):
        blocks.extend(_canvas_edit(text, operation))
    return blocks


def _canvas_edit(text: str, operation: str) -> list[Block]:
    edit = parse_inner(text)
    return [_canvas(edit, operation)] if isinstance(edit, dict) else []


def _canvas(document: JsonObject, operation: str) -> Block:
    text, fields = take_text(document, "content")
    fields = renamed(fields, {"name": "title", "type": "mime"})
    return Block("artifact", text, {**fields, "op": operation})


def _text_in(
    key: str, block_type: BlockType, provider_type: str = ""
) -> Callable[[JsonObject], list[Block]]:
    """A reader of contents whose text stands in `key`.

    `provider_type` is told where several content types give blocks of this type.
    """
    told: JsonObject = {"provider_type": provider_type} if provider_type else {}

    def read(content: JsonObject) -> list[Block]:
        text, fields = take_text(content, key)
        return [Block(block_type, text, {**fields, **told})]

    return read


def _pointer_in(key: str, block_type: BlockType) -> Callable[[JsonObject], list[Block]]:
    """A reader of parts that point, in `key`, to a file."""

    def read(part: JsonObject) -> list[Block]:
        return [Block(block_type, "", renamed(part, {key: "pointer"}))]

    return read


def _real_time(part: JsonObject) -> list[Block]:
    """A piece of a live conversation: the sound, and the picture if there was one."""
    blocks = []
    audio = part.get("audio_asset_pointer")
    rest = without(part, "audio_asset_pointer")
    if isinstance(audio, dict):
        blocks.append(Block("audio", "", renamed(audio, {"asset_pointer": "pointer"})))
    elif audio is not None:
        blocks.append(Block("audio", "", {"pointer": audio}))
    if any(rest.values()) or not blocks:
        names = {"video_container_asset_pointer": "pointer"}
        blocks.append(Block("video", "", renamed(rest, names)))
    return blocks


def _thoughts(content: JsonObject) -> list[Block]:
    """One block per thought."""
    thoughts = content.get("thoughts")
    rest = without(content, "thoughts")
    blocks = [_thought(thought) for thought in as_list(thoughts)]
    if not isinstance(thoughts, list) and thoughts is not None:
        rest["thoughts"] = thoughts
    return _with_rest(blocks, rest, "thinking")


def _with_rest(blocks: list[Block], rest: JsonObject, empty: BlockType) -> list[Block]:
    """`blocks`, what stood `beside` the list that they come from kept with the first."""
    if not rest:
        return blocks
    first = blocks[0] if blocks else Block(empty)
    return [Block(first.type, first.text, {**first.fields, "beside": rest}), *blocks[1:]]


def _thought(thought: JsonValue) -> Block:
    if not isinstance(thought, dict):
        return Block(
            "thinking", as_text(thought), {} if isinstance(thought, str) else {"raw": thought}
        )
    text, fields = take_text(thought, "content")
    return Block("thinking", text, fields)


def _custom_instructions(content: JsonObject) -> list[Block]:
    names = {"user_profile": "profile", "user_instructions": "instructions"}
    return [_context(renamed(content, names), "user_editable_context")]


def _context(fields: JsonObject, provider_type: str) -> Block:
    texts = (as_text(fields.get("profile")), as_text(fields.get("instructions")))
    text = "\n\n".join(text for text in texts if text)
    return Block("user_context", text, {**fields, "provider_type": provider_type})


def _memory_snapshot(content: JsonObject) -> list[Block]:
    text, fields = take_text(content, "model_set_context")
    return [Block("user_context", text, {**fields, "provider_type": "model_editable_context"})]


_READERS: dict[str, Callable[[JsonObject], list[Block]]] = {
    "execution_output": _text_in("text", "tool_result", "execution_output"),
    "computer_output": _text_in("text", "tool_result", "computer_output"),
    "citable_code_output": _text_in("output_str", "tool_result", "citable_code_output"),
    "tether_browsing_display": _text_in("result", "search_result", "tether_browsing_display"),
    "tether_quote": _text_in("text", "citation"),
    "sonic_webpage": _text_in("text", "search_result", "sonic_webpage"),
    "system_error": _text_in("text", "error"),
    "thoughts": _thoughts,
    "reasoning_recap": _text_in("content", "reasoning_recap"),
    "user_editable_context": _custom_instructions,
    "model_editable_context": _memory_snapshot,
}
_PART_READERS: dict[str, Callable[[JsonObject], list[Block]]] = {
    "image_asset_pointer": _pointer_in("asset_pointer", "image"),
    "audio_asset_pointer": _pointer_in("asset_pointer", "audio"),
    "audio_transcription": _text_in("text", "transcript"),
    "real_time_user_audio_video_asset_pointer": _real_time,
}
