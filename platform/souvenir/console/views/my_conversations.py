"""My memory: the conversations."""

from uuid import UUID

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from souvenir.console.branches import shown_branch
from souvenir.console.overviews import conversations_by_date
from souvenir.console.paging import one_page
from souvenir.console.visits import MemoryVisit, memory_page, page
from souvenir.memories.selectors import get_conversation, messages_of


@require_GET
@memory_page
def my_conversations(visit: MemoryVisit) -> HttpResponseBase:
    """All of them, last changed first."""
    found = conversations_by_date(visit.stores)
    return page(visit, "my/conversations.html", rows=one_page(visit.request, found))


@require_GET
@memory_page
def my_conversation(visit: MemoryVisit, conversation_id: UUID) -> HttpResponseBase:
    """One branch of a conversation: the one that was shown, or the one through `?message=`."""
    conversation = get_conversation(conversation_id=conversation_id, store_ids=visit.stores)
    messages = list(messages_of(conversation=conversation))
    turns = shown_branch(messages, leaf=conversation.current_leaf_id, through=_asked_for(visit))
    return page(
        visit,
        "my/conversation.html",
        conversation=conversation,
        turns=turns,
        elsewhere=len(messages) - len(turns),
        asked_for=_asked_for(visit),
    )


def _asked_for(visit: MemoryVisit) -> UUID | None:
    try:
        return UUID(visit.request.GET.get("message", ""))
    except ValueError:
        return None
