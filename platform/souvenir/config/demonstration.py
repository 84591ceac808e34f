"""The demonstration: one organization, one person's year with three assistants, three logins."""

import secrets
from dataclasses import dataclass

from django.conf import settings

from souvenir.config.demo.archive import demo_exports
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.selectors import get_person
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.keys import SCOPES
from tenants.models import Membership, Organization, User
from tenants.services import (
    add_member,
    create_organization,
    create_user,
    issue_key,
    issue_platform_key,
)

SLUG = "demo"
PERSON = "joelle"
PERSON_NAME = "Joëlle Haché"
ADMIN, OWNER, MEMBER = "admin@souvenir.example", "owner@demo.example", "joelle@demo.example"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is shown once: passwords by e-mail address, and two keys."""

    passwords: dict[str, str]
    organization_key: str | None  # None without the demonstration
    platform_key: str


def has_logins() -> bool:
    """Whether someone can sign in to this installation already."""
    return User.objects.filter(email=ADMIN).exists()


def administrator_only() -> Credentials:
    """Make the platform's administrator, or give a new password, and issue a fresh key."""
    password = secrets.token_urlsafe(12)
    _user(ADMIN, "Platform admin", password)
    return Credentials({ADMIN: password}, None, issue_platform_key(label="first"))


def make_demonstration() -> None:
    """Make the organization and accept its imports, unless they are there. No login yet."""
    if Organization.objects.filter(slug=SLUG).exists():
        return
    organization, _ = create_organization(
        slug=SLUG,
        name_en="Demo organization",
        name_fr="Organisation de démonstration",
        placement=settings.SOUVENIR_CELL,
    )
    with tenant_scope(organization.id):
        person = ensure_person(external_id=PERSON, display_name=PERSON_NAME)
        for export in demo_exports():
            accept_import(person=person, upload=Upload(export.file_name, [export.packed()]))


def new_credentials() -> Credentials:
    """Make the three logins or give them new passwords, and issue two fresh keys."""
    organization = Organization.objects.get(slug=SLUG)
    with tenant_scope(organization.id):
        person = get_person(external_id=PERSON)
        key = issue_key(label="demo", scopes=list(SCOPES))
    names = {ADMIN: "Platform admin", OWNER: "Owner", MEMBER: PERSON_NAME}
    passwords = {email: secrets.token_urlsafe(12) for email in names}
    users = {email: _user(email, names[email], passwords[email]) for email in names}
    add_member(user=users[OWNER], organization=organization, role=Membership.Role.OWNER)
    add_member(
        user=users[MEMBER],
        organization=organization,
        role=Membership.Role.MEMBER,
        person_id=person.id,
    )
    return Credentials(passwords, key.text, issue_platform_key(label="demo"))


def _user(email: str, name: str, password: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        return create_user(
            email=email, name=name, password=password, is_platform_admin=email == ADMIN
        )
    user.set_password(password)
    user.save(update_fields=["password"])
    return user
