"""Keep a conversation that a reader gave: the new is added, the richer replaces, nothing goes.

Sources are exported again and again, in poorer and richer layouts. Messages are known by their
provider's id; an older or poorer copy never takes anything away from what is here.
"""

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import F, Max
from django.db.models.functions import Length

from souvenir.core.ids import new_id
from souvenir.memories.models import Conversation, Message, Source
from souvenir.portability.documents import ConversationDocument, MessageDocument
from tenants.sealed import sealed_column

# The columns' lengths. What is cut stands whole in the raw object.
_LONGEST_ID, _LONGEST_MODEL, _LONGEST_TIME = 300, 200, 100
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one conversation."""

    conversation: Conversation
    is_new: bool
    added: list[Message]  # in tree order
    enriched: list[Message]  # were here, and say more now


def keep_conversation(*, source: Source, document: ConversationDocument, import_id: UUID) -> Kept:
    """Add a conversation, or merge it into the copy that is here. Needs a tenant scope."""
    document = with_short_ids(document)
    found = Conversation.objects.select_for_update().filter(
        source_id=source.id, provider_id=document.provider_id
    )
    conversation = found.first()
    if conversation is None:
        conversation = _new_conversation(source, document, import_id)
        conversation.save(force_insert=True)
        added = _add_messages(conversation, list(document.messages), import_id, known={})
        _set_leaf(conversation, document)
        return Kept(conversation, is_new=True, added=added, enriched=[])
    known = dict(
        Message.objects.filter(conversation_id=conversation.id).values_list("provider_id", "id")
    )
    enriched = _enrich(conversation, [m for m in document.messages if m.provider_id in known])
    fresh = [message for message in document.messages if message.provider_id not in known]
    added = _add_messages(conversation, fresh, import_id, known=known)
    refresh_conversation(conversation, document)
    return Kept(conversation, is_new=False, added=added, enriched=enriched)


def with_short_ids(document: ConversationDocument) -> ConversationDocument:
    """The same conversation, with ids that are too long for a column replaced by their digests."""
    messages = tuple(
        replace(
            message,
            provider_id=short_id(message.provider_id),
            parent_id=message.parent_id and short_id(message.parent_id),
        )
        for message in document.messages
    )
    return replace(
        document,
        provider_id=short_id(document.provider_id),
        current_leaf=document.current_leaf and short_id(document.current_leaf),
        messages=messages,
    )


def short_id(provider_id: str, *, longest: int = _LONGEST_ID) -> str:
    """A provider's id as it is stored: itself, or its digest where nobody could type it anyway."""
    if len(provider_id) <= longest:
        return provider_id
    return "sha256:" + hashlib.sha256(provider_id.encode()).hexdigest()


def _new_conversation(
    source: Source, document: ConversationDocument, import_id: UUID
) -> Conversation:
    return Conversation(
        store_id=source.store_id,
        person_id=source.store.person_id,
        source_id=source.id,
        provider=document.provider,
        provider_id=document.provider_id,
        title=document.title,
        started_at=document.started_at,
        updated_at=document.updated_at,
        current_leaf_origin=document.current_leaf_origin,
        extra=document.extra,
        import_id=import_id,
    )


def _add_messages(
    conversation: Conversation,
    documents: list[MessageDocument],
    import_id: UUID,
    *,
    known: dict[str, UUID],
) -> list[Message]:
    """`known` maps the provider's ids of messages that are here to ours; it learns the new ones."""
    first = 0
    if known:
        last = Message.objects.filter(conversation_id=conversation.id).aggregate(Max("ordinal"))
        first = last["ordinal__max"] + 1
    messages = []
    for ordinal, document in enumerate(documents, start=first):
        known[document.provider_id] = new_id()
        parent_id = known.get(document.parent_id) if document.parent_id else None
        messages.append(
            Message(
                id=known[document.provider_id],
                conversation_id=conversation.id,
                store_id=conversation.store_id,
                parent_id=parent_id,
                provider_id=document.provider_id,
                ordinal=ordinal,
                import_id=import_id,
                **message_content(document),
            )
        )
    return Message.objects.bulk_create(messages, batch_size=500)


def message_content(document: MessageDocument) -> dict[str, object]:
    """The columns of a message that its document decides."""
    return {
        "role": document.role,
        "author_name": document.author_name,
        "model": document.model[:_LONGEST_MODEL],
        "hidden": document.hidden,
        "occurred_at": document.occurred_at,
        "time_original": document.time_original[:_LONGEST_TIME],
        "blocks": [asdict(block) for block in document.blocks],
        "extra": document.extra,
    }


def _enrich(conversation: Conversation, documents: list[MessageDocument]) -> list[Message]:
    """Replace the content of messages that a new copy says more of, in bytes of their blocks.

    A sealed value shows how long it is, so nothing has to be opened for that.
    """
    here = Message.objects.filter(conversation_id=conversation.id).annotate(size=Length("blocks"))
    sizes = dict(here.values_list("provider_id", "size"))
    column = sealed_column(Message, "blocks")
    richer = {
        document.provider_id: document
        for document in documents
        if column.stored_size([asdict(block) for block in document.blocks])
        > sizes[document.provider_id]
    }
    messages = list(Message.objects.filter(conversation_id=conversation.id, provider_id__in=richer))
    for message in messages:
        for name, value in message_content(richer[message.provider_id]).items():
            setattr(message, name, value)
        message.save()
    return messages


def refresh_conversation(conversation: Conversation, document: ConversationDocument) -> None:
    """Take a copy's title and shown branch, if it is as late as what is here."""
    if (document.updated_at or _NEVER) < (conversation.updated_at or _NEVER):
        return
    conversation.title = document.title or conversation.title
    conversation.updated_at = document.updated_at or conversation.updated_at
    conversation.extra = {**conversation.extra, **document.extra}
    conversation.current_leaf_origin = document.current_leaf_origin
    conversation.save()
    _set_leaf(conversation, document)


def _set_leaf(conversation: Conversation, document: ConversationDocument) -> None:
    leaf = Message.objects.filter(
        conversation_id=conversation.id, provider_id=document.current_leaf or ""
    ).first()
    if leaf is None:
        leaf = (
            Message.objects.filter(conversation_id=conversation.id)
            .order_by(F("occurred_at").desc(nulls_last=True), "-ordinal")
            .first()
        )
    conversation.current_leaf_id = leaf.id if leaf else None
    conversation.save(update_fields=["current_leaf_id"])
