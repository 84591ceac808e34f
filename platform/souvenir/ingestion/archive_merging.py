"""An archive's conversation that is here under another id: brought by the provider's export, then
by the archive. As with two exports, what is richer replaces, and nothing goes.
"""

from datetime import UTC, datetime
from uuid import UUID

from souvenir.core.canonical_json import canonical_json
from souvenir.ingestion import archive_rows as rows
from souvenir.ingestion.models import Passage
from souvenir.ingestion.passages import index_messages, remove_passages
from souvenir.memories.models import Conversation, Message
from souvenir.portability.souvenir_archive import Line

_SAID = (
    "role", "author_name", "model", "hidden", "occurred_at", "time_original", "blocks", "extra",
)  # fmt: skip
_NEVER = datetime.min.replace(tzinfo=UTC)


def enrich_message(message_id: UUID, line: Line) -> None:
    """Give a message the archive's content where that says more, in bytes of its blocks."""
    here = Message.objects.select_related("conversation").get(id=message_id)
    if len(canonical_json(line["blocks"])) <= len(canonical_json(here.blocks)):
        return
    values = rows.values_of(Message, line)
    for name in _SAID:
        setattr(here, name, values[name])
    here.save(update_fields=_SAID)
    stale = Passage.objects.filter(message_id=here.id)
    remove_passages(stale)
    index_messages(here.conversation, [here])


def refresh_from(conversation_id: UUID, line: Line, *, leaf_id: UUID | None) -> None:
    """Take the archive's title and shown branch, if it is as late as what is here."""
    here = Conversation.objects.get(id=conversation_id)
    values = rows.values_of(Conversation, line)
    if (values["updated_at"] or _NEVER) < (here.updated_at or _NEVER):
        return
    here.title = values["title"] or here.title
    here.updated_at = values["updated_at"] or here.updated_at
    here.extra = {**here.extra, **values["extra"]}
    here.current_leaf_origin = values["current_leaf_origin"]
    here.current_leaf_id = leaf_id or here.current_leaf_id
    here.save()
