"""What stands around messages, read once for many of them. Needs a tenant scope."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils import timezone

from souvenir.ingestion.models import Passage
from souvenir.ingestion.searchable import Searchable, end_of
from souvenir.memories.models import Conversation, MemoryVersion, Message

_SPOKEN = frozenset({"text", "transcript"})
_SPEAKERS = frozenset({"user", "assistant"})
_FAR_ENOUGH = 6  # parents that are looked through: tools and systems stand between two speakers


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a message's passages share."""

    title: str
    author: str
    before: str
    said_on: date | None

    def of(self, text: str, start: int, end: int) -> Searchable:
        """A span of one of the message's texts; inside a text, the text before it stands before."""
        return Searchable(
            text=text[start:end],
            title=self.title,
            author=self.author,
            before=end_of(text, start) if start else self.before,
            said_on=self.said_on,
        )


def surroundings_of(
    messages: Iterable[Message], *, titles: dict[UUID, str]
) -> dict[UUID, Surroundings]:
    """What stands around each message, by its id. `titles` has those of their conversations.

    No query for parents that are among `messages`; else one per step towards the root, six at most.
    """
    wanted = list(messages)
    known = {message.id: message for message in wanted}
    _learn_parents(known)
    return {
        message.id: Surroundings(
            title=titles[message.conversation_id],
            author=message.author_name,
            before=_before(message, known),
            said_on=_day_of(message.occurred_at),
        )
        for message in wanted
    }


def surroundings_of_memory(version: MemoryVersion) -> Surroundings:
    """A memory stands alone: around it is only its day."""
    said_on = _day_of(version.occurred_at or version.observed_at)
    return Surroundings(title="", author="", before="", said_on=said_on)


def searchables_of(passages: list[Passage]) -> dict[UUID, Searchable]:
    """What each passage is found by, by its id; without those whose text has gone.

    Three queries, and those of `surroundings_of`.
    """
    message_ids = {passage.message_id for passage in passages if passage.message_id}
    messages = {m.id: m for m in Message.objects.filter(id__in=message_ids)}
    talks = Conversation.objects.filter(id__in={m.conversation_id for m in messages.values()})
    around = surroundings_of(messages.values(), titles={talk.id: talk.title for talk in talks})
    memory_ids = {passage.memory_id for passage in passages if passage.memory_id}
    versions = MemoryVersion.objects.filter(memory_id__in=memory_ids).order_by("number")
    # The last one under 0 as well: what holds now is not said to be past.
    said: dict[tuple[UUID | None, int], MemoryVersion] = {
        (v.memory_id, number): v for v in versions for number in (v.number, 0)
    }
    found = {}
    for passage in passages:
        of = (passage.memory_id, passage.past_version)
        if version := said.get(of):
            near = surroundings_of_memory(version)
            found[passage.id] = near.of(version.text, passage.start, passage.end)
        elif passage.message_id and (message := messages.get(passage.message_id)):
            text = message.blocks[passage.block]["text"]
            found[passage.id] = around[message.id].of(text, passage.start, passage.end)
    return found


def _day_of(moment: datetime | None) -> date | None:
    """By the installation's clock: a passage is found by the same words, whoever writes them."""
    if moment is None:
        return None
    return timezone.localdate(moment, timezone.get_default_timezone())


def _learn_parents(known: dict[UUID, Message]) -> None:
    at = list(known.values())
    for _ in range(_FAR_ENOUGH):
        missing = {
            message.parent_id
            for message in at
            if message.parent_id and message.parent_id not in known
        }
        if not missing:
            return
        at = list(Message.objects.filter(id__in=missing))
        known.update({message.id: message for message in at})
        at = [message for message in at if not _says(message)]


def _before(message: Message, known: dict[UUID, Message]) -> str:
    """The end of what the nearest speaker above said, with that speaker's name if there is one."""
    for _ in range(_FAR_ENOUGH):
        parent = known.get(message.parent_id) if message.parent_id else None
        if parent is None:
            return ""
        if text := _says(parent):
            end = end_of(text, len(text))
            return f"{parent.author_name}: {end}" if parent.author_name else end
        message = parent
    return ""


def _says(message: Message) -> str:
    """The last thing that a person or an assistant says in a message; "" for tools and systems."""
    if message.hidden or message.role not in _SPEAKERS:
        return ""
    said = [block["text"] for block in message.blocks if block["type"] in _SPOKEN]
    return next((text for text in reversed(said) if text.strip()), "")
