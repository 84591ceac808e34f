"""Lists in pages, by cursor: stable while rows come and go."""

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class Newest(CursorPagination):
    """Newest first. `?limit=` up to 200, `?cursor=` from the `next` of the page before."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = ("-recorded_at", "-id")

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
