"""My memory: the first page with its search, and what an assistant would be given."""

from http import HTTPStatus
from typing import Any, TypeVar

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from souvenir.console.finding import hits
from souvenir.console.overviews import (
    conversations_by_date,
    memory_overview,
    providers_in,
    with_current_text,
)
from souvenir.console.search_forms import ContextForm, SearchForm
from souvenir.console.visits import MemoryVisit, memory_page, page
from souvenir.memories.selectors import memories
from souvenir.search.context import context
from souvenir.search.neighbours import Expand
from souvenir.search.rerank import has_reranker
from souvenir.search.services import search
from tenants.isolation.around_views import opens_its_own_scope

_LATEST = 5
_LIMITS = (10, 20, 50, 100)  # results: more are shown where they are asked for
FormT = TypeVar("FormT", bound=SearchForm)


@require_http_methods(["GET", "POST"])
@memory_page
@opens_its_own_scope(when=has_reranker)
def my_memory(visit: MemoryVisit) -> HttpResponseBase:
    """The first page. A question is posted: in an address it would stand in logs and histories."""
    form, limit = _form(visit, SearchForm), _limit(visit)
    found: dict[str, Any] = {"form": form}
    if form.is_valid():
        answer = search(form.asked(visit.stores, limit=limit))
        more = next((one for one in _LIMITS if one > limit), None)
        is_full = len(answer.results) == limit
        found |= {"answer": answer, "hits": hits(answer), "more": more if is_full else None}
    if "HX-Request" in visit.request.headers:
        return _part(visit, form, "my/search", found)
    with visit.scope():
        return page(
            visit,
            "my/home.html",
            status=_status(form),
            overview=memory_overview(visit.organization, visit.stores),
            latest_conversations=conversations_by_date(visit.stores)[:_LATEST],
            latest_memories=with_current_text(list(memories(store_ids=visit.stores)[:_LATEST])),
            **found,
        )


@require_http_methods(["GET", "POST"])
@memory_page
@opens_its_own_scope(when=has_reranker)
def my_context(visit: MemoryVisit) -> HttpResponseBase:
    """The block that an assistant would be given, as it would be given. Posted, like a search."""
    form = _form(visit, ContextForm)
    found: dict[str, Any] = {"form": form}
    if form.is_valid():
        way = Expand(form.cleaned_data["expand"] or Expand.NONE)
        budget = form.cleaned_data["budget"]
        found["given"] = context(form.asked(visit.stores), budget=budget, expand=way)
    if "HX-Request" in visit.request.headers:
        return _part(visit, form, "my/context", found)
    return page(visit, "my/context.html", status=_status(form), **found)


def _part(
    visit: MemoryVisit, form: SearchForm, template: str, found: dict[str, Any]
) -> HttpResponseBase:
    """What htmx puts in place: the results; where something is, or was, to be mended, all of it.

    Its status is 200 in any case: of another, htmx would show nothing.
    """
    if visit.request.headers.get("HX-Target") != "asking" and not form.errors:
        return page(visit, f"{template}_results.html", **found)
    response = page(visit, f"{template}_asking.html", **found)
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#asking", "outerHTML"
    return response


def _status(form: SearchForm) -> HTTPStatus:
    return HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK


def _form(visit: MemoryVisit, kind: type[FormT]) -> FormT:
    """Filled in with what was posted; what the search page does not ask has its first value."""
    with visit.scope():
        sources = providers_in(visit.stores)
    if visit.request.method != "POST":
        return kind(sources=sources)
    data = visit.request.POST.copy()
    for name, field in kind.base_fields.items():
        if name not in data and field.initial is not None:
            data[name] = str(field.initial)
    return kind(data, sources=sources)


def _limit(visit: MemoryVisit) -> int:
    """How many results are asked for: one of the steps, the first where none of them is."""
    asked = visit.request.POST.get("limit", "")
    return next((one for one in _LIMITS if str(one) == asked), _LIMITS[0])
