"""Claude: the content of one message to blocks, one function per block type.

Every value of the source's content stands in some block: as its text, or in its fields under the
provider's own name (docs/formats.md tells the few that are renamed).
"""

import re
from collections.abc import Callable, Iterator

from souvenir.portability.documents import Block, JsonObject, JsonValue
from souvenir.portability.json_values import (
    as_list,
    as_object,
    as_text,
    renamed,
    take_text,
    without,
)

# What an export writes for a block that a message's plain `text` cannot show.
_PLACEHOLDER = "This block is not supported on your current device yet."
_FILE_NAMES = {
    "file_name": "name",
    "file_uuid": "pointer",
    "file_size": "size",
    "file_type": "mime_type",
}
_ARTIFACT_NAMES = {
    "id": "artifact_id",
    "command": "op",
    "type": "mime",
    "identifier": "artifact_id",
}
_ARTIFACT_TAG = re.compile(
    r"<antArtifact\b(?P<attributes>[^>]*)>(?P<body>.*?)(?:</antArtifact>|\Z)", re.DOTALL
)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def blocks_of(message: JsonObject) -> list[Block]:
    """The blocks of a message: its content, or its plain text if that says more; then its files."""
    blocks = [block for item in as_list(message.get("content")) for block in _item(item)]
    text = as_text(message.get("text"))
    if _says_more(text, blocks):
        blocks.append(Block("text", text))
    blocks = [block for told in blocks for block in (told, *_tagged_artifacts(told))]
    return [*blocks, *_files(message.get("attachments")), *_files(message.get("files"))]


def repeats(message: JsonObject, blocks: list[Block]) -> bool:
    """Whether the message's plain text stands word for word in `blocks`."""
    text = message.get("text")
    spoken = [block.text for block in blocks if block.type == "text"]
    return text in (None, "", *(joint.join(spoken) for joint in ("", "\n", "\n\n")))


def _says_more(text: str, blocks: list[Block]) -> bool:
    if not text.strip() or any(block.type == "text" and block.text.strip() for block in blocks):
        return False
    return not blocks or bool(text.replace(_PLACEHOLDER, "").strip("` \r\n"))


def _item(item: JsonValue) -> list[Block]:
    if item is None:
        return []
    if isinstance(item, str):
        return [Block("text", item)]
    if not isinstance(item, dict):
        return [_unknown("", item)]
    provider_type = as_text(item.get("type"))
    read = _READERS.get(provider_type)
    return read(without(item, "type")) if read else [_unknown(provider_type, item)]


def _unknown(provider_type: str, raw: JsonValue) -> Block:
    text = as_text(as_object(raw).get("text"))
    return Block("unknown", text, {"provider_type": provider_type, "raw": raw})


def _text(item: JsonObject) -> list[Block]:
    text, fields = take_text(item, "text")
    return [Block("text", text, fields)]


def _thinking(item: JsonObject) -> list[Block]:
    text, fields = take_text(item, "thinking")
    return [Block("thinking", text, fields)]


def _tool_use(item: JsonObject) -> list[Block]:
    blocks = [Block("tool_call", "", renamed(item, {"id": "call_id"}))]
    given = as_object(item.get("input"))
    if item.get("name") == "artifacts" and given:
        blocks.append(_artifact(given, "content"))
    elif item.get("name") == "create_file" and given:
        fields = renamed({**given, "op": "create"}, {"path": "artifact_id"})
        blocks.append(_artifact(fields, "file_text" if "file_text" in given else "content"))
    return blocks


def _artifact(given: JsonObject, key: str) -> Block:
    text, fields = take_text(given, key)
    return Block("artifact", text, renamed(fields, _ARTIFACT_NAMES))


def _tool_result(item: JsonObject) -> list[Block]:
    fields = renamed(item, {"tool_use_id": "call_id"})
    if isinstance(item.get("content"), str):
        text, fields = take_text(fields, "content")
        return [Block("tool_result", text, fields)]
    texts = [_readable(part) for part in as_list(item.get("content"))]
    return [Block("tool_result", "\n\n".join(text for text in texts if text), fields)]


def _readable(part: JsonValue) -> str:
    fields = as_object(part)
    return as_text(part) or as_text(fields.get("text")) or as_text(fields.get("title"))


def _image(item: JsonObject) -> list[Block]:
    return [Block("image", "", renamed(item, _FILE_NAMES))]


def _document(item: JsonObject) -> list[Block]:
    return [Block("file", "", {**renamed(item, _FILE_NAMES), "provider_type": "document"})]


def _files(files: JsonValue) -> Iterator[Block]:
    """Attachments (with the text that was drawn from them) and uploaded files."""
    for file in as_list(files):
        if isinstance(file, dict):
            text, fields = take_text(file, "extracted_content")
            yield Block("file", text, renamed(fields, _FILE_NAMES))
        elif isinstance(file, str):
            yield Block("file", "", {"name": file})
        elif file is not None:
            yield _unknown("", file)


def _tagged_artifacts(block: Block) -> Iterator[Block]:
    """The artifacts that until 2025 stood in the text itself, which keeps them too."""
    if block.type != "text" or "<antArtifact" not in block.text:
        return
    for tag in _ARTIFACT_TAG.finditer(block.text):
        attributes: JsonObject = dict(_ATTRIBUTE.findall(tag["attributes"]))
        fields = renamed(attributes, _ARTIFACT_NAMES)
        yield Block("artifact", tag["body"].strip("\n"), {**fields, "op": "create"})


_READERS: dict[str, Callable[[JsonObject], list[Block]]] = {
    "text": _text,
    "thinking": _thinking,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _image,
    "document": _document,
}
