"""The database keeps tenants apart, also where the code forgets to."""

import threading
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Manager

from souvenir.memories.models import Conversation, Memory, Person, Store, subject_of_store
from souvenir.memories.services import Statement, add_memory, ensure_person, ensure_shared_store
from tenants.isolation.scope import (
    NoTenantScope,
    TenantScopeSwitch,
    tenant_in_scope,
    tenant_named,
    tenant_scope,
)
from tenants.sealed import SealedColumnUsed
from tests.builders import Tenant

_TABLE = Person._meta.db_table


def _people_by_raw_sql() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{_TABLE}"')
        return int(cursor.fetchone()[0])


def test_without_a_scope_the_orm_refuses() -> None:
    with pytest.raises(NoTenantScope):
        Person.objects.count()


def test_without_a_scope_raw_sql_sees_nothing(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        ensure_person(external_id="alice")

    assert _people_by_raw_sql() == 0


def test_raw_sql_that_forgets_the_tenant_sees_its_own_rows_only(
    acme: Tenant, globex: Tenant
) -> None:
    with tenant_scope(globex.id):
        ensure_person(external_id="bob")
        ensure_person(external_id="carol")
    with tenant_scope(acme.id):
        ensure_person(external_id="alice")

        assert _people_by_raw_sql() == 1


def test_a_manager_that_forgets_the_tenant_sees_its_own_rows_only(
    acme: Tenant, globex: Tenant
) -> None:
    forgetful: Manager[Person] = Manager()
    forgetful.model = Person
    with tenant_scope(globex.id):
        ensure_person(external_id="bob")
    with tenant_scope(acme.id):
        ensure_person(external_id="alice")

        assert [person.external_id for person in forgetful.all()] == ["alice"]


def test_a_row_cannot_be_written_into_another_tenant(acme: Tenant, globex: Tenant) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), tenant_scope(acme.id):
        Person.objects.create(tenant_id=globex.id, external_id="mallory")


def test_a_row_cannot_be_moved_into_another_tenant(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")

    with pytest.raises(DatabaseError, match="row-level security"), tenant_scope(acme.id):
        Person.objects.filter(id=person.id).update(tenant_id=globex.id)


def test_a_child_cannot_point_into_another_tenant(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(globex.id):
        theirs = ensure_shared_store(slug="team")

    with pytest.raises(DatabaseError, match="foreign key"), tenant_scope(acme.id):
        Memory.objects.create(store_id=theirs.id)


def test_two_tenants_may_use_the_same_id(acme: Tenant, globex: Tenant) -> None:
    shared = uuid4()
    for tenant in (acme, globex):
        with tenant_scope(tenant.id):
            Person.objects.create(id=shared, external_id="same")

            assert Person.objects.get(id=shared).tenant_id == tenant.id


def test_a_scope_does_not_open_inside_another(acme: Tenant, globex: Tenant) -> None:
    with (
        tenant_scope(acme.id),
        pytest.raises(TenantScopeSwitch),
        tenant_scope(globex.id),
    ):
        pass


def test_a_scope_joins_the_open_one_of_the_same_tenant(acme: Tenant) -> None:
    with tenant_scope(acme.id), tenant_scope(acme.id):
        ensure_person(external_id="alice")

    assert tenant_in_scope() is None


def test_a_scope_does_not_open_inside_a_transaction_it_does_not_own(acme: Tenant) -> None:
    with transaction.atomic(), pytest.raises(TenantScopeSwitch), tenant_scope(acme.id):
        pass


def test_an_exception_closes_the_scope_and_undoes_its_work(acme: Tenant) -> None:
    def make_and_fail() -> None:
        with tenant_scope(acme.id):
            ensure_person(external_id="alice")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_and_fail()

    with tenant_scope(acme.id):
        assert not Person.objects.exists()


def test_threads_keep_to_their_own_tenants(acme: Tenant, globex: Tenant) -> None:
    seen: dict[str, set[str]] = {"acme": set(), "globex": set()}

    def alternate(name: str, tenant: Tenant) -> None:
        for _ in range(20):
            with tenant_scope(tenant.id):
                ensure_person(external_id=name)
                seen[name] |= set(Person.objects.values_list("external_id", flat=True))
        connection.close()

    threads = [
        threading.Thread(target=alternate, args=(name, tenant))
        for name, tenant in (("acme", acme), ("globex", globex))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {"acme": {"acme"}, "globex": {"globex"}}


def test_content_cannot_be_filtered_on_by_accident(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = ensure_shared_store(slug="team")
        add_memory(store=store, statement=Statement(text="Le code est 1234"))

        with pytest.raises(SealedColumnUsed):
            Conversation.objects.filter(title__contains="code")


def test_an_organization_that_is_only_named_sees_nothing_until_a_scope_opens(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        ensure_shared_store(slug="team")

    with tenant_named(acme.id):
        assert not Store.objects.exists()
        with tenant_scope(acme.id):
            assert Store.objects.exists()
        assert not Store.objects.exists()


def test_a_scope_of_another_does_not_open_where_one_is_named(acme: Tenant, globex: Tenant) -> None:
    with tenant_named(acme.id), pytest.raises(TenantScopeSwitch), tenant_scope(globex.id):
        pass


def test_whose_key_seals_a_store_is_known_outside_a_scope_too(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = ensure_shared_store(slug="team")

    with tenant_named(acme.id):
        assert subject_of_store(store.id) == store.id
