"""Answers whose body is made while it is sent, after the scope of the request has closed.

A scope is a transaction, and a slow reader shall hold none open. So each part of such a body is
made in a scope of its own, and none is open between two parts.
"""

from collections.abc import Iterable, Iterator
from typing import cast
from uuid import UUID

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from tenants.isolation.scope import tenant_scope


class PatientStream(StreamingHttpResponse):
    """A body that waits for what happens. It opens a scope itself, around each look.

    No scope is opened for it: one would hold a transaction for as long as it waits. What it asks of
    a tenant table outside of a scope of its own is refused.
    """


def stream_in_scope(response: HttpResponseBase, *, tenant_id: UUID) -> HttpResponseBase:
    """Let each part of a body that streams be made for one organization.

    A file is only read, and needs no scope. The body of an asynchronous view is left alone: no
    scope opens on the event loop, so what it asks of a tenant table is refused.
    """
    if not isinstance(response, StreamingHttpResponse) or response.is_async:
        return response
    if not isinstance(response, FileResponse | PatientStream):
        body = cast("Iterable[bytes]", response.streaming_content)  # is_async says so
        response.streaming_content = _parts(body, tenant_id)
    return response


def _parts(body: Iterable[bytes], tenant_id: UUID) -> Iterator[bytes]:
    parts = iter(body)
    while True:
        with tenant_scope(tenant_id):
            part = next(parts, None)
        if part is None:
            return
        yield part
