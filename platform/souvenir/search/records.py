"""What a passage is of, and what it says: as it comes from the database, opened when it is read."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from souvenir.memories.models import Conversation, MemoryVersion, Message
from tenants.keyring.errors import ContentGone
from tenants.sealed import opened


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a passage besides its words: columns of its row, by their names."""

    conversation_id: UUID | None
    message_id: UUID | None
    memory_id: UUID | None
    block: int
    kind: str
    language: str
    trust: int
    role: str
    provider: str
    occurred_at: datetime | None
    past_version: int  # of a memory, if that is not what it says now; else 0


_FACTS = tuple(fact.name for fact in fields(Facts))
_SPEAKERS = frozenset({"user", "assistant"})
_MESSAGE_ID = _FACTS.index("message_id")
# Of a passage `p`, in the order of `Candidate`; and what they are looked up in, by the whole key.
COLUMNS = f"""{", ".join(f"p.{name}" for name in _FACTS)},
       p.id, p.start, p."end", p.similarity, p.bm25, p.nearness, p.words,
       g.blocks, g.author_name, c.title, n.id, n.text"""
# A message comes once, with the first of its passages (`p.nth`): it may be long.
LOOKED_UP = """LEFT JOIN LATERAL (
    SELECT blocks, author_name FROM memories_message
    WHERE tenant_id = %(tenant)s AND id = p.message_id AND p.nth = 1 OFFSET 0
) g ON true
LEFT JOIN LATERAL (
    SELECT title FROM memories_conversation
    WHERE tenant_id = %(tenant)s AND id = p.conversation_id OFFSET 0
) c ON true
LEFT JOIN LATERAL (
    SELECT said.id, said.text FROM memories_memory m
    JOIN memories_memoryversion said ON said.tenant_id = m.tenant_id
        AND said.memory_id = m.id
        AND said.number = CASE WHEN p.past_version > 0 THEN p.past_version ELSE m.version END
    WHERE m.tenant_id = %(tenant)s AND m.id = p.memory_id OFFSET 0
) n ON true"""


@dataclass(frozen=True)
class Candidate(Facts):
    """One passage that may answer. Its text is opened when it is first read; it is "" where the key
    of somebody it is sealed for was destroyed: such a passage answers nothing (`ranking.answers`).

    `nearness` and `words` are between 0 and 1; None: not embedded yet.
    """

    passage_id: UUID
    start: int
    end: int
    similarity: float | None
    bm25: float | None
    nearness: float | None
    words: float
    sealed: "Sealed" = field(repr=False)

    @cached_property
    def text(self) -> str:
        with suppress(ContentGone):
            return self.sealed.text(self.block)[self.start : self.end]
        return ""

    @property
    def author(self) -> str:
        """Who says it, where the source names them. Tools have names too, and say nothing."""
        message = self.sealed.message
        return message.author if message is not None and self.role in _SPEAKERS else ""

    @cached_property
    def title(self) -> str:
        if self.conversation_id is None:
            return ""
        with suppress(ContentGone):
            return str(opened(Conversation, "title", self.conversation_id, self.sealed.title))
        return ""


@dataclass(frozen=True)
class SealedMessage:
    """A message that several candidates are of: opened once."""

    id: UUID
    stored_blocks: bytes = field(repr=False)
    stored_author: bytes = field(repr=False)

    @cached_property
    def blocks(self) -> Any:
        return opened(Message, "blocks", self.id, self.stored_blocks)

    @cached_property
    def author(self) -> str:
        return str(opened(Message, "author_name", self.id, self.stored_author))


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a candidate says, as it is stored: in a message, or in a version of a memory."""

    message: SealedMessage | None
    version_id: UUID | None
    version_text: bytes
    title: bytes

    def text(self, block: int) -> str:
        """The whole text that the candidate is a span of."""
        if self.message is not None:
            return str(self.message.blocks[block]["text"])
        if self.version_id is not None:
            return str(opened(MemoryVersion, "text", self.version_id, self.version_text))
        return ""


def facts_of(passage: Facts) -> dict[str, Any]:
    """The facts of a passage by their names, for what is told of it."""
    return {name: getattr(passage, name) for name in _FACTS}


def candidates_in(rows: Iterable[Sequence[Any]]) -> list[Candidate]:
    """What rows of COLUMNS say. A message comes with the first row that is of it."""
    messages: dict[UUID | None, SealedMessage] = {}
    return [_candidate(row, messages) for row in rows]


def _candidate(row: Sequence[Any], messages: dict[UUID | None, SealedMessage]) -> Candidate:
    *told, blocks, author, title, version_id, text = row
    message_id = told[_MESSAGE_ID]
    if blocks is not None:
        messages[message_id] = SealedMessage(message_id, blocks, author)
    sealed = Sealed(messages.get(message_id), version_id, text or b"", title or b"")
    return Candidate(*[*told, sealed])
