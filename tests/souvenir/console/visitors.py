"""People who visit the console, and what they find there."""

from contextlib import closing
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.test import Client

from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.export.services import request_export
from souvenir.ingestion.services import remember
from souvenir.memories.models import Conversation
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.models import Membership, User
from tenants.services import add_member, create_user, issue_key
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs

PASSWORD = "a-long-enough-password"  # noqa: S105 — of invented people
XSS = "<script>alert('É')</script>"


@dataclass(frozen=True)
class Visitor:
    """Someone who has signed in, in a browser of their own."""

    user: User
    person_id: UUID | None = None

    @property
    def browser(self) -> Client:
        client = Client()
        client.force_login(self.user)
        return client


@dataclass(frozen=True)
class Inhabited:
    """An organization with a member, an owner, and one of everything that has an address."""

    tenant: Tenant
    member: Visitor
    owner: Visitor
    ids: dict[str, UUID]  # by the name of the address's parameter


def make_visitor(*, is_platform_admin: bool = False) -> Visitor:
    """Someone who belongs nowhere yet."""
    email = f"{uuid4().hex}@visitors.example"
    return Visitor(
        create_user(
            email=email, name="Visitor", password=PASSWORD, is_platform_admin=is_platform_admin
        )
    )


def make_member(tenant: Tenant, *, external_id: str = "alice") -> Visitor:
    """Someone with a memory in an organization."""
    with tenant_scope(tenant.id):
        person = ensure_person(external_id=external_id, display_name=f"Alice {XSS}")
    user = make_visitor().user
    role = Membership.Role.MEMBER
    add_member(user=user, organization=tenant.organization, role=role, person_id=person.id)
    return Visitor(user, person.id)


def make_owner(tenant: Tenant) -> Visitor:
    """An owner, without a memory there."""
    user = make_visitor().user
    add_member(user=user, organization=tenant.organization, role=Membership.Role.OWNER)
    return Visitor(user)


def make_inhabited() -> Inhabited:
    """Everything has a hostile name, so that every page shows whether it escapes."""
    tenant = make_tenant()
    member, owner = make_member(tenant), make_owner(tenant)
    history = chatgpt_export(f"Bonjour {XSS}", "Salut!", conversation=uuid4().hex, title=XSS)
    record = import_bytes(tenant, history, name=f"{XSS}.json")
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice")
        store = personal_store(person=person)
        said = Statement(text=f"Rosalie {XSS}", metadata={"note": XSS})
        memory = remember(store=store, statement=said)
        forgotten = remember(store=store, statement=Statement(text="Un secret"))
        conversation = Conversation.objects.get(import_id=record.id)
        key = issue_key(label=XSS, scopes=["memories:read"])
        erasure = request_erasure(target="memory", target_id=forgotten.id)
    run_jobs(tenant, Kind.ERASE)
    with tenant_scope(tenant.id):
        export = request_export(person=person)
        whole = request_export(person=None)
    run_jobs(tenant, Kind.WRITE_EXPORT)
    ids = {
        "conversation_id": conversation.id,
        "memory_id": memory.id,
        "import_id": record.id,
        "export_id": export.id,
        "whole_export_id": whole.id,
        "erasure_id": erasure.id,
        "person_id": person.id,
        "key_id": key.record.id,
    }
    return Inhabited(tenant, member, owner, ids)


def downloaded(response: HttpResponseBase) -> bytes:
    """What a browser saves of an answer that streams."""
    assert isinstance(response, FileResponse)
    with closing(response):
        return b"".join(response)
