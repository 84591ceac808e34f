"""My memory: the first page with its search, and the conversations."""

from uuid import UUID

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_http_methods

from souvenir.console.branches import shown_branch
from souvenir.console.overviews import conversations_by_date, memory_overview, with_current_text
from souvenir.console.paging import one_page
from souvenir.console.visits import MemoryVisit, memory_page, page
from souvenir.memories.selectors import get_conversation, memories, messages_of
from souvenir.search.questions import Question
from souvenir.search.services import Answer, search

_LATEST = 5
_RESULTS = 10


@require_http_methods(["GET", "POST"])
@memory_page
def my_memory(visit: MemoryVisit) -> HttpResponseBase:
    """The first page. A question is posted: in an address it would stand in logs and histories."""
    question = visit.request.POST.get("question", "").strip()
    answer = _answer(visit, question) if question else None
    if "HX-Request" in visit.request.headers:
        return page(visit, "my/results.html", answer=answer)
    return page(
        visit,
        "my/home.html",
        overview=memory_overview(visit.organization, visit.stores),
        latest_conversations=conversations_by_date(visit.stores)[:_LATEST],
        latest_memories=with_current_text(list(memories(store_ids=visit.stores)[:_LATEST])),
        question=question,
        answer=answer,
    )


def _answer(visit: MemoryVisit, question: str) -> Answer:
    return search(Question(text=question, store_ids=visit.stores, limit=_RESULTS))


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
