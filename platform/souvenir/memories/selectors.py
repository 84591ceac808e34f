"""Questions to the record. All need a tenant scope, which says whose record it is."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from souvenir.memories.errors import (
    ConversationNotFound,
    MemoryNotFound,
    PersonNotFound,
    StoreNotFound,
)
from souvenir.memories.held import HELD
from souvenir.memories.models import (
    Conversation,
    Evidence,
    Memory,
    MemorySubject,
    MemoryVersion,
    Message,
    Person,
    Store,
)
from tenants.isolation.scope import current_tenant
from tenants.sealed import open_ahead

_REACHABLE = """
    SELECT s.slug, s.id FROM memories_store s
    LEFT JOIN memories_person p ON p.tenant_id = s.tenant_id AND p.id = s.person_id
    WHERE s.tenant_id = %(tenant)s AND (p.state IS NULL OR p.state <> %(leaving)s)"""
_WANTED = {
    "bound_to": "s.person_id = %(bound_to)s",
    "person": "p.external_id = %(person)s",
    "store": "s.slug = %(store)s",
    "together": "s.slug = ANY (%(together)s)",
}


def people() -> QuerySet[Person]:
    """Everyone but those who are being erased, oldest first. Lazy."""
    return _present().order_by("recorded_at", "id")


def get_person(*, external_id: str) -> Person:
    """One query.

    Raises:
        PersonNotFound
    """
    person = _present().filter(external_id=external_id).first()
    if person is None:
        raise PersonNotFound(person=external_id)
    return person


def get_person_by_id(*, person_id: UUID) -> Person:
    """One query.

    Raises:
        PersonNotFound
    """
    person = _present().filter(id=person_id).first()
    if person is None:
        raise PersonNotFound(person=person_id)
    return person


def _present() -> QuerySet[Person]:
    return Person.objects.exclude(state=Person.State.LEAVING)


def person_asked_for(*, bound_to: UUID | None, external_id: str | None) -> Person | None:
    """The person that a caller asks about; None: it asks about everyone, and may.

    Raises:
        PersonNotFound: there is none, or a bound caller asks about someone else.
    """
    if bound_to is None:
        return get_person(external_id=external_id) if external_id is not None else None
    person = get_person_by_id(person_id=bound_to)
    if external_id not in (None, person.external_id):
        raise PersonNotFound(person=external_id)
    return person


def get_store(*, slug: str) -> Store:
    """One query.

    Raises:
        StoreNotFound
    """
    store = Store.objects.filter(slug=slug).first()
    if store is None:
        raise StoreNotFound(store=slug)
    return store


def personal_store(*, person: Person) -> Store:
    """The person's own store. One query.

    Raises:
        StoreNotFound: the person was made without one, which no service does.
    """
    return get_store(slug=personal_slug(person.external_id))


def known_store(*, external_id: str) -> Store | None:
    """A person's own store, if that one is known and stays. One query."""
    found = Store.objects.select_related("person").filter(slug=personal_slug(external_id)).first()
    if found is None or found.person is None or found.person.state == Person.State.LEAVING:
        return None
    return found


def personal_slug(external_id: str) -> str:
    """The slug of a person's own store."""
    return f"person:{external_id}"


def reachable_stores(
    *,
    bound_to: UUID | None,
    person: str | None = None,
    store: str | None = None,
    together: Sequence[str] = (),
) -> list[UUID]:
    """The stores that a caller may mean: all it reaches, or those of one person, or one by name.

    `together` names stores that are meant besides the person's, or alone where no person is.
    A caller that is bound to a person reaches that person's own store and nothing else; for it,
    what it does not reach is not there. At most two queries.

    Raises:
        PersonNotFound, StoreNotFound
    """
    if not together:
        return _stores_meant(bound_to=bound_to, person=person, store=store)
    named = dict(_reachable(bound_to=bound_to, together=list(together)))
    for slug in together:
        if slug not in named:
            raise StoreNotFound(store=slug)
    is_alone = person is None and store is None
    others = [] if is_alone else _stores_meant(bound_to=bound_to, person=person, store=store)
    return sorted({*named.values(), *others})


def _stores_meant(*, bound_to: UUID | None, person: str | None, store: str | None) -> list[UUID]:
    ids = [id_ for _, id_ in _reachable(bound_to=bound_to, person=person, store=store)]
    if not ids and person is not None:
        raise PersonNotFound(person=person)
    if not ids and store is not None:
        raise StoreNotFound(store=store)
    return ids


def _reachable(**wanted: UUID | str | list[str] | None) -> list[tuple[str, UUID]]:
    """(slug, id) by id. Every question and every list asks this: hence no ORM, as for keys."""
    given = {name: value for name, value in wanted.items() if value is not None}
    conditions = "".join(f" AND {_WANTED[name]}" for name in given)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_REACHABLE}{conditions} ORDER BY s.id",
            given | {"tenant": current_tenant(), "leaving": Person.State.LEAVING.value},
        )
        found: list[tuple[str, UUID]] = cursor.fetchall()
    return found


def conversations(*, store_ids: list[UUID] | None = None) -> QuerySet[Conversation]:
    """Conversations of some stores, or of all; last brought in first. Lazy."""
    found = Conversation.objects.all()
    if store_ids is not None:
        found = found.filter(store_id__in=store_ids)
    return found.select_related("source").order_by("-recorded_at", "-id")


def get_conversation(*, conversation_id: UUID, store_ids: list[UUID] | None = None) -> Conversation:
    """A conversation of some stores, or of any. One query.

    Raises:
        ConversationNotFound
    """
    conversation = conversations(store_ids=store_ids).filter(id=conversation_id).first()
    if conversation is None:
        raise ConversationNotFound(conversation_id=conversation_id)
    return conversation


def messages_of(*, conversation: Conversation) -> QuerySet[Message]:
    """All messages of a conversation, each parent before its children. Lazy."""
    return Message.objects.filter(conversation=conversation).order_by("ordinal", "id")


def memories(*, store_ids: list[UUID] | None = None) -> QuerySet[Memory]:
    """Memories that are not being forgotten, newest first. Lazy."""
    found = Memory.objects.filter(state=Memory.State.ACTIVE)
    if store_ids is not None:
        found = found.filter(store_id__in=store_ids)
    return found.order_by("-recorded_at", "-id")


def get_memory(*, memory_id: UUID, store_ids: list[UUID] | None = None) -> Memory:
    """A memory of some stores, or of any. One query.

    Raises:
        MemoryNotFound: no such memory in these stores, or it is being forgotten.
    """
    memory = memories(store_ids=store_ids).filter(id=memory_id).first()
    if memory is None:
        raise MemoryNotFound(memory_id=memory_id)
    return memory


def versions_of(*, memory: Memory) -> QuerySet[MemoryVersion]:
    """Everything a memory has said, newest first. Lazy."""
    return MemoryVersion.objects.filter(memory=memory).order_by("-number")


def current_versions(memories: list[Memory]) -> dict[UUID, MemoryVersion]:
    """What each of some memories says now, by the memory's id. One query; ready to be opened.

    None for those that were just added here.
    """
    just_said = {memory.id: memory.said for memory in memories if memory.said is not None}
    others = {memory.id: memory.version for memory in memories if memory.id not in just_said}
    return just_said | _numbered(others) if others else just_said


def held_versions(memories: list[Memory]) -> dict[UUID, MemoryVersion]:
    """What each of some memories said then, as `held_at` gave them; else as `current_versions`."""
    return _numbered({memory.id: getattr(memory, HELD, memory.version) for memory in memories})


def _numbered(wanted: dict[UUID, int]) -> dict[UUID, MemoryVersion]:
    versions = MemoryVersion.objects.filter(memory_id__in=wanted)
    found = {
        version.memory_id: version
        for version in versions
        if version.number == wanted[version.memory_id]
    }
    open_ahead(found.values())
    return found


def subjects_of_memories(memories: list[Memory]) -> dict[UUID, list[str]]:
    """Whom else some memories are about, by the memory's id: external ids, sorted. One query."""
    found: dict[UUID, list[str]] = {memory.id: [] for memory in memories}
    rows = MemorySubject.objects.filter(memory_id__in=found).select_related("person")
    for row in rows:
        found[row.memory_id].append(row.person.external_id)
    return {memory_id: sorted(names) for memory_id, names in found.items()}


def evidence_of(versions: list[MemoryVersion]) -> dict[UUID, list[Evidence]]:
    """The spans that some versions rest on, by the version's id. One query; messages come along."""
    found: dict[UUID, list[Evidence]] = {version.id: [] for version in versions}
    rows = Evidence.objects.filter(version_id__in=found).select_related("message").order_by("id")
    for row in rows:
        found[row.version_id].append(row)
    return found
