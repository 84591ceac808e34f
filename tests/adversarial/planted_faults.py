"""Selectors as somebody might write them in a hurry: each is a leak that the matrices must find."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Model


def forgets_the_stores(
    model: type[Model], missing: type[Exception], name: str, **only: str
) -> Callable[..., Any]:
    """Gives any row of the organization, whoever asks. `name` is its argument's: `memory_id`."""

    def forgetful(*, store_ids: list[UUID], **asked: UUID) -> Any:
        found = model._default_manager.filter(id=asked[name], **only).first()
        if found is None:
            raise missing(**asked)
        return found

    return forgetful


def tells_of(refusals: Mapping[str, Exception], missing: type[Exception]) -> Callable[..., Any]:
    """Finds nothing, but refuses some ids in another way than those that are not there."""

    def telling(*, store_ids: list[UUID], **asked: UUID) -> Any:
        (wanted,) = asked.values()
        raise refusals.get(str(wanted), missing(**asked))

    return telling
