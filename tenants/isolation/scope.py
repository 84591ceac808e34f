"""The tenant scope: who this transaction is for. Row-level security reads it; managers do too."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction
from psycopg import sql

SETTING = "app.tenant_id"

_scope: ContextVar[UUID | None] = ContextVar("tenant_scope", default=None)
# Whether there is a transaction for it too: one that is only named can see nothing of the data.
_has_transaction: ContextVar[bool] = ContextVar("tenant_scope_has_transaction", default=False)


class NoTenantScope(RuntimeError):
    """A tenant table was asked for with no organization in scope: a defect of ours."""


class TenantScopeSwitch(RuntimeError):
    """A scope was opened inside another tenant's, or inside a transaction it does not own."""


def current_tenant() -> UUID:
    """The organization in scope.

    Raises:
        NoTenantScope: there is none.
    """
    tenant_id = _scope.get()
    if tenant_id is None:
        msg = "Open a tenant_scope(organization_id) around this."
        raise NoTenantScope(msg)
    return tenant_id


def tenant_in_scope() -> UUID | None:
    """The organization in scope, or None."""
    return _scope.get()


def has_transaction() -> bool:
    """Whether the scope is a transaction, and not only named."""
    return _has_transaction.get()


@contextmanager
def tenant_named(tenant_id: UUID) -> Iterator[UUID]:
    """Say for whom the body works, without a transaction of the data.

    For a database that has a setting and transactions of its own; in this one nothing can be seen
    without `tenant_scope`.

    Raises:
        TenantScopeSwitch: another organization's scope is open.
    """
    outer = _scope.get()
    if outer not in (None, tenant_id):
        msg = "A scope cannot open inside another organization's scope."
        raise TenantScopeSwitch(msg)
    token = _scope.set(tenant_id)
    try:
        yield tenant_id
    finally:
        _scope.reset(token)


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[UUID]:
    """Run the body as one transaction for one organization.

    Inside a scope of the same organization it joins that transaction. The setting is a literal
    `SET LOCAL`: it ends with the transaction, so no pooled connection carries it on, and Citus
    passes it to the shards, which it does not do for set_config().

    Raises:
        TenantScopeSwitch: another organization's scope is open, or a transaction is.
    """
    outer = _scope.get()
    if outer not in (None, tenant_id):
        msg = "A scope cannot open inside another organization's scope."
        raise TenantScopeSwitch(msg)
    if outer is not None and _has_transaction.get():
        yield tenant_id
        return
    if connection.in_atomic_block:
        msg = "A scope owns its transaction: open it outside atomic()."
        raise TenantScopeSwitch(msg)
    token, marked = _scope.set(tenant_id), _has_transaction.set(True)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                statement = sql.SQL("SET LOCAL {} = {}").format(
                    sql.Identifier(*SETTING.split(".")), sql.Literal(str(tenant_id))
                )
                cursor.execute(statement.as_string(cursor.connection))
            yield tenant_id
    finally:
        _has_transaction.reset(marked)
        _scope.reset(token)
