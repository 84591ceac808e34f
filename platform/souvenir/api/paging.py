"""Lists in pages, by cursor: stable while rows come and go."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from tenants.isolation.scope import tenant_in_scope
from tenants.sealed import open_ahead


class Newest(CursorPagination):
    """Newest first. `?limit=` up to 200, `?cursor=` from the `next` of the page before."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = ("-recorded_at", "-id")

    def paginate_queryset(
        self,
        queryset: QuerySet[Any] | Sequence[Any],
        request: Request,
        view: APIView | None = None,
    ) -> list[Any] | None:
        page = super().paginate_queryset(queryset, request, view)
        if page and tenant_in_scope():
            open_ahead(page)
        return page

    def decode_cursor(self, request: Request) -> Cursor | None:
        """DRF looks at the wrapping of a cursor only; the instant inside is the caller's too."""
        cursor = super().decode_cursor(request)
        if cursor is not None and not _is_place(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class NewestJobs(Newest):
    ordering = ("-created_at", "-id")


class NewestErasures(Newest):
    ordering = ("-requested_at", "-id")


class NewestEntries(Newest):
    ordering = ("-at", "-id")


class Oldest(Newest):
    ordering = ("recorded_at", "id")


def _is_place(position: str | int | None) -> bool:
    """Every list here goes by an instant with its offset; None: the list's beginning."""
    if not isinstance(position, str):
        return position is None
    try:
        instant = parse_datetime(position)
    except ValueError:
        return False
    return instant is not None and instant.tzinfo is not None
