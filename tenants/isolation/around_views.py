"""What a view is called in: one transaction for its organization, unless it opens its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar
from uuid import UUID

from tenants.isolation.scope import tenant_named, tenant_scope

_DECLARED = "opens_its_own_scope"
ViewT = TypeVar("ViewT")


def opens_its_own_scope(*, when: Callable[[], bool]) -> Callable[[ViewT], ViewT]:
    """Declare that a view, or a class of views, waits for something far away when `when` says so.

    Then it is called without a transaction, for none may be open meanwhile. Whose organization it
    is for is named, and the view opens a scope around each thing that it asks of the database.
    When `when` says no, it is called in one transaction like any other view.
    """

    def declare(view: ViewT) -> ViewT:
        setattr(view, _DECLARED, when)
        return view

    return declare


def scope_around(view: object, tenant_id: UUID) -> AbstractContextManager[UUID]:
    """The scope, or the name alone, that a view is to be called in. None: no view is known."""
    of_class = getattr(getattr(view, "cls", None), _DECLARED, None)  # as DRF names a view's class
    when = getattr(view, _DECLARED, of_class)
    return tenant_named(tenant_id) if when is not None and when() else tenant_scope(tenant_id)
