"""What a prompt needs to know: the records that answer a question best, within a budget."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from souvenir.core.metrics import searches, timed
from souvenir.search.block import Record, block, frame_lines, heading_of, record_lines
from souvenir.search.merging import Key, Parts
from souvenir.search.neighbours import Expand, around
from souvenir.search.packing import BUDGET, Packing, written
from souvenir.search.questions import Question
from souvenir.search.ranking import Ranked
from souvenir.search.records import Facts, facts_of
from souvenir.search.rerank import Rerank
from souvenir.search.services import looked_over
from souvenir.search.tokens import TokenCounter
from tenants.isolation.scope import current_tenant, tenant_scope

DEFAULT_BUDGET, MOST_TOKENS = 2_000, 32_000
MOST_LEFT_OUT_TOLD = 20
_TOKENS_PER_PASSAGE = 20  # so many are looked at, of which the short ones alone fill the budget
_LEAST_PASSAGES, _MOST_PASSAGES = 100, 200
_FOUND_BY_ITSELF = 0.5  # of the room: what was said around it has the other half


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Facts):
    """One record of the block. `number` is what it bears there; `text` is word for word."""

    number: int
    text: str
    tokens: int
    score: float
    passage_ids: list[UUID]
    conversation_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Facts):
    """A passage that was found and is not in the block: which, and why."""

    passage_id: UUID
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Context:
    """A block for a prompt, and what stands in it. No records: the block is empty."""

    text: str
    items: list[Item]
    tokens: int
    budget: int
    left_out: dict[str, int]  # passages that were found, by the reason
    best_left_out: list[LeftOut]  # of all those the first few
    pending: int
    by_meaning: bool
    rerank: Rerank


@timed(searches)
def context(question: Question, *, budget: int, expand: Expand = Expand.NONE) -> Context:
    """The block, in the language and the time zone that are active, of `budget` tokens at most.

    The same question to the same memory gives the same block, byte for byte. Needs a tenant that is
    named; one round trip to the database, and a second look, as a search. `expand`: three more.

    Raises:
        QuestionEmpty
    """
    limit = min(max(_LEAST_PASSAGES, budget // _TOKENS_PER_PASSAGE), _MOST_PASSAGES)
    found = looked_over(replace(question, limit=limit))
    counter = TokenCounter()
    with tenant_scope(current_tenant()):  # texts are opened now
        packing = Packing(room=budget - counter.lines("\n".join(frame_lines())), counter=counter)
        if expand is Expand.NONE:
            packing.fill(found.items)
        else:
            others = packing.fill_some(found.items, share=_FOUND_BY_ITSELF)
            packing.fill_beside(around(question, found.items, expand=expand))
            packing.fill(others)
        text, items = _written(packing, counter, budget)
    return Context(
        text=text,
        items=items,
        tokens=counter.lines(text) if text else 0,
        budget=budget,
        left_out=dict(sorted(Counter(left.reason for left in packing.left.values()).items())),
        best_left_out=_best_left_out(packing),
        pending=found.pending,
        by_meaning=found.by_meaning,
        rerank=found.rerank,
    )


def _written(packing: Packing, counter: TokenCounter, budget: int) -> tuple[str, list[Item]]:
    """The block and its items; without the last that came in, should an estimate have been low."""
    kept = list(packing.records)
    while True:
        keys = list(_in_order(kept, packing))
        records = [written(packing.records[key], with_title=first) for key, first in keys]
        text = block(records)
        if not text or counter.lines(text) <= budget:
            break
        last = kept.pop()
        for passage in packing.records[last].passages:
            packing.leave(Ranked(passage, packing.scores[last]), BUDGET)
    numbered = enumerate(zip(keys, records, strict=True), 1)
    items = [
        _item(number, packing.records[key], packing.scores[key], _tokens(number, record, counter))
        for number, ((key, _), record) in numbered
    ]
    return text, items


def _best_left_out(packing: Packing) -> list[LeftOut]:
    best = sorted(
        packing.left.values(), key=lambda left: (-left.item.score, left.item.candidate.passage_id)
    )
    return [
        LeftOut(
            **facts_of(left.item.candidate),
            passage_id=left.item.candidate.passage_id,
            score=left.item.score,
            reason=left.reason,
        )
        for left in best[:MOST_LEFT_OUT_TOLD]
    ]


def _tokens(number: int, record: Record, counter: TokenCounter) -> int:
    return counter.lines("\n".join(record_lines(number, record)))


def _in_order(keys: list[Key], packing: Packing) -> Iterator[tuple[Key, bool]]:
    """Sources by their best record, in each the conversations, and in these as it was said.

    What is of no conversation stands with what is of the same day. Also gives whether a record is
    the first of its conversation.
    """
    sources: dict[str, dict[object, list[Key]]] = {}
    for key in sorted(keys, key=lambda key: packing.places[key]):
        heading = heading_of(written(packing.records[key], with_title=False))
        talks = sources.setdefault(heading.source, {})
        talks.setdefault(heading.talk or heading.day, []).append(key)
    for talks in sources.values():
        for group in talks.values():
            group.sort(key=lambda key: _when(packing.records[key]))
            for place, key in enumerate(group):
                yield key, place == 0


def _when(parts: Parts) -> tuple[bool, float, str, int]:
    best = parts.best
    moment = best.occurred_at
    return moment is None, moment.timestamp() if moment else 0.0, str(best.message_id), best.block


def _item(number: int, parts: Parts, score: float, tokens: int) -> Item:
    best = parts.best
    return Item(
        **facts_of(best),
        number=number,
        text=parts.text,
        tokens=tokens,
        score=score,
        passage_ids=[passage.passage_id for passage in parts.passages],
        conversation_title=best.title,
    )
