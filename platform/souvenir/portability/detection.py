"""Tells what a file or an object is by what stands in it, never by its name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from souvenir.portability.documents import JsonValue

Content = Literal["json", "html", "zip", "archive", "media", "document", "utf-16", "empty", "other"]

_BOM = b"\xef\xbb\xbf"
_MAGIC: tuple[tuple[bytes, Content], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an empty one
    (b"\x1f\x8b", "archive"),  # gzip
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),  # zstandard
    (b"\x89PNG", "media"),
    (b"\xff\xd8\xff", "media"),  # JPEG
    (b"GIF8", "media"),
    (b"RIFF", "media"),  # WebP, WAV
    (b"OggS", "media"),
    (b"ID3", "media"),  # MP3
    (b"%PDF", "document"),
    (b"\xd0\xcf\x11\xe0", "document"),  # old office
    (b"{\\rtf", "document"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_TAR_AT = 257  # where a tar says "ustar"
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|style|meta|div|title|!--)", re.I)


@dataclass(frozen=True, slots=True)
class Kind:
    """What an object is: of which provider ("" unknown), and what of it."""

    provider: str
    kind: str  # a `RawObject.kind`, or finer: "message", "listing"
    foreign: str = ""  # the product whose format it is, where Souvenir does not read it
    codec: str = ""  # of conversations: the key of what reads them, in formats/registry.py


UNKNOWN = Kind("", "other")
# The first row whose keys are all there decides: what tells most comes first.
_SIGNS: tuple[tuple[frozenset[str], Kind], ...] = tuple(
    (frozenset(keys.split()), kind)
    for keys, kind in (
        ("mapping inserted_at", Kind("", "other", "a DeepSeek export")),
        ("mapping", Kind("chatgpt", "conversation", codec="chatgpt")),
        ("chat_messages", Kind("claude", "conversation", codec="claude")),
        ("chatId", Kind("lechat", "message")),
        ("conversation responses", Kind("", "other", "a Grok export")),
        ("chat title user_id", Kind("", "other", "an Open WebUI or Qwen export")),
        ("success request_id data", Kind("", "other", "a Qwen export")),
        ("messagesTree", Kind("", "other", "a LibreChat export")),
        ("conversationId messages", Kind("", "other", "a LibreChat export")),
        ("header time products", Kind("", "other", "a Google (Gemini) activity")),
        ("thread_metadata entries", Kind("", "other", "a Perplexity thread")),
        ("uuid query answer", Kind("", "other", "a Perplexity thread")),
        ("sessionId uuid parentUuid", Kind("", "other", "a Claude Code session")),
        ("timestamp type payload", Kind("", "other", "a Codex session")),
        ("schema_version steps agent", Kind("", "other", "an ATIF trajectory")),
        ("schema schema_version memories", Kind("", "other", "a Portable AI Memory file")),
        ("mif_version", Kind("", "other", "a MIF file")),
        ("agents blocks tools", Kind("", "other", "a Letta agent file")),
        ("conversations_memory", Kind("claude", "memory")),
        ("project_memories", Kind("claude", "memory")),
        ("uuid name prompt_template", Kind("claude", "project")),
        ("uuid name docs", Kind("claude", "project")),
        ("uuid full_name", Kind("claude", "account")),
        ("data_files total_files", Kind("claude", "other")),
        ("project messages", Kind("claude", "conversation", codec="claude-design")),
        ("uuid name created_at", Kind("claude", "listing")),  # a conversation without its messages
        ("conversation_id rating", Kind("chatgpt", "feedback")),
        ("conversation_id is_anonymous", Kind("chatgpt", "other")),  # a share link
        ("export_files logical_files", Kind("chatgpt", "other")),
        (
            "title create_time",
            Kind("chatgpt", "conversation", codec="chatgpt"),
        ),  # its mapping is missing
        ("title update_time current_node", Kind("chatgpt", "conversation", codec="chatgpt")),
        ("chatgpt_plus_user", Kind("chatgpt", "account")),
        ("id email phone_number", Kind("chatgpt", "account")),
    )
)


def kind_of(value: JsonValue) -> Kind:
    """What a parsed object is."""
    return kind_of_keys(value) if isinstance(value, dict) else UNKNOWN


def kind_of_keys(keys: Iterable[str]) -> Kind:
    """What an object with these keys is."""
    present = frozenset(keys)
    return next((kind for signs, kind in _SIGNS if signs <= present), UNKNOWN)


def sniff(head: bytes) -> Content:
    """What a file that begins with `head` holds. "json" is a guess: it begins like an object."""
    for magic, content in _MAGIC:
        if head.startswith(magic):
            return content
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return "archive"
    if head[4:8] == b"ftyp":  # MP4, HEIC
        return "media"
    return _sniff_text(head.removeprefix(_BOM).lstrip())


def _sniff_text(head: bytes) -> Content:
    if not head:
        return "empty"
    if head[:1] in (b"{", b"["):
        return "json"
    return "html" if _HTML.match(head) else "other"


def kind_of_head(head: bytes) -> Kind:
    """What the first object of a JSON file is, by those of its keys that stand in `head`."""
    if sniff(head) != "json":
        return UNKNOWN
    return kind_of_keys(set(_first_keys(head)))


def is_part_of_export(heads: Iterable[bytes]) -> bool:
    """Whether a zip whose files begin so is to be opened: for one known object, or for holding
    nothing but zips."""
    contents = set()
    for head in heads:
        if kind_of_head(head).provider:
            return True
        contents.add(sniff(head))
    return contents == {"zip"}


_TOKEN = re.compile(rb'"(?P<key>[^"\\]*+(?:\\.[^"\\]*+)*+)"\s*+(?P<colon>:)?|[\[\]{}]', re.DOTALL)
_OBJECT, _LISTED, _WRAPPED = b"{", b"[{", b"{[{"  # the brackets open around a key of the object
_WRAPPER = b"conversations"


def _first_keys(head: bytes) -> Iterator[str]:
    """The keys of the top-level object, or of the first one in a top-level or wrapped array."""
    around = wrapper = b""
    for token in _TOKEN.finditer(head):
        text = token.group()
        if text in (b"{", b"["):
            around += text
        elif text in (b"}", b"]"):
            if around in (_LISTED, _WRAPPED):
                return
            around = around[:-1]
        elif token["colon"]:
            wrapper = token["key"] if around == _OBJECT else wrapper
            if around in (_OBJECT, _LISTED) or (around == _WRAPPED and wrapper == _WRAPPER):
                yield token["key"].decode("utf-8", "replace")
