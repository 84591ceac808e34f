"""Questions to the directory. Organizations and memberships belong to no tenant."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from tenants import placements
from tenants.errors import OrganizationNotFound
from tenants.isolation.scope import current_tenant
from tenants.keys import key_digest
from tenants.models import ApiKey, Membership, Organization, PlatformKey, User
from tenants.residency import Decision, Flow, Placement, decide

_ORGANIZATION = [field.attname for field in Organization._meta.concrete_fields]
_HOLDER = f"""
SELECT held.id, held.scopes, held.person_id, {", ".join(f"o.{name}" for name in _ORGANIZATION)}
FROM tenants_apikey held JOIN tenants_organization o ON o.id = held.tenant_id
WHERE held.tenant_id = %s AND held.digest = %s AND held.revoked_at IS NULL
  AND (held.expires_at IS NULL OR held.expires_at > %s)
"""  # noqa: S608 — names of columns


@dataclass(frozen=True, slots=True)
class PlacementChoice:
    """A placement, and whether an organization may be homed in it here and today."""

    placement: Placement
    decision: Decision


def placement_choices() -> list[PlacementChoice]:
    """Every placement of the registry, in its order. No query."""
    return [
        PlacementChoice(placement, home_decision(placement))
        for placement in placements.placements().values()
    ]


def home_decision(placement: Placement) -> Decision:
    """May an organization be homed there? The policy must allow it, and this cell must be there."""
    today = timezone.localdate()
    decision = decide(placements.policy(), placement, Flow(kind="stay"), today=today)
    if placement.code != settings.SOUVENIR_CELL:
        return Decision((*decision.reasons, "another-cell"))
    return decision


def get_organization(*, organization_id: UUID) -> Organization:
    """One query.

    Raises:
        OrganizationNotFound
    """
    organization = Organization.objects.filter(id=organization_id).first()
    if organization is None:
        raise OrganizationNotFound(organization=organization_id)
    return organization


def organizations() -> QuerySet[Organization]:
    """The whole directory, newest first. Lazy."""
    return Organization.objects.order_by("-created_at", "id")


def memberships_of(*, user: User) -> QuerySet[Membership]:
    """Where a user may enter, by the organization's slug. Lazy; organizations come along."""
    return (
        Membership.objects.filter(user=user)
        .select_related("organization")
        .order_by("organization__slug")
    )


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A key in force, and the organization that it opens."""

    key_id: UUID
    scopes: str
    person_id: UUID | None
    organization: Organization


def verify_key(presented: str) -> KeyHolder | None:
    """Whose key in force this text is, or None. Needs the scope of the organization it names.

    One query, of which every request pays for building and reading it: hence no ORM.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [current_tenant(), key_digest(presented), timezone.now()])
        row = cursor.fetchone()
    if row is None:
        return None
    key_id, scopes, person_id, *organization = row
    found = Organization.from_db(connection.alias, _ORGANIZATION, organization)
    return KeyHolder(key_id, scopes, person_id, found)


def verify_platform_key(presented: str) -> PlatformKey | None:
    """The operator's key in force that this text is, or None."""
    return PlatformKey.objects.filter(digest=key_digest(presented), revoked_at=None).first()


def api_keys() -> QuerySet[ApiKey]:
    """Keys of the organization in scope that are not revoked, newest first. Lazy."""
    return ApiKey.objects.filter(revoked_at=None).order_by("-created_at", "id")
