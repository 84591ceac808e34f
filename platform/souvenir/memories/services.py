"""Changes to people, stores and memories. All need a tenant scope."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from souvenir.memories.errors import (
    ExternalIdInvalid,
    MemoryChanged,
    MemoryEmpty,
    MemoryNotFound,
    MemoryTooLong,
    PersonLeaving,
    PersonNotFound,
    StoreNameInvalid,
    StoreNeeded,
    StoreNotFound,
    TooManySubjects,
)
from souvenir.memories.models import (
    Memory,
    MemorySubject,
    MemoryVersion,
    Person,
    Source,
    Store,
)
from souvenir.memories.selectors import person_asked_for, personal_slug, personal_store

MAX_MEMORY_CHARACTERS = 10_000
MAX_SUBJECTS = 20  # besides the person whose store it is
_MAX_EXTERNAL_ID = 200
_SHARED_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a memory shall say, and how we know it."""

    text: str
    origin: str = "provided"  # provided | observed | inferred
    method: str = "user_typed"
    author: str = ""  # "key:<id>" or "user:<id>"
    occurred_at: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    observed_at: datetime | None = None
    reason: str = ""


def is_external_id(text: str) -> bool:
    """Whether a person can be known by this."""
    printable = text.isprintable() and text == text.strip()
    return printable and 0 < len(text) <= _MAX_EXTERNAL_ID


@transaction.atomic
def ensure_person(*, external_id: str, display_name: str = "") -> Person:
    """The person known by this id, made with a personal store if new. A name is set only once.

    Raises:
        ExternalIdInvalid
        PersonLeaving
    """
    if not is_external_id(external_id):
        raise ExternalIdInvalid
    person, _ = Person.objects.get_or_create(
        external_id=external_id, defaults={"display_name": display_name}
    )
    if person.state == Person.State.LEAVING:
        raise PersonLeaving(person=external_id)
    if display_name and not person.display_name:
        person.display_name = display_name
        person.save(update_fields=["display_name"])
    Store.objects.get_or_create(slug=personal_slug(external_id), defaults={"person_id": person.id})
    return person


def ensure_shared_store(*, slug: str) -> Store:
    """The shared store of this name, made if new.

    Raises:
        StoreNameInvalid
    """
    if not _SHARED_SLUG.fullmatch(slug):
        raise StoreNameInvalid
    store, _ = Store.objects.get_or_create(slug=slug)
    return store


def ensure_source(*, store: Store, provider: str, account: str) -> Source:
    """The provider's account that things of this store came from, made if new."""
    source, _ = Source.objects.get_or_create(store_id=store.id, provider=provider, account=account)
    return source


@transaction.atomic
def add_memory(
    *, store: Store, statement: Statement, kind: str = "fact", about: Iterable[str] = ()
) -> Memory:
    """Keep one statement as a new memory, version 1.

    `about` are the external ids of others it speaks of, made known if new: the memory is sealed
    with their keys too, and ends with the first of them that is erased.

    Raises:
        MemoryEmpty, MemoryTooLong
        ExternalIdInvalid, PersonLeaving, TooManySubjects
    """
    text = _checked(statement.text)
    memory = Memory.objects.create(store_id=store.id, person_id=store.person_id, kind=kind)
    add_subjects(memory, about=about)
    _write_version(memory, statement, text=text)
    return memory


def add_subjects(memory: Memory, *, about: Iterable[str]) -> None:
    """Say whom else a memory is about, before its first version is written.

    Raises:
        ExternalIdInvalid, PersonLeaving, TooManySubjects
    """
    names = sorted(set(about))
    if len(names) > MAX_SUBJECTS:
        raise TooManySubjects(limit=MAX_SUBJECTS)
    for external_id in names:
        person = ensure_person(external_id=external_id)
        if person.id != memory.person_id:
            MemorySubject.objects.create(memory_id=memory.id, person_id=person.id)


@transaction.atomic
def correct_memory(
    *, memory_id: UUID, statement: Statement, expected_version: int | None = None
) -> Memory:
    """Say it better: a new version that holds from now on; the old ones stay in the history.

    Raises:
        MemoryNotFound
        MemoryChanged: it is not at `expected_version` any more.
        MemoryEmpty, MemoryTooLong
    """
    text = _checked(statement.text)
    found = Memory.objects.select_for_update().filter(id=memory_id, state=Memory.State.ACTIVE)
    memory = found.first()
    if memory is None:
        raise MemoryNotFound(memory_id=memory_id)
    if expected_version is not None and memory.version != expected_version:
        raise MemoryChanged(version=memory.version)
    memory.version += 1
    memory.save(update_fields=["version"])
    _write_version(memory, statement, text=text)
    return memory


def hide_person(*, person_id: UUID) -> list[UUID]:
    """Take a person out of every answer at once; the erasure follows. Twice changes nothing.

    Gives the ids of the memories of others that are about this person: they are hidden too.

    Raises:
        PersonNotFound
    """
    if not Person.objects.filter(id=person_id).update(state=Person.State.LEAVING):
        raise PersonNotFound(person=person_id)
    about = MemorySubject.objects.filter(person_id=person_id).values_list("memory_id", flat=True)
    hidden = list(about)
    Memory.objects.filter(id__in=hidden).update(state=Memory.State.FORGOTTEN)
    return hidden


def hide_memory(*, memory_id: UUID) -> Memory:
    """Take a memory out of every answer at once; its erasure follows.

    Raises:
        MemoryNotFound
    """
    memory = Memory.objects.filter(id=memory_id, state=Memory.State.ACTIVE).first()
    if memory is None:
        raise MemoryNotFound(memory_id=memory_id)
    memory.state = Memory.State.FORGOTTEN
    memory.save(update_fields=["state"])
    return memory


def _checked(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise MemoryEmpty
    if len(stripped) > MAX_MEMORY_CHARACTERS:
        raise MemoryTooLong(limit=MAX_MEMORY_CHARACTERS, length=len(stripped))
    return stripped


def _write_version(memory: Memory, statement: Statement, *, text: str) -> None:
    now = timezone.now()
    MemoryVersion.objects.create(
        memory_id=memory.id,
        store_id=memory.store_id,
        number=memory.version,
        text=text,
        occurred_at=statement.occurred_at,
        valid_from=statement.valid_from,
        valid_to=statement.valid_to,
        observed_at=statement.observed_at or now,
        recorded_at=now,
        origin=statement.origin,
        method=statement.method,
        author=statement.author,
        reason=statement.reason,
    )


def person_meant(*, bound_to: UUID | None, external_id: str | None) -> Person | None:
    """The person that a caller means: made if new, unless the caller is bound to one already.

    Raises:
        PersonNotFound: a bound caller means someone else, who for it is not there.
        ExternalIdInvalid
    """
    if bound_to is None and external_id is not None:
        return ensure_person(external_id=external_id)
    return person_asked_for(bound_to=bound_to, external_id=external_id)


def store_meant(*, bound_to: UUID | None, external_id: str | None, slug: str | None) -> Store:
    """The store that something is to be kept in: a person's own, or a shared one by its name.

    Raises:
        StoreNeeded: neither was named.
        PersonNotFound, StoreNotFound: a bound caller means another's.
        ExternalIdInvalid
    """
    person = person_meant(bound_to=bound_to, external_id=external_id)
    if person is not None:
        own = personal_store(person=person)
        if slug not in (None, own.slug):
            raise StoreNotFound(store=slug)
        return own
    if slug is None:
        raise StoreNeeded
    return ensure_shared_store(slug=slug)
