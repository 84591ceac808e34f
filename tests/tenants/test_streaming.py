"""A body that is made while it is sent: each part in a scope of its own, or refused."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.views import APIView

from souvenir.api.authentication import ScopeMiddleware
from souvenir.console.visits import MemoryVisit, memory_page
from souvenir.memories.models import Person
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import NoTenantScope, tenant_in_scope, tenant_scope
from tenants.isolation.streaming import PatientStream
from tests.builders import Tenant
from tests.souvenir.console.visitors import make_member

_ADDRESS = "/api/v1/stream-of-a-test"


def _people() -> list[str]:
    """Whoever is there for a query that forgot its tenant; and one that did not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM memories_person")
        count = cursor.fetchone()[0]
    names = [person.external_id for person in Person.objects.all()]
    return [*sorted(names), str(count)]


def _three_parts() -> Iterator[bytes]:
    for _ in range(3):
        yield f"{tenant_in_scope()} {' '.join(_people())}\n".encode()


def _patient_parts(tenant_id: UUID) -> Iterator[bytes]:
    yield str(tenant_in_scope()).encode()
    with tenant_scope(tenant_id):
        names = _people()
    yield " ".join(names).encode()


class _Stream(APIView):
    def get(self, request: Request) -> StreamingHttpResponse:
        return StreamingHttpResponse(_three_parts())


urlpatterns = [path(_ADDRESS.lstrip("/"), _Stream.as_view())]


@pytest.fixture
def peopled(acme: Tenant, globex: Tenant) -> None:
    for tenant, people in ((acme, ["alice"]), (globex, ["bob", "carol"])):
        with tenant_scope(tenant.id):
            for person in people:
                ensure_person(external_id=person)


def _through_the_middleware(
    tenant: Tenant, view: Callable[[HttpRequest], HttpResponseBase]
) -> StreamingHttpResponse:
    request = RequestFactory().get(_ADDRESS, headers={"authorization": f"Bearer {tenant.key}"})
    response = ScopeMiddleware(view)(request)
    assert isinstance(response, StreamingHttpResponse)
    return response


def _line(tenant: Tenant, people: str) -> bytes:
    return f"{tenant.id} {people}\n".encode()


@pytest.mark.usefixtures("peopled")
def test_two_streams_that_take_turns_keep_to_their_own_tenants(
    acme: Tenant, globex: Tenant
) -> None:
    ours = iter(_through_the_middleware(acme, lambda _: StreamingHttpResponse(_three_parts())))
    theirs = iter(_through_the_middleware(globex, lambda _: StreamingHttpResponse(_three_parts())))

    turns = []
    for _ in range(3):
        turns += [next(ours), next(theirs)]
        assert tenant_in_scope() is None
        assert not connection.in_atomic_block

    assert turns == [_line(acme, "alice 1"), _line(globex, "bob carol 2")] * 3
    assert list(ours) == list(theirs) == []


@pytest.mark.usefixtures("peopled")
def test_a_stream_that_nobody_reads_to_its_end_leaves_no_scope_open(acme: Tenant) -> None:
    response = _through_the_middleware(acme, lambda _: StreamingHttpResponse(_three_parts()))

    next(iter(response))
    response.close()

    assert tenant_in_scope() is None
    assert not connection.in_atomic_block


@pytest.mark.usefixtures("peopled")
def test_a_stream_that_fails_keeps_nothing_of_the_part_it_failed_in(acme: Tenant) -> None:
    def failing() -> Iterator[bytes]:
        ensure_person(external_id="kept")
        yield b"one"
        ensure_person(external_id="not kept")
        raise ZeroDivisionError

    parts = iter(_through_the_middleware(acme, lambda _: StreamingHttpResponse(failing())))
    next(parts)
    with pytest.raises(ZeroDivisionError):
        next(parts)

    with tenant_scope(acme.id):
        assert _people() == ["alice", "kept", "2"]


@pytest.mark.usefixtures("peopled")
def test_a_stream_that_waits_has_no_scope_but_those_it_opens(acme: Tenant) -> None:
    response = _through_the_middleware(acme, lambda _: PatientStream(_patient_parts(acme.id)))

    assert list(response) == [b"None", b"alice 1"]


@pytest.mark.usefixtures("peopled")
def test_a_stream_that_waits_and_opens_none_is_refused(acme: Tenant) -> None:
    response = _through_the_middleware(acme, lambda _: PatientStream(_three_parts()))

    with pytest.raises(NoTenantScope):
        list(response)


@pytest.mark.usefixtures("peopled")
def test_a_stream_of_the_console_keeps_to_its_organization(acme: Tenant, globex: Tenant) -> None:
    member = make_member(acme, external_id="alice")

    @memory_page
    def view(visit: MemoryVisit) -> HttpResponseBase:
        return StreamingHttpResponse(_three_parts())

    request = RequestFactory().get("/my/stream")
    request.user, request.session = member.user, member.browser.session
    response = view(request)

    assert list(response) == [_line(acme, "alice 1")] * 3
    assert tenant_in_scope() is None


@pytest.mark.usefixtures("peopled")
@override_settings(ROOT_URLCONF=__name__)
def test_streams_keep_to_their_own_tenants_through_every_middleware(
    acme: Tenant, globex: Tenant
) -> None:
    answers = [
        Client(headers={"authorization": f"Bearer {tenant.key}"}).get(_ADDRESS)
        for tenant in (acme, globex)
    ]

    bodies = [b"".join(answer.streaming_content) for answer in answers]  # type: ignore[attr-defined]

    assert bodies == [_line(acme, "alice 1") * 3, _line(globex, "bob carol 2") * 3]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators")
@pytest.mark.usefixtures("peopled")
@override_settings(ROOT_URLCONF=__name__)
def test_streams_under_asgi_keep_to_their_own_tenants(acme: Tenant, globex: Tenant) -> None:
    async def body(tenant: Tenant) -> bytes:
        key = {"authorization": f"Bearer {tenant.key}"}
        answer = await AsyncClient().get(_ADDRESS, headers=key)
        return b"".join([part async for part in answer])  # type: ignore[attr-defined]

    async def all_at_once() -> list[bytes]:
        return await asyncio.gather(*(body(tenant) for tenant in [acme, globex] * 4))

    assert (
        asyncio.run(all_at_once())
        == [
            _line(acme, "alice 1") * 3,
            _line(globex, "bob carol 2") * 3,
        ]
        * 4
    )
    assert tenant_in_scope() is None


@pytest.mark.usefixtures("peopled")
def test_an_asynchronous_body_is_refused_what_it_asks_of_a_tenant_table(acme: Tenant) -> None:
    async def parts() -> AsyncIterator[bytes]:
        with tenant_scope(acme.id):
            yield b"never"

    async def nameless() -> AsyncIterator[bytes]:
        yield str(Person.objects.count()).encode()

    async def read(body: Callable[[], AsyncIterator[bytes]]) -> list[bytes]:
        return [part async for part in StreamingHttpResponse(body())]

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(read(parts))
    with pytest.raises((SynchronousOnlyOperation, NoTenantScope)):
        asyncio.run(read(nameless))
