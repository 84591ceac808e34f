"""Long lists, a page at a time."""

from typing import TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

PER_PAGE = 25
ModelT = TypeVar("ModelT", bound=Model)


def one_page(request: HttpRequest, rows: QuerySet[ModelT]) -> Page[ModelT]:
    """The page that the address asks for (`?page=`), or the nearest one there is. Two queries."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
