"""The filter of the ORM taken away everywhere: the database alone still keeps the tenants apart.

Both organizations have rows in every tenant table, so that an empty answer is a refusal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.apps import apps
from django.db import DatabaseError, connections, models, router
from pgvector import HalfVector

from souvenir.deletion.services import request_erasure
from souvenir.embedding.models import DIMENSIONS
from souvenir.export.services import request_export
from souvenir.ingestion.models import Asset, Import, Passage, PassageVector
from souvenir.memories.models import Evidence, MemoryVersion, Message
from souvenir.memories.services import Statement, add_memory, ensure_shared_store
from tenants.isolation.scope import tenant_scope
from tenants.isolation.tables import TenantManager, TenantOwned
from tenants.keyring.database import ALIAS, keyring_transaction
from tenants.keyring.index_keys import index_keys
from tenants.keyring.services import sealing_secrets
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant
from tests.tenants.any_row import make_any_row

_MODELS = [model for model in apps.get_models() if issubclass(model, TenantOwned)]
each_model = pytest.mark.parametrize("model", _MODELS, ids=lambda model: model._meta.db_table)


@dataclass(frozen=True)
class Pair:
    """Two organizations, each with a row or more in every tenant table."""

    acme: Tenant
    globex: Tenant


@pytest.fixture(scope="module")
def pair(database: None) -> Pair:
    made = Pair(make_tenant(), make_tenant())
    for tenant in (made.acme, made.globex):
        _fill_every_table(tenant)
    return made


@pytest.fixture
def no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every query of the code had forgotten its tenant."""
    monkeypatch.setattr(TenantManager, "get_queryset", models.Manager.get_queryset)


def _fill_every_table(tenant: Tenant) -> None:
    import_bytes(tenant, chatgpt_export("Where is the key?", "Under the mat."))
    with tenant_scope(tenant.id):
        batch, store = Import.objects.get(), ensure_shared_store(slug="team")
        memory = add_memory(store=store, statement=Statement(text="The key is under the mat."))
        Evidence.objects.create(
            version=MemoryVersion.objects.get(memory=memory),
            message=Message.objects.order_by("ordinal")[0],
            block=0,
            start=0,
            end=3,
            quote_sha256="0" * 64,
        )
        Asset.objects.create(batch=batch, store=store, sha256="0" * 64, size_bytes=0)
        passage = Passage.objects.filter(message__isnull=False).first()
        assert passage is not None
        PassageVector.objects.create(
            store_id=passage.store_id,
            model=1,
            passage_id=passage.id,
            embedding=HalfVector([0.0] * DIMENSIONS),
        )
        request_export(person=None)
        request_erasure(target="memory", target_id=memory.id)
        index_keys()
        sealing_secrets([store.id])
    for model in _MODELS:
        with _scope(tenant, model):
            if not model._default_manager.exists():
                make_any_row(model, using=_alias(model))


def _alias(model: type[models.Model]) -> str:
    """The connection that a model is asked over: the keyring has its own."""
    return router.db_for_read(model)


@contextmanager
def _scope(tenant: Tenant, model: type[models.Model]) -> Iterator[None]:
    """The scope of a tenant, where the model's rows are."""
    with tenant_scope(tenant.id):
        if _alias(model) != ALIAS:
            yield
            return
        with keyring_transaction(tenant.id):
            yield


def _tenants_seen(model: type[models.Model]) -> set[object]:
    return set(model._default_manager.values_list("tenant_id", flat=True))


def _count(model: type[models.Model], statement: str, *parameters: UUID) -> int:
    """How many rows a statement gave or changed, where the model's rows are."""
    with connections[_alias(model)].cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


@each_model
def test_both_have_rows_in_every_table(model: type[models.Model], pair: Pair) -> None:
    for tenant in (pair.acme, pair.globex):
        with _scope(tenant, model):
            assert _tenants_seen(model) == {tenant.id}, (
                f"Make a row of {model.__name__} in _fill_every_table, in this file: where there "
                "is nothing, an empty answer proves nothing."
            )


@pytest.mark.usefixtures("no_filter")
@each_model
def test_a_query_that_forgot_its_tenant_sees_no_foreign_row(
    model: type[models.Model], pair: Pair
) -> None:
    with _scope(pair.globex, model):
        foreign = list(model._default_manager.values_list("pk", flat=True))

    with _scope(pair.acme, model):
        assert "WHERE" not in str(model._default_manager.all().query)
        assert _tenants_seen(model) == {pair.acme.id}
        assert not model._default_manager.filter(tenant_id=pair.globex.id).exists()
        assert not [pk for pk in foreign if model._default_manager.filter(pk=pk).exists()]


@pytest.mark.usefixtures("no_filter")
@each_model
def test_a_query_without_a_tenant_sees_nothing(model: type[models.Model], pair: Pair) -> None:
    with _scope(pair.acme, model):
        seen_within = _tenants_seen(model)

    # The same connection, straight after: nothing of the scope stays behind.
    assert seen_within == {pair.acme.id}
    assert _tenants_seen(model) == set()


@each_model
def test_raw_sql_sees_and_changes_its_own_rows_only(model: type[models.Model], pair: Pair) -> None:
    table, them = model._meta.db_table, pair.globex.id
    with _scope(pair.acme, model):
        foreign = _count(model, f'SELECT 1 FROM "{table}" WHERE tenant_id = %s', them)
        joined = _count(
            model, f'SELECT 1 FROM "{table}" a JOIN "{table}" b ON a.tenant_id <> b.tenant_id'
        )
        stolen = _count(
            model, f'UPDATE "{table}" SET tenant_id = %s WHERE tenant_id = %s', pair.acme.id, them
        )
        deleted = _count(model, f'DELETE FROM "{table}" WHERE tenant_id = %s', them)

    assert (foreign, joined, stolen, deleted) == (0, 0, 0, 0)


@each_model
def test_raw_sql_gives_no_row_away(model: type[models.Model], pair: Pair) -> None:
    table = model._meta.db_table
    names = [field.column for field in model._meta.local_concrete_fields if field.column]
    values = [f'"{name}"' if name != "tenant_id" else "%s" for name in names]
    into = ", ".join(f'"{name}"' for name in names)
    copy = f'INSERT INTO "{table}" ({into}) SELECT {", ".join(values)} FROM "{table}"'

    with pytest.raises(DatabaseError, match="row-level security"), _scope(pair.acme, model):
        _count(model, copy, pair.globex.id)


@each_model
def test_raw_sql_without_a_tenant_sees_nothing(model: type[models.Model], pair: Pair) -> None:
    everything = f'SELECT 1 FROM "{model._meta.db_table}"'

    assert _count(model, everything) == 0
    assert _count(model, f'DELETE FROM "{model._meta.db_table}"') == 0


@each_model
@pytest.mark.parametrize("command", ["TRUNCATE {} CASCADE", "COPY {} FROM STDIN"])
def test_commands_past_row_security_are_refused(
    command: str, model: type[models.Model], pair: Pair
) -> None:
    refusal = pytest.raises(DatabaseError, match=r"permission denied|with row-level security")

    with refusal, _scope(pair.acme, model):
        _count(model, command.format(f'"{model._meta.db_table}"'))
