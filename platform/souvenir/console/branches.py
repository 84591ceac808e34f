"""Which messages of a conversation to show, where it has several branches. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from souvenir.memories.models import Message


@dataclass(frozen=True, slots=True)
class Turn:
    """One message shown, and the messages that could stand in its place, itself included."""

    message: Message
    versions: tuple[UUID, ...]  # in the order of the conversation

    @property
    def number(self) -> int:
        """Which of the versions this is, from 1."""
        return self.versions.index(self.message.id) + 1

    @property
    def previous(self) -> UUID | None:
        return self.versions[self.number - 2] if self.number > 1 else None

    @property
    def following(self) -> UUID | None:
        return self.versions[self.number] if self.number < len(self.versions) else None


def shown_branch(
    messages: Sequence[Message], *, leaf: UUID | None, through: UUID | None = None
) -> list[Turn]:
    """One branch from a root to a leaf, in order.

    Args:
        messages: all of one conversation, each parent before its children.
        leaf: the last message of the branch that the provider showed.
        through: a message that has to be on the branch shown, if it is one of `messages`.
    """
    by_id = {message.id: message for message in messages}
    children: defaultdict[UUID | None, list[UUID]] = defaultdict(list)
    for message in messages:
        children[message.parent_id].append(message.id)
    preferred = set(_upwards(by_id, leaf))
    start = through if through in by_id else leaf if leaf in by_id else None
    path = [*reversed(list(_upwards(by_id, start))), *_downwards(children, preferred, start)]
    return [
        Turn(by_id[message_id], tuple(children[by_id[message_id].parent_id])) for message_id in path
    ]


def _upwards(by_id: dict[UUID, Message], start: UUID | None) -> Iterator[UUID]:
    while start is not None and start in by_id:
        yield start
        start = by_id[start].parent_id


def _downwards(
    children: dict[UUID | None, list[UUID]], preferred: set[UUID], start: UUID | None
) -> Iterator[UUID]:
    """Below `start`: the provider's own branch where it goes on, else the newest answer."""
    while below := children.get(start):
        start = next((child for child in below if child in preferred), below[-1])
        yield start
