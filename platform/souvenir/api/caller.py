"""Who calls, and what that caller may do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.http import HttpRequest
from rest_framework.request import Request

from souvenir.api.errors import OrganizationKeyNeeded, PlatformKeyNeeded, ScopeMissing
from souvenir.memories.selectors import reachable_stores
from tenants.models import Organization


def presented_key(request: HttpRequest) -> str | None:
    """The key that a request carries: `Bearer <key>`, or mem0's `Token <key>`."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() in {"bearer", "token"} and key.strip() else None


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a key. `organization` is None for a key of the operator."""

    name: str  # "key:<id>" or "platform:<id>"; recorded as the author of what it writes
    organization: Organization | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    person_id: UUID | None = None  # reaches this person's memory alone
    is_authenticated: bool = True

    @property
    def own_organization(self) -> Organization:
        """The organization that the key opens.

        Raises:
            OrganizationKeyNeeded
        """
        if self.organization is None:
            raise OrganizationKeyNeeded
        return self.organization

    def need(self, scope: str) -> None:
        """Refuse what this caller may not do.

        Raises:
            OrganizationKeyNeeded, ScopeMissing
        """
        _ = self.own_organization
        if scope not in self.scopes:
            raise ScopeMissing(scope=scope)

    def need_platform(self) -> None:
        """Refuse whoever is not the operator.

        Raises:
            PlatformKeyNeeded
        """
        if self.organization is not None:
            raise PlatformKeyNeeded

    def stores(
        self,
        *,
        person: str | None = None,
        store: str | None = None,
        together: Sequence[str] = (),
    ) -> list[UUID]:
        """The stores meant, of those this caller reaches; see `reachable_stores`.

        Raises:
            PersonNotFound, StoreNotFound
        """
        return reachable_stores(
            bound_to=self.person_id, person=person, store=store, together=together
        )


def caller_of(request: Request) -> Caller:
    """Who was authenticated for this request."""
    caller = request.user
    if not isinstance(caller, Caller):
        raise TypeError
    return caller
