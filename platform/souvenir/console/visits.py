"""Who looks at a page, and in which organization; and the scope around view and rendering."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property, wraps
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

from django.contrib.auth import get_user
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from souvenir.audit.actors import now_acting
from souvenir.console.errors import (
    MemoryErased,
    NoMemoryOfYourOwn,
    NoOrganization,
    PageNotYours,
)
from souvenir.console.failures import failure_page
from souvenir.console.language import View, in_its_language
from souvenir.core.errors import SouvenirError
from souvenir.core.log_fields import note
from souvenir.memories.errors import PersonNotFound
from souvenir.memories.models import Person
from souvenir.memories.selectors import get_person_by_id, reachable_stores
from souvenir.memories.time_zones import zone_of
from tenants.errors import OrganizationSuspended
from tenants.isolation.around_views import scope_around
from tenants.isolation.scope import tenant_scope
from tenants.isolation.streaming import stream_in_scope
from tenants.keyring.errors import ContentGone, KeyRefused, KeystoreUnavailable
from tenants.models import Membership, Organization, User
from tenants.selectors import memberships_of
from tenants.time_zones import zone_of_organization

CHOSEN = "organization"  # session key: the organization last entered


@dataclass(frozen=True)
class Visit:
    """A request by someone who has signed in."""

    request: HttpRequest
    user: User
    memberships: list[Membership] = field(repr=False)

    @property
    def has_memory(self) -> bool:
        return any(membership.person_id for membership in self.memberships)

    @property
    def owns_organization(self) -> bool:
        return any(membership.role == Membership.Role.OWNER for membership in self.memberships)

    @property
    def has_several_areas(self) -> bool:
        """Whether there is something to choose from."""
        return [self.has_memory, self.owns_organization, self.user.is_platform_admin].count(
            True
        ) > 1

    @property
    def author(self) -> str:
        """How what this person writes is signed."""
        return f"user:{self.user.id}"


@dataclass(frozen=True)
class OrganizationVisit(Visit):
    """A visit to an organization, in its scope."""

    membership: Membership

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    @cached_property
    def own_person(self) -> Person | None:
        """Whose memory is "my memory" here; None: there is none, or it was erased. One query."""
        person_id = self.membership.person_id
        try:
            return get_person_by_id(person_id=person_id) if person_id else None
        except PersonNotFound:
            return None

    def zone(self) -> tzinfo:
        """Where the days of whoever visits begin: as far as that can be read now."""
        with self.scope():
            try:
                return zone_of(self.own_person, organization=self.organization)
            except (ContentGone, KeyRefused, KeystoreUnavailable):
                return zone_of_organization(self.organization)

    def scope(self) -> AbstractContextManager[UUID]:
        """The organization's scope; joins the one that is open, if one is."""
        return tenant_scope(self.organization.id)


@dataclass(frozen=True)
class MemoryVisit(OrganizationVisit):
    """A visit to one's own memory: reaches the person's own store and nothing else."""

    person_id: UUID

    @cached_property
    def stores(self) -> list[UUID]:
        """One query, in the scope."""
        return reachable_stores(bound_to=self.person_id)

    @property
    def person(self) -> Person:
        """One query.

        Raises:
            MemoryErased
        """
        if self.own_person is None:
            raise MemoryErased
        return self.own_person


VisitT = TypeVar("VisitT", bound=Visit)


def page(
    visit: Visit, template: str, *, status: int = HTTPStatus.OK, **context: object
) -> TemplateResponse:
    """A page for a visit; it is rendered before the scope closes."""
    return TemplateResponse(
        visit.request,
        f"console/{template}",
        {"visit": visit, "area": template.partition("/")[0], **context},
        status=status,
    )


def signed_in_page(view: View) -> View:
    """For anyone who has signed in. The view is given a Visit; no scope is open."""
    return _entered(view, lambda visit: visit, _plain)


def platform_page(view: View) -> View:
    """For the platform's administrators. The view is given a Visit; no scope is open."""
    return _entered(view, _platform_visit, _plain)


def organization_page(view: View) -> View:
    """For an owner, in the organization's scope. The view is given an OrganizationVisit.

    A view that opens its own (`around_views`) is called outside of any, and rendered in one.
    """
    return _entered(view, _organization_visit, _scoped)


def memory_page(view: View) -> View:
    """For someone with a memory, in the organization's scope. The view is given a MemoryVisit.

    A view that opens its own (`around_views`) is called outside of any, and rendered in one.
    """
    return _entered(view, _memory_visit, _scoped)


def enter_again(visit: OrganizationVisit) -> None:
    """Refuse a visit that could not begin any more. For whoever stays longer than a page takes.

    Three queries, none of them in a scope.

    Raises:
        PageNotYours: signed out meanwhile, or the membership has ended or is another.
        OrganizationSuspended
    """
    again = HttpRequest()
    again.session = type(visit.request.session)(visit.request.session.session_key)
    user, before = get_user(again), visit.membership
    found = memberships_of(user=user) if isinstance(user, User) else Membership.objects.none()
    same = found.filter(id=before.id, role=before.role, person_id=before.person_id).first()
    if same is None:
        raise PageNotYours
    if same.organization.state == Organization.State.SUSPENDED:
        raise OrganizationSuspended


def _entered(
    view: View,
    enter: Callable[[Visit], VisitT],
    run: Callable[[VisitT, View, dict[str, object]], HttpResponseBase],
) -> View:
    @in_its_language
    @wraps(view)
    def wrapper(request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return _to_sign_in(request)
        memberships = list(memberships_of(user=request.user))
        anyone = Visit(request, request.user, memberships)
        now_acting(anyone.author)
        try:
            return run(enter(anyone), view, kwargs)
        except SouvenirError as error:
            response = failure_page(request, error)
            if isinstance(response, TemplateResponse) and response.context_data is not None:
                response.context_data["visit"] = anyone
            return response

    return wrapper


def _plain(visit: Visit, view: View, kwargs: dict[str, object]) -> HttpResponseBase:
    return view(visit, **kwargs)


def _scoped(visit: OrganizationVisit, view: View, kwargs: dict[str, object]) -> HttpResponseBase:
    """Build and render in one transaction; what a refused request began is not kept.

    The CSRF check has read the body by now, files and all: a slow sender holds no transaction.
    """
    organization_id = visit.organization.id
    note(tenant_id=organization_id)
    with scope_around(view, organization_id), timezone.override(visit.zone()):
        response = view(visit, **kwargs)
        with visit.scope():
            if isinstance(response, SimpleTemplateResponse):
                response.render()
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                transaction.set_rollback(True)
        return stream_in_scope(response, tenant_id=organization_id)


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    address = reverse("console:sign-in")
    if "HX-Request" in request.headers:  # a part of a page would show the sign-in page in itself
        return HttpResponseClientRedirect(address)
    return redirect_to_login(request.get_full_path(), address)


def _platform_visit(visit: Visit) -> Visit:
    if not visit.user.is_platform_admin:
        raise PageNotYours
    return visit


def _organization_visit(visit: Visit) -> OrganizationVisit:
    owned = [found for found in visit.memberships if found.role == Membership.Role.OWNER]
    if not owned:
        raise PageNotYours
    membership = _open_one(visit.request, owned)
    return OrganizationVisit(visit.request, visit.user, visit.memberships, membership)


def _memory_visit(visit: Visit) -> MemoryVisit:
    own = [found for found in visit.memberships if found.person_id]
    if not own:
        raise NoMemoryOfYourOwn if visit.memberships else NoOrganization
    membership = _open_one(visit.request, own)
    if membership.person_id is None:
        raise NoMemoryOfYourOwn
    return MemoryVisit(
        visit.request, visit.user, visit.memberships, membership, membership.person_id
    )


def _open_one(request: HttpRequest, memberships: list[Membership]) -> Membership:
    """The one that was chosen, or the first."""
    chosen = request.session.get(CHOSEN)
    found = [one for one in memberships if str(one.organization_id) == chosen]
    membership = (found or memberships)[0]
    if membership.organization.state == Organization.State.SUSPENDED:
        raise OrganizationSuspended
    return membership
