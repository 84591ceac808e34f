"""Three organizations filled alike, through the real services, each with words that are only its.

Every text field holds its organization's secret word; what is of Bob, or shared, holds a second
one, which a key bound to Alice must never see.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from souvenir.audit.selectors import entries
from souvenir.audit.services import make_checkpoints
from souvenir.core.jobs import Job
from souvenir.deletion.services import request_erasure
from souvenir.export.links import sign_download
from souvenir.export.models import Export
from souvenir.export.services import request_export
from souvenir.ingestion.services import correct, remember
from souvenir.memories.models import Conversation, Message, Person, Store
from souvenir.memories.selectors import personal_slug, personal_store
from souvenir.memories.services import (
    Statement,
    ensure_person,
    ensure_shared_store,
    ensure_source,
)
from tenants.errors import JobGaveUp
from tenants.isolation.scope import tenant_scope
from tenants.keys import SCOPES
from tenants.ledger import accept_job, claim_job
from tenants.models import Membership
from tenants.services import (
    add_member,
    create_organization,
    issue_key,
    issue_platform_key,
    revoke_key,
)
from tenants.webhooks.services import Wanted, create_endpoint, remove_endpoint, send_test
from tests.adversarial.kinds import Kind, Role, Slot
from tests.adversarial.page_table import Visitor
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.souvenir.console.visitors import Visitor as SignedIn
from tests.souvenir.console.visitors import make_visitor

READING = ["memories:read", "organization:read"]
PERSONAL = [scope for scope in SCOPES if not scope.startswith("organization:")]
SCOPES_OF = {
    Role.OWNER: list(SCOPES),
    Role.READER: READING,
    Role.WRITER: [scope for scope in SCOPES if scope != "erasures:write"],
    Role.BOUND: PERSONAL,
}
Ids = dict[Kind, str]


@dataclass(frozen=True)
class Filled:
    """An organization with something in every table. Ids are texts, as a request carries them."""

    name: str
    tenant: Tenant
    secret: str  # stands in every text of this organization
    shared_secret: str  # stands besides in what is of Bob or shared: not for Alice's key
    keys: dict[Role, str] = field(default_factory=dict)
    mine: Ids = field(default_factory=dict)  # Alice's
    siblings: Ids = field(default_factory=dict)  # Bob's, or shared
    deleted: Ids = field(default_factory=dict)  # what was Gone's, and erased
    sessions: dict[Visitor, str] = field(default_factory=dict)  # of browsers that have signed in

    @property
    def id(self) -> UUID:
        return self.tenant.id


def fill(name: str, *, platform_key: str) -> Filled:
    """Make and fill one organization, erase a part of it, and write its copies."""
    secret, shared = f"zq{uuid4().hex}", f"xk{uuid4().hex}"
    organization, key = create_organization(
        slug=f"o-{secret}", name_en=f"Company {secret}", name_fr=secret, placement="local"
    )
    filled = Filled(name, Tenant(organization, key.text), secret, shared)
    filled.keys[Role.PLATFORM] = platform_key
    filled.keys[Role.OWNER] = key.text
    for whose, ids in (("alice", filled.mine), ("bob", filled.siblings), ("gone", filled.deleted)):
        _bring_in(filled, whose, ids)
    _share(filled)
    _erase(filled)
    _copy(filled)
    _listen(filled)
    _issue_keys(filled)
    _sign_in(filled)
    _number_entries(filled)
    page = filled.tenant.http.get("/api/v1/memories?limit=1").json()
    for ids in (filled.mine, filled.siblings):
        ids[Kind.ORGANIZATION] = str(filled.id)
        ids[Kind.CURSOR] = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
    return filled


def _bring_in(filled: Filled, whose: str, ids: Ids) -> None:
    """A person with an import, a conversation and a memory that was corrected once."""
    words = filled.secret if whose == "alice" else f"{filled.secret} {filled.shared_secret}"
    external_id = f"{whose}-{filled.secret}" + (filled.shared_secret if whose != "alice" else "")
    with tenant_scope(filled.id):
        person = ensure_person(external_id=external_id, display_name=f"Someone {words}")
        store = personal_store(person=person)
        ensure_source(store=store, provider="claude", account=words)
    body = chatgpt_export(
        f"My number is {words}.", f"I keep {words}.", conversation=f"c-{words}", title=f"On {words}"
    )
    record = import_bytes(filled.tenant, body, person=external_id, name=f"{words}.json")
    with tenant_scope(filled.id):
        ids[Kind.MEMORY] = str(_remember(store, words))
        conversation = Conversation.objects.get(import_id=record.id)
        message = Message.objects.filter(conversation_id=conversation.id)[0]
        key = issue_key(label=f"agent {words}", scopes=["memories:read"], person_id=person.id)
    ids |= {
        Kind.PERSON: str(person.id),
        Kind.EXTERNAL_ID: external_id,
        Kind.STORE: personal_slug(external_id),
        Kind.IMPORT: str(record.id),
        Kind.JOB: str(record.job_id),
        Kind.WAITING_JOB: str(record.job_id),
        Kind.FAILED_JOB: str(record.job_id),
        Kind.CONVERSATION: str(conversation.id),
        Kind.MESSAGE: str(message.id),
        Kind.KEY: str(key.record.id),
    }


def _remember(store: Store, words: str) -> UUID:
    memory = remember(store=store, statement=Statement(text=f"The code is {words}."))
    better = Statement(text=f"The new code is {words}.", reason=f"because of {words}")
    return correct(memory_id=memory.id, statement=better).id


def _share(filled: Filled) -> None:
    """A shared store; and names that exist here, to be made elsewhere, without any secret."""
    with tenant_scope(filled.id):
        slug = f"s-{filled.shared_secret}"
        _remember(ensure_shared_store(slug=slug), f"{filled.secret} {filled.shared_secret}")
        filled.siblings[Kind.STORE] = slug
        for ids, who in ((filled.mine, "carol"), (filled.siblings, "dave")):
            ids[Kind.NEW_EXTERNAL_ID] = f"{who}-{uuid4().hex}"
            ids[Kind.NEW_STORE] = f"team-{who}-{uuid4().hex}"
            ensure_person(external_id=ids[Kind.NEW_EXTERNAL_ID], display_name=filled.shared_secret)
            ensure_shared_store(slug=ids[Kind.NEW_STORE])


def _erase(filled: Filled) -> None:
    """Gone goes; of Alice's and Bob's, one memory each, so that each has an erasure."""
    with tenant_scope(filled.id):
        gone = request_export(person=Person.objects.get(id=filled.deleted[Kind.PERSON]))
        filled.deleted[Kind.EXPORT] = str(gone.id)
        revoke_key(key_id=UUID(filled.deleted[Kind.KEY]))
    run_jobs(filled.tenant)
    for kind in (Kind.JOB, Kind.WAITING_JOB, Kind.FAILED_JOB):
        del filled.deleted[kind]  # what was done is kept: ids, times and counts
    with tenant_scope(filled.id):
        for kind in (Kind.MEMORY, Kind.CONVERSATION, Kind.IMPORT, Kind.PERSON):
            request_erasure(target=kind.value, target_id=UUID(filled.deleted[kind]))
    run_jobs(filled.tenant)
    for ids in (filled.mine, filled.siblings):
        with tenant_scope(filled.id):
            store = personal_store(person=Person.objects.get(id=ids[Kind.PERSON]))
            memory_id = _remember(store, filled.secret)
            ids[Kind.ERASURE] = str(request_erasure(target="memory", target_id=memory_id).id)
    run_jobs(filled.tenant)


def _copy(filled: Filled) -> None:
    """A copy of Alice's memory and one of the whole organization's, both written."""
    with tenant_scope(filled.id):
        alice = Person.objects.get(id=filled.mine[Kind.PERSON])
        for ids, person in ((filled.mine, alice), (filled.siblings, None)):
            ids[Kind.EXPORT] = str(request_export(person=person).id)
    run_jobs(filled.tenant)
    filled.mine[Kind.WHOLE_EXPORT] = filled.siblings[Kind.EXPORT]
    with tenant_scope(filled.id):
        for ids in (filled.mine, filled.siblings):
            ids[Kind.LINK] = sign_download(Export.objects.get(id=ids[Kind.EXPORT]))


def _listen(filled: Filled) -> None:
    """Webhooks, each with something to be told; one was removed."""
    for ids in (filled.mine, filled.siblings, filled.deleted):
        with tenant_scope(filled.id):
            endpoint_id = UUID(_webhook(filled))
            ids[Kind.WEBHOOK] = str(endpoint_id)
            ids[Kind.DELIVERY] = str(send_test(endpoint_id=endpoint_id).id)
    with tenant_scope(filled.id):
        remove_endpoint(endpoint_id=UUID(filled.deleted[Kind.WEBHOOK]))


def _number_entries(filled: Filled) -> None:
    """What has been done so far has its numbers in the audit log, and proofs."""
    make_checkpoints()
    with tenant_scope(filled.id):
        told = entries(organization_id=filled.id).values_list("id", flat=True)
        filled.mine[Kind.AUDIT_ENTRY], filled.siblings[Kind.AUDIT_ENTRY] = map(str, told[:2])


def _webhook(filled: Filled) -> str:
    """Joins a scope of the organization, or opens one."""
    words = f"{filled.secret}{filled.shared_secret}"
    url = f"https://hooks.example.ca/{words}"
    wanted = Wanted(url=url, placement="local", purpose=f"For {words}")
    with tenant_scope(filled.id):
        return str(create_endpoint(wanted=wanted).id)


def _issue_keys(filled: Filled) -> None:
    alice = UUID(filled.mine[Kind.PERSON])
    with tenant_scope(filled.id):
        for role in (Role.READER, Role.WRITER):
            filled.keys[role] = issue_key(label=role, scopes=SCOPES_OF[role]).text
        bound = issue_key(label=filled.secret, scopes=PERSONAL, person_id=alice)
        filled.keys[Role.BOUND] = bound.text


def _sign_in(filled: Filled) -> None:
    """One browser for each kind of visitor."""
    member, owner = Membership.Role.MEMBER, Membership.Role.OWNER
    alice = UUID(filled.mine[Kind.PERSON])
    filled.sessions[Visitor.MEMBER] = new_session(filled, role=member, person_id=alice)
    filled.sessions[Visitor.OWNER] = new_session(filled, role=owner)
    filled.sessions[Visitor.MEMORYLESS] = new_session(filled, role=member)
    filled.sessions[Visitor.ADMIN] = session_of(make_visitor(is_platform_admin=True))


def new_session(filled: Filled, *, role: str, person_id: UUID | None = None) -> str:
    """Of somebody new who may enter this organization."""
    visitor = make_visitor()
    add_member(
        user=visitor.user, organization=filled.tenant.organization, role=role, person_id=person_id
    )
    return session_of(visitor)


def session_of(visitor: SignedIn) -> str:
    """The key of a session, as a browser's cookie holds it."""
    return str(visitor.browser.cookies[settings.SESSION_COOKIE_NAME].value)


def own_id(filled: Filled, slot: Slot) -> str:
    """One of Alice's, which is there and which every key reaches."""
    named = {Kind.NEW_EXTERNAL_ID: Kind.EXTERNAL_ID, Kind.NEW_STORE: Kind.STORE}
    return filled.mine[named.get(slot.kind, slot.kind)]


def fresh_id(filled: Filled, kind: Kind) -> str:
    """An id of Alice's that may be used up: a memory to forget, a key to revoke, and so on."""
    if kind is Kind.ORGANIZATION:
        organization, _ = create_organization(
            slug=f"t-{uuid4().hex}", name_en="A", name_fr="B", placement="local"
        )
        return str(organization.id)
    if kind in {Kind.PERSON, Kind.EXTERNAL_ID}:
        return spare_person(filled).ids[kind]
    if kind in _MAKERS:
        return _MAKERS[kind](filled)
    if kind not in {Kind.MEMORY, Kind.KEY}:
        return filled.mine[kind]
    with tenant_scope(filled.id):
        person = Person.objects.get(id=filled.mine[Kind.PERSON])
        if kind is Kind.MEMORY:
            return str(_remember(personal_store(person=person), filled.secret))
        return str(issue_key(label="spare", scopes=PERSONAL, person_id=person.id).record.id)


@dataclass(frozen=True)
class Spare:
    """Somebody who may be erased, and the key to that one memory."""

    ids: Ids
    key: str


def spare_person(filled: Filled) -> Spare:
    """Someone new, with nothing yet."""
    external_id = f"spare-{uuid4().hex}"
    with tenant_scope(filled.id):
        person = ensure_person(external_id=external_id)
        key = issue_key(label="spare", scopes=PERSONAL, person_id=person.id).text
    return Spare({Kind.PERSON: str(person.id), Kind.EXTERNAL_ID: external_id}, key)


def _fresh_job(filled: Filled, *, fails: bool) -> str:
    """A job of Alice's that waits, or one that has failed."""
    with tenant_scope(filled.id):
        job = accept_job(
            Job.RUN_IMPORT,
            subject_id=UUID(filled.mine[Kind.IMPORT]),
            person_id=UUID(filled.mine[Kind.PERSON]),
            unit="objects",
        )
        lease = claim_job(job.id) if fails else None
        if lease is not None:
            lease.fail(JobGaveUp(attempts=5))
    return str(job.id)


_MAKERS: dict[Kind, Callable[[Filled], str]] = {
    Kind.WAITING_JOB: lambda filled: _fresh_job(filled, fails=False),
    Kind.FAILED_JOB: lambda filled: _fresh_job(filled, fails=True),
    Kind.WEBHOOK: _webhook,
}


def invalid_keys(filled: Filled, stranger: Filled) -> dict[str, str]:
    """Authorization headers that open nothing, by what is wrong with them."""
    with tenant_scope(filled.id):
        past = timezone.now() - timedelta(seconds=1)
        expired = issue_key(label="expired", scopes=list(SCOPES), expires_at=past).text
        revoked = issue_key(label="revoked", scopes=list(SCOPES))
        revoke_key(key_id=revoked.record.id)
    key = filled.keys[Role.OWNER]
    _, own_name, secret = key.split("_", 2)
    other_name, other_secret = stranger.keys[Role.OWNER].split("_", 2)[1:]
    return {
        "nothing": "",
        "no scheme": key,
        "another scheme": f"Basic {key}",
        "an empty key": "Bearer ",
        "not a key": "Bearer nonsense",
        "expired": f"Bearer {expired}",
        "revoked": f"Bearer {revoked.text}",
        "forged": f"Bearer souv_{own_name}_{'A' * 43}",
        "cut short": f"Bearer {key[:-1]}",
        "longer": f"Bearer {key}A",
        "in capitals": f"Bearer {key.upper()}",
        "another's name": f"Bearer souv_{other_name}_{secret}",
        "another's secret": f"Bearer souv_{own_name}_{other_secret}",
        "nobody's name": f"Bearer souv_{'a' * 26}_{secret}",
        "forged operator": f"Bearer souv_platform_{secret}",
        "two keys": f"Bearer {key} {stranger.keys[Role.OWNER]}",
        "letters of no key": "Bearer souv_é_é",
    }


def fill_three() -> dict[str, Filled]:
    """Acme, Globex and Initech, alike in everything but their words."""
    platform_key = issue_platform_key(label="matrix")
    return {name: fill(name, platform_key=platform_key) for name in ("acme", "globex", "initech")}
