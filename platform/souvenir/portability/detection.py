"""Tells what a file or an object is by what stands in it, never by its name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
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
    """What an object is: of which provider ("" unknown), and which `RawObject.kind`."""

    provider: str
    kind: str
    foreign: str = ""  # the product whose format it is, where Souvenir does not read it


UNKNOWN = Kind("", "other")
_READ = ("chatgpt", "claude", "lechat")
# The first row whose keys are all there decides: what tells most comes first.
_SIGNS: tuple[tuple[frozenset[str], Kind], ...] = tuple(
    (frozenset(keys.split()), kind)
    for keys, kind in (
        ("mapping inserted_at", Kind("", "other", "a DeepSeek export")),
        ("mapping", Kind("chatgpt", "conversation")),
        ("chat_messages", Kind("claude", "conversation")),
        ("chatId contentChunks", Kind("lechat", "message")),
        ("chatId role createdAt", Kind("lechat", "message")),
        ("conversation responses", Kind("", "other", "a Grok export")),
        ("chat title user_id", Kind("", "other", "an Open WebUI or Qwen export")),
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
        ("project messages", Kind("claude", "design")),
        ("uuid name created_at", Kind("claude", "conversation")),  # its messages are missing
        ("conversation_id rating", Kind("chatgpt", "feedback")),
        ("conversation_id is_anonymous", Kind("chatgpt", "other")),  # a share link
        ("export_files logical_files", Kind("chatgpt", "other")),
        ("title create_time", Kind("chatgpt", "conversation")),  # its mapping is missing
        ("title update_time current_node", Kind("chatgpt", "conversation")),
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
    """Whether a zip of files that begin so is part of an export: one of them is known for one of
    its objects, or all of them are zips."""
    only_zips = False
    for head in heads:
        kind = kind_of_head(head)
        if kind.provider in _READ:
            return True
        only_zips = sniff(head) == "zip"
        if not only_zips and sniff(head) != "json":
            continue
    return only_zips


_TOKEN = re.compile(rb'"(?P<key>[^"\\]*(?:\\.[^"\\]*)*)"\s*(?P<colon>:)?|[\[\]{}]', re.DOTALL)
_WHERE_KEYS_ARE = ("{", "[{", "{[{")  # of an object, of a list's first, of a wrapped list's first


def _first_keys(head: bytes) -> Iterator[str]:
    """The keys of the top-level object, and of the first object of a top-level or wrapped array."""
    around = ""  # the brackets that are open
    for token in islice(_TOKEN.finditer(head.removeprefix(_BOM)), len(head)):
        text = token.group()
        if text in (b"{", b"["):
            around += text.decode()
        elif text in (b"}", b"]"):
            if around in ("[{", "{[{"):
                return
            around = around[:-1]
        elif token["colon"] and around in _WHERE_KEYS_ARE:
            yield token["key"].decode("utf-8", "replace")
