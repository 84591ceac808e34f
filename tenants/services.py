"""Changes to organizations, their members and their keys."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from souvenir.audit.actions import Action, Outcome
from souvenir.audit.entries import Event
from souvenir.audit.services import record, record_refusal
from tenants.auditing import audit
from tenants.errors import (
    KeyNotFound,
    OrganizationErased,
    OrganizationExists,
    PlacementRefused,
    ScopeNotForPerson,
    SlugTaken,
)
from tenants.isolation.scope import tenant_scope
from tenants.keyring.services import create_tenant_key
from tenants.keys import SCOPES, check_scopes, key_digest, new_key, new_platform_key
from tenants.ledger.allowances import set_allowance
from tenants.models import ApiKey, Membership, Organization, PlatformKey, User
from tenants.placements import placements
from tenants.selectors import get_organization, home_decision
from tenants.time_zones import check_time_zone


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key at the only moment when its text is known."""

    record: ApiKey
    text: str


def create_organization(
    *,
    slug: str,
    name_en: str,
    name_fr: str,
    placement: str,
    organization_id: UUID | None = None,
) -> tuple[Organization, IssuedKey]:
    """Provision an organization in its home region and issue its owner's key, both or neither.

    With `organization_id` it joins the scope of that id, if one is open.

    Raises:
        PlacementRefused: unknown, outside the policy, or not where this cell runs; with reasons.
        SlugTaken, OrganizationExists
        KeystoreUnavailable, KeyRefused: nothing was made.
    """
    place = placements().get(placement)
    if place is None:
        raise _refused(placement, ("not-in-the-registry",))
    decision = home_decision(place)
    if not decision.allowed:
        raise _refused(placement, decision.reasons)
    if Organization.objects.filter(slug=slug).exists():
        raise SlugTaken(slug=slug)
    organization = Organization(slug=slug, name_en=name_en, name_fr=name_fr, placement=placement)
    if organization_id is not None:
        if Organization.objects.filter(id=organization_id).exists():
            raise OrganizationExists(organization=organization_id)
        organization.id = organization_id
    create_tenant_key(organization.id)  # first: an organization without a key could keep nothing
    with tenant_scope(organization.id):
        try:
            with transaction.atomic():
                organization.save(force_insert=True)
        except IntegrityError as error:
            raise SlugTaken(slug=slug) from error
        audit(
            Action.ORGANIZATION_CREATED,
            f"organization:{organization.id}",
            details={"placement": placement},
        )
        key = issue_key(label="owner", scopes=list(SCOPES))
    return organization, key


def _refused(placement: str, reasons: tuple[str, ...]) -> PlacementRefused:
    """The refusal of a placement, written down: whoever asks for it may have meant it."""
    known = placements().get(placement)
    record_refusal(
        Event(
            action=Action.PLACEMENT_ASKED,
            object=f"placement:{known.code if known else 'unknown'}",
            outcome=Outcome.REFUSED,
            details={"reasons": list(reasons)},
        )
    )
    return PlacementRefused(placement=placement, reasons=reasons)


@transaction.atomic
def suspend_organization(*, organization_id: UUID) -> Organization:
    """Stop all reading and writing. Suspending twice changes nothing."""
    organization = _set_state(organization_id, Organization.State.SUSPENDED)
    set_allowance(organization_id, paused=True)
    _tell_of_state(Action.ORGANIZATION_SUSPENDED, organization_id)
    return organization


@transaction.atomic
def resume_organization(*, organization_id: UUID) -> Organization:
    """Let it work again; jobs that waited go on. Resuming twice changes nothing."""
    organization = _set_state(organization_id, Organization.State.ACTIVE)
    set_allowance(organization_id, paused=False)
    _tell_of_state(Action.ORGANIZATION_RESUMED, organization_id)
    return organization


@transaction.atomic
def set_time_zone(*, organization_id: UUID, time_zone: str) -> Organization:
    """Where the days begin of everyone who has said nothing of their own; "": where this
    installation's do. Needs the organization's scope. The same again changes nothing.

    Raises:
        TimeZoneUnknown
    """
    check_time_zone(time_zone)
    organization = get_organization(organization_id=organization_id)
    if time_zone != organization.time_zone:
        organization.time_zone = time_zone
        organization.save(update_fields=["time_zone"])
        audit(
            Action.ORGANIZATION_CHANGED,
            f"organization:{organization_id}",
            details={"time_zone": time_zone},
        )
    return organization


def mark_organization_erased(*, organization_id: UUID) -> None:
    """The last step of an erasure: the directory keeps an empty name and the id."""
    Membership.objects.filter(organization_id=organization_id).delete()
    Organization.objects.filter(id=organization_id).update(
        state=Organization.State.ERASED,
        slug=f"erased-{organization_id.hex}",
        name_en="",
        name_fr="",
        time_zone="",
    )


def _tell_of_state(action: Action, organization_id: UUID) -> None:
    """No scope need be open: the operator opens no organization."""
    on = f"organization:{organization_id}"
    record(Event(action=action, object=on, organization_id=organization_id))


def _set_state(organization_id: UUID, state: str) -> Organization:
    organization = get_organization(organization_id=organization_id)
    if organization.state == Organization.State.ERASED:
        raise OrganizationErased
    organization.state = state
    organization.save(update_fields=["state"])
    return organization


def issue_key(
    *,
    label: str,
    scopes: list[str],
    person_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Make a key of the organization in scope. Its text is in the answer and nowhere else.

    Raises:
        UnknownScope
        ScopeNotForPerson: a key that is bound to a person reaches nothing else.
    """
    stored_scopes = check_scopes(scopes)
    for scope in stored_scopes.split() if person_id else ():
        if scope.startswith("organization:"):
            raise ScopeNotForPerson(scope=scope)
    with transaction.atomic():
        made = ApiKey(label=label, scopes=stored_scopes, person_id=person_id, expires_at=expires_at)
        text = new_key(made.tenant_id)
        made.digest, made.hint = key_digest(text), text[-4:]
        made.save(force_insert=True)
        audit(
            Action.KEY_ISSUED,
            f"key:{made.id}",
            person_id=person_id,
            details={"scopes": stored_scopes.split()},
        )
    return IssuedKey(record=made, text=text)


def revoke_key(*, key_id: UUID) -> None:
    """The key stops working at once. Revoking twice changes nothing.

    Raises:
        KeyNotFound
    """
    found = ApiKey.objects.filter(id=key_id)
    if not found.exists():
        raise KeyNotFound(key_id=key_id)
    if found.filter(revoked_at=None).update(revoked_at=timezone.now()):
        audit(Action.KEY_REVOKED, f"key:{key_id}")


@transaction.atomic
def issue_platform_key(*, label: str) -> str:
    """Make a key of the operator and give its text, for the only time."""
    text = new_platform_key()
    key = PlatformKey.objects.create(label=label, digest=key_digest(text))
    record(Event(action=Action.PLATFORM_KEY_ISSUED, object=f"platform-key:{key.id}"))
    return text


def create_user(*, email: str, name: str, password: str, is_platform_admin: bool = False) -> User:
    """Make someone who can sign in; the address must be new."""
    user = User(email=email.strip().lower(), name=name, is_platform_admin=is_platform_admin)
    user.set_password(password)
    user.save(force_insert=True)
    return user


@transaction.atomic
def add_member(
    *, user: User, organization: Organization, role: str, person_id: UUID | None = None
) -> Membership:
    """Let a user enter an organization; a second call changes the role and the person."""
    membership, is_new = Membership.objects.update_or_create(
        user=user, organization=organization, defaults={"role": role, "person_id": person_id}
    )
    record(
        Event(
            action=Action.MEMBER_ADDED if is_new else Action.MEMBER_CHANGED,
            object=f"user:{user.id}",
            organization_id=organization.id,
            person_id=person_id,
            details={"role": role},
        )
    )
    return membership


def record_sign_in(*, user: User | None) -> None:
    """Write down that someone signed in, or (None) tried to. Each call is told. Who tried is not
    kept: what was typed may be anybody's address, or a password in the wrong place.
    """
    who = f"user:{user.id}" if user else "user:unknown"
    outcome = Outcome.DONE if user else Outcome.REFUSED
    record(Event(action=Action.SIGNED_IN, object=who, outcome=outcome))
