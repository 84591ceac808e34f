"""Make passages and their tokens of messages and memories, and take them away again.

All need a tenant scope, and write in the transaction that stores the text: what is stored can be
found by its words at once.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.db import connection
from django.db.models import QuerySet

from souvenir.core.sealing import blind_token
from souvenir.ingestion.chunking import spans
from souvenir.ingestion.models import Passage, PassageToken, PassageVector, Trust
from souvenir.ingestion.past import home_of, homes, retire_passages
from souvenir.ingestion.placing import taken_from
from souvenir.ingestion.searchable import QUARTERS, Searchable
from souvenir.ingestion.surroundings import (
    Surroundings,
    searchables_of,
    surroundings_of,
    surroundings_of_memory,
)
from souvenir.memories.models import Conversation, Memory, MemoryVersion, Message
from tenants.isolation.scope import current_tenant
from tenants.keyring.index_keys import index_keys

# Blocks that say something a person may look for. Thinking and citations are kept, not searched.
SEARCHED_BLOCKS = frozenset(
    {
        "text", "code", "transcript", "tool_call", "tool_result", "search_result",
        "file", "artifact", "user_context", "memory_write",
    }
)  # fmt: skip
# Blocks that a message only carries: someone else wrote what they say.
_BROUGHT_BLOCKS = frozenset({"tool_result", "search_result", "file"})
_TRUST_OF_ROLES = {"user": Trust.STATED, "assistant": Trust.ANSWERED}


@dataclass(frozen=True, slots=True)
class _Draft:
    passage: Passage
    frequencies: Counter[str]


def index_messages(conversation: Conversation, messages: Iterable[Message]) -> int:
    """Make the passages of messages that have none. Hidden messages are kept, not searched.

    Gives the number of passages made.
    """
    shown = [message for message in messages if not message.hidden]
    around = surroundings_of(shown, titles={conversation.id: conversation.title})
    drafts = [
        draft
        for message in shown
        for draft in _message_drafts(conversation, message, around[message.id])
    ]
    return _write(drafts)


def index_memory(memory: Memory, version: MemoryVersion) -> int:
    """Make the passages of what a memory says now; those of what it said are for who looks back."""
    if version.number > 1:  # a new memory has none
        retire_passages(memory_id=memory.id, version=version.number - 1)
    return _index_version(memory, version)


def index_versions(memory: Memory, versions: Iterable[MemoryVersion]) -> int:
    """Make the passages of all that a memory says and has said.

    Versions in a row that say the same have their passages once (`keep_passages`).
    """

    def said(version: MemoryVersion) -> tuple[object, ...]:
        """What its passages are made of; what holds now is not one with what is numbered after."""
        day = version.occurred_at or version.observed_at
        return version.text, version.method, day, version.number > memory.version

    made = 0
    for _, found in groupby(sorted(versions, key=attrgetter("number")), key=said):
        first, *others = found
        last = others[-1] if others else first
        made += _index_version(memory, last, since_version=first.number if others else None)
    return made


def _index_version(
    memory: Memory, version: MemoryVersion, *, since_version: int | None = None
) -> int:
    around = surroundings_of_memory(version)
    drafts = [
        _draft(
            around.of(version.text, start, end),
            Passage(
                store_id=memory.store_id,
                memory_id=memory.id,
                start=start,
                end=end,
                kind=memory.kind,
                trust=Trust.STATED if version.method == "user_typed" else Trust.ANSWERED,
                provider="souvenir",
                occurred_at=version.occurred_at or version.observed_at,
                past_version=0 if version.number == memory.version else version.number,
                since_version=since_version,
            ),
        )
        for start, end in spans(version.text)
    ]
    return _write(drafts)


def remove_passages(found: QuerySet[Passage]) -> dict[str, int]:
    """Remove passages with their tokens and vectors. Gives how many rows went, by table.

    The passages are locked first: whoever is about to give one its vector looks for it under the
    same lock, and finds it gone.
    """
    places = list(found.select_for_update().values_list("id", "store_id"))
    ids, store_ids = [id_ for id_, _ in places], {store_id for _, store_id in places}
    vectors = PassageVector.objects.filter(
        store_id__in=homes(store_ids), passage_id__in=ids, bucket__in=taken_from(store_ids)
    )
    tokens = PassageToken.objects.filter(passage_id__in=ids)
    return {
        "passage_vectors": vectors.delete()[0],
        "passage_tokens": tokens.delete()[0],
        "passages": Passage.objects.filter(id__in=ids).delete()[0],
    }


def _message_drafts(
    conversation: Conversation, message: Message, around: Surroundings
) -> Iterable[_Draft]:
    said: list[str] = []
    for index, block in enumerate(message.blocks):
        # An artifact of 2024 stands in its message's text too: once is enough.
        if block["type"] not in SEARCHED_BLOCKS or any(block["text"] in text for text in said):
            continue
        said.append(block["text"])
        for start, end in spans(block["text"]):
            passage = Passage(
                store_id=conversation.store_id,
                conversation_id=conversation.id,
                message_id=message.id,
                block=index,
                start=start,
                end=end,
                trust=_trust(message.role, block["type"]),
                role=message.role,
                provider=conversation.provider,
                occurred_at=message.occurred_at,
            )
            yield _draft(around.of(block["text"], start, end), passage)


def _trust(role: str, block_type: str) -> Trust:
    if block_type in _BROUGHT_BLOCKS:
        return Trust.BROUGHT
    return _TRUST_OF_ROLES.get(role, Trust.BROUGHT)


def _draft(found_by: Searchable, passage: Passage) -> _Draft:
    frequencies = found_by.for_words()
    passage.terms = -(-frequencies.total() // QUARTERS)
    passage.language = found_by.language
    return _Draft(passage, frequencies)


def retoken(passages: list[Passage]) -> int:
    """Make the tokens of passages again, under the newest index key. Gives how many passages."""
    found = searchables_of(passages)
    drafts = [_draft(found[passage.id], passage) for passage in passages if passage.id in found]
    ids = [draft.passage.id for draft in drafts]
    PassageToken.objects.filter(passage_id__in=ids).delete()
    epoch = _write_tokens(drafts)
    for draft in drafts:
        draft.passage.token_epoch = epoch
    Passage.objects.bulk_update(
        [draft.passage for draft in drafts], ["token_epoch", "terms", "language"]
    )
    return len(drafts)


def _write(drafts: list[_Draft]) -> int:
    if not drafts:
        return 0
    epoch = _write_tokens(drafts)
    for draft in drafts:
        draft.passage.token_epoch = epoch
    Passage.objects.bulk_create([draft.passage for draft in drafts], batch_size=500)
    return len(drafts)


def _write_tokens(drafts: list[_Draft]) -> int:
    """Write the tokens of some drafts under the newest index key. Gives its epoch."""
    tenant_id = current_tenant()
    epoch, key = index_keys()[0]
    rows = [
        (
            home_of(draft.passage),
            blind_token(term, key=key),
            draft.passage.id,
            frequency,
            draft.passage.terms,
        )
        for draft in drafts
        for term, frequency in draft.frequencies.items()
    ]
    rows.sort(key=lambda row: (row[0], row[1]))  # the order of the index: fewer pages touched
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 5
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ingestion_passagetoken"
            " (tenant_id, store_id, token, passage_id, frequency, terms) SELECT %s, * FROM"
            " unnest(%s::uuid[], %s::bigint[], %s::uuid[], %s::int[], %s::int[])",
            [tenant_id, *columns],
        )
    return epoch
