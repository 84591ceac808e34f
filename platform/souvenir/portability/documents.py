"""The canonical, provider-neutral record, as values: every reader yields it, every writer takes it.

A conversation is a tree of messages; a message is an ordered list of typed blocks. Every text here
is clean: valid Unicode without NUL (what could not be kept stands unchanged in the raw object).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Literal, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

Role = Literal["system", "developer", "user", "assistant", "tool", "event"]
BlockType = Literal[
    "text", "thinking", "reasoning_recap", "code", "tool_call", "tool_result",
    "image", "audio", "video", "file", "transcript", "citation", "search_result",
    "artifact", "user_context", "memory_write", "error", "unknown",
]  # fmt: skip
Origin = Literal["native", "inferred"]  # told by the source, or worked out by us


@dataclass(frozen=True, slots=True)
class Block:
    """One typed piece of a message.

    `text` is what a person would read and search ("" where there is none); `fields` holds the rest
    under the names of docs/formats.md. An `unknown` block has `fields["provider_type"]` and the
    provider's value, whole, in `fields["raw"]`.
    """

    type: BlockType
    text: str = ""
    fields: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageDocument:
    """One node of the tree that carries a message.

    `occurred_at` is None where the source gives no usable instant (absent, null, 0);
    `time_original` keeps what stood there, as JSON text, "" where nothing did.
    """

    provider_id: str  # unique within its conversation
    parent_id: str | None  # provider_id of the nearest ancestor that carries a message
    role: Role
    blocks: tuple[Block, ...]
    occurred_at: datetime | None = None  # aware, UTC
    time_original: str = ""
    author_name: str = ""  # a tool's or a person's own name
    model: str = ""
    hidden: bool = False  # the provider's interface did not show it
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConversationDocument:
    """One conversation. `messages` are in tree order: each parent before its children."""

    provider: str  # "chatgpt", "claude", "lechat"
    provider_id: str  # unique for the provider and account; made from the raw digest if absent
    title: str
    messages: tuple[MessageDocument, ...]
    started_at: datetime | None = None  # aware, UTC
    updated_at: datetime | None = None
    current_leaf: str | None = None  # provider_id of the last message of the branch shown
    current_leaf_origin: Origin = "inferred"
    extra: JsonObject = field(default_factory=dict)

    @property
    def branches(self) -> int:
        """How many messages have more than one child."""
        children = Counter(message.parent_id for message in self.messages)
        return sum(1 for parent, count in children.items() if parent is not None and count > 1)


@dataclass(frozen=True, slots=True)
class RawObject:
    """One object of the source, byte for byte."""

    kind: str  # "conversation", "account", "feedback", "project", "memory", "other"
    path: str  # the file inside the upload; nested archives joined with "!"
    ordinal: int  # its place in that file, from 0
    body: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know about an object that was kept all the same."""

    code: str  # a key of souvenir.portability.notices.NOTICES
    where: str  # a path and an ordinal, or a provider's id; never content


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """A raw object, with the conversation that it was understood as, if it is one."""

    raw: RawObject
    conversation: ConversationDocument | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetRead:
    """A file that came along: an image, a sound, a document. `open()` gives its bytes, once."""

    path: str
    bytes_size: int
    open: Callable[[], BinaryIO]


ItemRead: TypeAlias = ObjectRead | AssetRead


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a first pass over the whole upload found, before anything is stored.

    The counts are taken from the source's own shape (objects in the arrays, nodes that carry a
    message), not from the canonical documents, so that the two can be held against each other.
    """

    provider: str
    layout: str  # "classic", "slim", "linear", "tree", …
    objects: int
    conversations: int
    messages: int
    assets: int
    account: str = ""  # the provider's id of the account, if the upload tells it
    notices: tuple[Notice, ...] = ()  # about files, and about the upload as a whole
