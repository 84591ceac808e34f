"""Lists in pages, by cursor: stable while rows come and go."""

from rest_framework.pagination import CursorPagination


class Newest(CursorPagination):
    """Newest first. `?limit=` up to 200, `?cursor=` from the `next` of the page before."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = ("-recorded_at", "-id")


class NewestJobs(Newest):
    ordering = ("-created_at", "-id")


class NewestErasures(Newest):
    ordering = ("-requested_at", "-id")


class Oldest(Newest):
    ordering = ("recorded_at", "id")
