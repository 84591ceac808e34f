"""What was said around what was found: the turns before and after it, on its own branch."""

from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from souvenir.memories.models import Conversation, Message
from souvenir.search.narrowing import condition_on
from souvenir.search.questions import Question
from souvenir.search.ranking import Ranked
from souvenir.search.records import COLUMNS, LOOKED_UP, Candidate, candidates_in
from tenants.isolation.scope import current_tenant

_SQL = (Path(__file__).parent / "neighbours.sql").read_text()
_MOST_HITS = {"neighbours": 8, "conversation": 3}
_FAR = {"neighbours": 3, "conversation": 200}  # messages each way; tools and systems among them
_MOST_MESSAGES = 600


class Expand(StrEnum):
    """How much of a conversation comes along with what was found of it."""

    NONE = "none"
    NEIGHBOURS = "neighbours"  # the turn before and the turn after
    CONVERSATION = "conversation"  # all of its branch, the nearest first


def around(question: Question, found: list[Ranked], *, expand: Expand) -> list[Ranked]:
    """The passages around the best of what was found, nearest first. Three queries.

    The filters of the question hold for them too. Their score is 0.
    """
    hits = [item.candidate for item in found if item.candidate.message_id is not None]
    hits = hits[: _MOST_HITS.get(expand.value, 0)]
    if not hits:
        return []
    branches = _Branches({hit.conversation_id for hit in hits if hit.conversation_id})
    wanted = [list(islice(branches.near(hit), 2 * _FAR[expand.value])) for hit in hits]
    ids = list(dict.fromkeys(id_ for near in wanted for _, id_ in near))[:_MOST_MESSAGES]
    passages = _passages(question, ids)
    if expand is Expand.NEIGHBOURS:
        wanted = [_one_each_way(near, passages) for near in wanted]
    order = dict.fromkeys(id_ for near in wanted for _, id_ in near)
    return [Ranked(passage, 0.0) for id_ in order for passage in passages.get(id_, [])]


def _one_each_way(
    near: list[tuple[int, UUID]], passages: dict[UUID, list[Candidate]]
) -> list[tuple[int, UUID]]:
    """The nearest before and the nearest after that say anything."""
    first: dict[int, tuple[int, UUID]] = {}
    for way, id_ in near:
        if id_ in passages:
            first.setdefault(way, (way, id_))
    return list(first.values())


def _passages(question: Question, message_ids: list[UUID]) -> dict[UUID, list[Candidate]]:
    """By message, in its order."""
    condition, values = condition_on(question.only)
    asked: dict[str, Any] = {
        "tenant": current_tenant(),
        "messages": message_ids,
        "stores": question.store_ids,
    }
    statement = _SQL.format(condition=condition, columns=COLUMNS, looked_up=LOOKED_UP)
    with connection.cursor() as cursor:
        cursor.execute(statement, asked | values)
        rows = cursor.fetchall()
    found: dict[UUID, list[Candidate]] = defaultdict(list)
    for passage in sorted(candidates_in(rows), key=lambda one: (one.block, one.start)):
        if passage.message_id is not None:
            found[passage.message_id].append(passage)
    return found


class _Branches:
    """The trees of some conversations, without what is said in them. Two queries."""

    def __init__(self, conversation_ids: set[UUID]) -> None:
        self._parents: dict[UUID, UUID | None] = {}
        self._children: dict[UUID, list[UUID]] = defaultdict(list)
        rows = Message.objects.filter(conversation_id__in=conversation_ids)
        for id_, parent in rows.order_by("ordinal", "id").values_list("id", "parent_id"):
            self._parents[id_] = parent
            if parent is not None:
                self._children[parent].append(id_)
        leaves = Conversation.objects.filter(id__in=conversation_ids)
        self._shown: set[UUID] = set()
        for leaf in leaves.values_list("current_leaf_id", flat=True):
            self._shown.update(self._up(leaf))

    def near(self, hit: Candidate) -> Iterator[tuple[int, UUID]]:
        """(-1 before or 1 after, message) from the nearest on, those before first."""
        up = self._up(self._parents.get(hit.message_id) if hit.message_id else None)
        down = self._down(hit.message_id)
        ways = {-1: up, 1: down}
        while ways:
            for way, steps in list(ways.items()):
                step = next(steps, None)
                if step is None:
                    del ways[way]
                else:
                    yield way, step

    def _up(self, message: UUID | None) -> Iterator[UUID]:
        while message is not None and message in self._parents:
            yield message
            message = self._parents[message]

    def _down(self, message: UUID | None) -> Iterator[UUID]:
        """Along the branch that was shown where it goes on, else along the newest."""
        while message is not None and (children := self._children.get(message)):
            shown = [child for child in children if child in self._shown]
            message = (shown or children)[-1]
            yield message
