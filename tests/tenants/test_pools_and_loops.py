"""Scopes under a psycopg pool and under ASGI, where threads and connections change hands."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import AsyncClient

from souvenir.memories.models import Person
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_in_scope, tenant_scope
from tests.builders import Tenant
from tests.tenants.second_server import leading


@pytest.fixture
def pool() -> Iterator[None]:
    """The default connection comes out of a pool, which has one for all threads."""
    options = {"pool": {"min_size": 1, "max_size": 1, "timeout": 20}}
    with leading("default", {"CONN_MAX_AGE": 0, "OPTIONS": options}):
        yield
        wrapper = connections["default"]
        assert isinstance(wrapper, DatabaseWrapper)
        wrapper.close()
        wrapper.close_pool()


def _people_of(name: str, tenant: Tenant) -> tuple[str, set[str], int]:
    """Make sure of one person, and see who is there: by the ORM, and by a query without filter."""
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        ensure_person(external_id=name)
        cursor.execute("SELECT pg_backend_pid() FROM memories_person")
        backends = cursor.fetchall()
        assert len(backends) == 1
        seen = set(Person.objects.values_list("external_id", flat=True))
    connection.close()
    return name, seen, backends[0][0]


@pytest.mark.usefixtures("pool")
def test_tenants_take_turns_on_one_pooled_connection(acme: Tenant, globex: Tenant) -> None:
    connection.close()  # gives back the one that made the two organizations
    with ThreadPoolExecutor(max_workers=6) as threads:
        turns = [("acme", acme), ("globex", globex)] * 20
        answers = list(threads.map(lambda turn: _people_of(*turn), turns))

    assert all(seen == {name} for name, seen, _ in answers)
    assert len({pid for _, _, pid in answers}) == 1


@pytest.mark.usefixtures("pool")
def test_a_pooled_connection_carries_no_tenant_on(acme: Tenant) -> None:
    _, _, pid = _people_of("alice", acme)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), count(*) FROM memories_person")
        again = cursor.fetchone()

    assert again == (pid, 0)


def test_tasks_of_one_event_loop_keep_to_their_own_tenants(acme: Tenant, globex: Tenant) -> None:
    turn = sync_to_async(_people_of, thread_sensitive=False)

    async def all_at_once() -> list[tuple[str, set[str], int]]:
        turns = [("acme", acme), ("globex", globex)] * 10
        return await asyncio.gather(*(turn(*who) for who in turns))

    answers = asyncio.run(all_at_once())

    assert all(seen == {name} for name, seen, _ in answers)
    assert tenant_in_scope() is None


def test_requests_under_asgi_keep_to_their_own_tenants(acme: Tenant, globex: Tenant) -> None:
    async def names(tenant: Tenant) -> list[str]:
        key = {"authorization": f"Bearer {tenant.key}"}
        answer = await AsyncClient().get("/api/v1/people", headers=key)
        assert answer.status_code == 200, answer.content
        return [person["external_id"] for person in answer.json()["results"]]

    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*(names(tenant) for tenant in [acme, globex] * 8))

    for name, tenant in (("alice", acme), ("bob", globex)):
        with tenant_scope(tenant.id):
            ensure_person(external_id=name)
    answers = asyncio.run(all_at_once())

    assert answers == [["alice"], ["bob"]] * 8


def test_a_scope_does_not_open_on_the_event_loop_itself(acme: Tenant) -> None:
    async def open_it() -> None:
        # Between two awaits another task could run inside this one's transaction.
        with tenant_scope(acme.id):
            await asyncio.sleep(0)

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(open_it())

    assert tenant_in_scope() is None
