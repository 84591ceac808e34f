"""Make passages and their tokens of messages and memories, and take them away again.

All need a tenant scope, and write in the transaction that stores the text: what is stored can be
found by its words at once.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from souvenir.core.sealing import blind_token
from souvenir.ingestion.chunking import spans
from souvenir.ingestion.models import Passage, PassageToken, PassageVector
from souvenir.ingestion.placing import placed
from souvenir.ingestion.terms import terms
from souvenir.memories.models import Conversation, Memory, MemoryVersion, Message
from tenants.isolation.scope import current_tenant
from tenants.keyring.services import index_keys

# Blocks that say something a person may look for. Thinking and citations are kept, not searched.
SEARCHED_BLOCKS = frozenset(
    {
        "text", "code", "transcript", "tool_call", "tool_result", "search_result",
        "file", "artifact", "user_context", "memory_write",
    }
)  # fmt: skip
MAX_TERMS = 256  # distinct terms kept per passage; a passage of prose has about 100


@dataclass(frozen=True, slots=True)
class _Draft:
    passage: Passage
    frequencies: Counter[str]


def index_messages(conversation: Conversation, messages: Iterable[Message]) -> int:
    """Make the passages of messages that have none. Hidden messages are kept, not searched.

    Gives the number of passages made.
    """
    drafts = [
        draft
        for message in messages
        if not message.hidden
        for draft in _message_drafts(conversation, message)
    ]
    return _write(drafts)


def index_memory(memory: Memory, version: MemoryVersion) -> int:
    """Make the passages of what a memory says now, in place of those of what it said."""
    remove_passages(Passage.objects.filter(memory_id=memory.id))
    drafts = [
        _draft(
            version.text[start:end],
            Passage(
                store_id=memory.store_id,
                memory_id=memory.id,
                start=start,
                end=end,
                provider="souvenir",
                occurred_at=version.occurred_at or version.observed_at,
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
    in_effect = set(placed(store_ids).values())
    vectors = PassageVector.objects.filter(
        store_id__in=store_ids, passage_id__in=ids, bucket__in=in_effect
    )
    tokens = PassageToken.objects.filter(passage_id__in=ids)
    return {
        "passage_vectors": vectors.delete()[0],
        "passage_tokens": tokens.delete()[0],
        "passages": Passage.objects.filter(id__in=ids).delete()[0],
    }


def _message_drafts(conversation: Conversation, message: Message) -> Iterable[_Draft]:
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
                role=message.role,
                provider=conversation.provider,
                occurred_at=message.occurred_at,
            )
            yield _draft(block["text"][start:end], passage)


def _draft(text: str, passage: Passage) -> _Draft:
    frequencies = Counter(terms(text))
    passage.terms = frequencies.total()
    return _Draft(passage, frequencies)


def retoken(passages: list[Passage], *, texts: dict[UUID, str]) -> int:
    """Make the tokens of passages again, under the newest index key. Gives how many passages.

    `texts` holds what each says, by its id; one whose text is not there has gone meanwhile.
    """
    drafts = [_draft(texts[passage.id], passage) for passage in passages if passage.id in texts]
    ids = [draft.passage.id for draft in drafts]
    PassageToken.objects.filter(passage_id__in=ids).delete()
    epoch = _write_tokens(drafts)
    Passage.objects.filter(id__in=ids).update(token_epoch=epoch)
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
            draft.passage.store_id,
            blind_token(term, key=key),
            draft.passage.id,
            frequency,
            draft.passage.terms,
        )
        for draft in drafts
        for term, frequency in draft.frequencies.most_common(MAX_TERMS)
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
