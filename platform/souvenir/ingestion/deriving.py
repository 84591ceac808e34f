"""Derive a conversation again from the raw objects that are left of it.

After an import is erased, what a later export said again must stay, and what only the erased one
said must go. The raw objects decide, for everything else comes from them.
"""

import zlib
from dataclasses import asdict
from uuid import UUID

from souvenir.core.canonical_json import canonical_json
from souvenir.ingestion.merging import message_content, refresh_conversation, with_short_ids
from souvenir.ingestion.models import Passage, RawObject
from souvenir.ingestion.passages import index_messages, remove_passages
from souvenir.memories.models import Conversation, Evidence, Message
from souvenir.portability.documents import ConversationDocument, MessageDocument
from souvenir.portability.formats.registry import CODECS
from souvenir.portability.json_values import parse
from souvenir.portability.notices import NoticeLog


def derive_again(*, conversation_id: UUID) -> dict[str, int]:
    """Make a conversation say what its remaining raw objects say. Gives what was removed, by table.

    Needs a tenant scope, and at least one raw object to be left.
    """
    conversation = Conversation.objects.select_for_update().get(id=conversation_id)
    raws = list(
        RawObject.objects.filter(conversation_id=conversation_id).order_by("recorded_at", "id")
    )
    documents = [_document(conversation, raw) for raw in raws]
    said = _richest(documents)
    gone = Message.objects.filter(conversation_id=conversation_id).exclude(provider_id__in=said)
    removed = _remove(conversation, list(gone.values_list("id", flat=True)))
    brought_by = {
        message.provider_id: raw.batch_id
        for raw, document in reversed(list(zip(raws, documents, strict=True)))
        for message in document.messages
    }
    for message in Message.objects.filter(conversation_id=conversation_id):
        for name, value in message_content(said[message.provider_id]).items():
            setattr(message, name, value)
        message.import_id = brought_by[message.provider_id]
        message.save()
    conversation.import_id = raws[0].batch_id
    conversation.title, conversation.extra, conversation.updated_at = "", {}, None
    for document in documents:
        refresh_conversation(conversation, document)
    index_messages(conversation, Message.objects.filter(conversation_id=conversation_id))
    return removed


def _document(conversation: Conversation, raw: RawObject) -> ConversationDocument:
    value = parse(zlib.decompress(raw.body)).value
    log = NoticeLog(conversation.provider_id)
    document = CODECS[conversation.provider].normalise(value, conversation.provider_id, log)
    return with_short_ids(document)


def _richest(documents: list[ConversationDocument]) -> dict[str, MessageDocument]:
    """Of each message the copy that says most, by its provider's id."""
    said: dict[str, MessageDocument] = {}
    for document in documents:
        for message in document.messages:
            here = said.get(message.provider_id)
            if here is None or _size(message) > _size(here):
                said[message.provider_id] = message
    return said


def _size(message: MessageDocument) -> int:
    return len(canonical_json([asdict(block) for block in message.blocks]))


def _remove(conversation: Conversation, message_ids: list[UUID]) -> dict[str, int]:
    """Remove messages, and every passage of the conversation: those of the rest are made again."""
    remove_passages(Passage.objects.filter(conversation_id=conversation.id))
    evidence, _ = Evidence.objects.filter(message_id__in=message_ids).delete()
    Message.objects.filter(parent_id__in=message_ids).update(parent=None)
    if conversation.current_leaf_id in message_ids:
        conversation.current_leaf_id = None
    messages, _ = Message.objects.filter(id__in=message_ids).delete()
    return {"evidence": evidence, "messages": messages}
