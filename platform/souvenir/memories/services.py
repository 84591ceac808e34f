"""Changes to people, stores and memories. All need a tenant scope."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
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
from souvenir.memories.metadata import Metadata, changed, entries_of
from souvenir.memories.metadata_tokens import retire_metadata_tokens, write_metadata_tokens
from souvenir.memories.models import (
    Evidence,
    Memory,
    MemorySubject,
    MemoryVersion,
    Person,
    Source,
    Store,
)
from souvenir.memories.selectors import (
    current_versions,
    get_person_by_id,
    known_store,
    person_asked_for,
    personal_slug,
    personal_store,
)
from tenants.time_zones import check_time_zone

MAX_MEMORY_CHARACTERS = 10_000
MAX_SUBJECTS = 20  # besides the person whose store it is
_MAX_EXTERNAL_ID = 200
# Of a version, what stays where only its metadata is changed.
_SAID = ("text", "origin", "method", "occurred_at", "valid_from", "valid_to", "observed_at")
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
    metadata: object = field(default_factory=dict)  # a change of it: see `metadata.changed`


def is_external_id(text: str) -> bool:
    """Whether a person can be known by this."""
    printable = text.isprintable() and text == text.strip()
    return printable and 0 < len(text) <= _MAX_EXTERNAL_ID


@transaction.atomic
def ensure_person(
    *, external_id: str, display_name: str = "", time_zone: str | None = ""
) -> Person:
    """The person known by this id, made with a personal store if new.

    A name is set only once, a time zone whenever it is given: "" leaves it, None takes it away.

    Raises:
        ExternalIdInvalid, TimeZoneUnknown
        PersonLeaving
    """
    if not is_external_id(external_id):
        raise ExternalIdInvalid
    check_time_zone(time_zone or "")
    person, _ = Person.objects.get_or_create(
        external_id=external_id, defaults={"display_name": display_name}
    )
    if person.state == Person.State.LEAVING:
        raise PersonLeaving(person=external_id)
    if display_name and not person.display_name:
        person.display_name = display_name
        person.save(update_fields=["display_name"])
    if time_zone != "":
        _place(person, time_zone or "")
    Store.objects.get_or_create(slug=personal_slug(external_id), defaults={"person_id": person.id})
    return person


def set_own_time_zone(*, person_id: UUID, time_zone: str) -> Person:
    """Where a person's days begin; "": where the organization's do.

    Raises:
        PersonNotFound, TimeZoneUnknown
    """
    check_time_zone(time_zone)
    person = get_person_by_id(person_id=person_id)
    _place(person, time_zone)
    return person


def _place(person: Person, time_zone: str) -> None:
    if time_zone != person.time_zone:
        person.time_zone = time_zone
        person.save(update_fields=["time_zone"])


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


@transaction.atomic(savepoint=False)
def add_memory(
    *, store: Store, statement: Statement, kind: str = "fact", about: Iterable[str] = ()
) -> Memory:
    """Keep one statement as a new memory, version 1.

    `about` are the external ids of others it speaks of, made known if new: the memory is sealed
    with their keys too, and ends with the first of them that is erased.

    Raises:
        MemoryEmpty, MemoryTooLong
        MetadataInvalid, and the other errors of `metadata.changed`
        ExternalIdInvalid, PersonLeaving, TooManySubjects: the caller's transaction is given up.
    """
    text, metadata = _checked(statement.text), changed({}, statement.metadata)
    memory = Memory.objects.create(store_id=store.id, person_id=store.person_id, kind=kind)
    add_subjects(memory, about=about)
    memory.said = _write_version(memory, statement, text=text, metadata=metadata)
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

    Its metadata stays, but for what the statement changes of it.

    Raises:
        MemoryNotFound
        MemoryChanged: it is not at `expected_version` any more.
        MemoryEmpty, MemoryTooLong
        MetadataInvalid, and the other errors of `metadata.changed`
    """
    text = _checked(statement.text)
    memory, said = _to_be_changed(memory_id, expected_version=expected_version)
    _write_next_version(
        memory, statement, text=text, metadata=changed(said.metadata, statement.metadata)
    )
    return memory


@transaction.atomic
def describe_memory(
    *, memory_id: UUID, metadata: object, author: str, expected_version: int | None = None
) -> tuple[Memory, bool]:
    """Change a memory's metadata and nothing else: a new version, which says the same.

    Also gives whether it is changed: what changes nothing makes no version.

    Raises:
        MemoryNotFound
        MemoryChanged: it is not at `expected_version` any more.
        MetadataInvalid, and the other errors of `metadata.changed`
    """
    memory, said = _to_be_changed(memory_id, expected_version=expected_version)
    after = changed(said.metadata, metadata)
    if entries_of(after) == entries_of(said.metadata):
        return memory, False
    same = {name: getattr(said, name) for name in _SAID}
    version = _write_next_version(
        memory, Statement(**same, author=author), text=said.text, metadata=after
    )
    for span in Evidence.objects.filter(version_id=said.id).order_by("id"):
        Evidence.objects.create(
            version=version,
            message_id=span.message_id,
            block=span.block,
            start=span.start,
            end=span.end,
            quote_sha256=span.quote_sha256,
        )
    return memory, True


def _to_be_changed(
    memory_id: UUID, *, expected_version: int | None
) -> tuple[Memory, MemoryVersion]:
    """A memory, locked, and what it says now."""
    found = Memory.objects.select_for_update().filter(id=memory_id, state=Memory.State.ACTIVE)
    memory = found.first()
    if memory is None:
        raise MemoryNotFound(memory_id=memory_id)
    if expected_version is not None and memory.version != expected_version:
        raise MemoryChanged(version=memory.version)
    return memory, current_versions([memory])[memory.id]


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


def _write_next_version(
    memory: Memory, statement: Statement, *, text: str, metadata: Metadata
) -> MemoryVersion:
    retire_metadata_tokens(memory_id=memory.id, version=memory.version)
    memory.version += 1
    memory.save(update_fields=["version"])
    return _write_version(memory, statement, text=text, metadata=metadata)


def _write_version(
    memory: Memory, statement: Statement, *, text: str, metadata: Metadata
) -> MemoryVersion:
    now = timezone.now()
    write_metadata_tokens(memory, metadata)
    return MemoryVersion.objects.create(
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
        metadata=metadata,
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
    own = known_store(external_id=external_id) if external_id and bound_to is None else None
    if own is None:
        person = person_meant(bound_to=bound_to, external_id=external_id)
        own = personal_store(person=person) if person is not None else None
    if own is not None:
        if slug not in (None, own.slug):
            raise StoreNotFound(store=slug)
        return own
    if slug is None:
        raise StoreNeeded
    return ensure_shared_store(slug=slug)
