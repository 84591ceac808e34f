"""Changes to people, stores and memories. All need a tenant scope."""

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
)
from souvenir.memories.models import Memory, MemoryVersion, Person, Source, Store
from souvenir.memories.selectors import personal_slug

MAX_MEMORY_CHARACTERS = 10_000
_MAX_EXTERNAL_ID = 200


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


@transaction.atomic
def ensure_person(*, external_id: str, display_name: str = "") -> Person:
    """The person known by this id, made with a personal store if new. A name is set only once.

    Raises:
        ExternalIdInvalid
    """
    printable = external_id.isprintable() and external_id == external_id.strip()
    if not (printable and 0 < len(external_id) <= _MAX_EXTERNAL_ID):
        raise ExternalIdInvalid
    person, _ = Person.objects.get_or_create(
        external_id=external_id, defaults={"display_name": display_name}
    )
    if display_name and not person.display_name:
        person.display_name = display_name
        person.save(update_fields=["display_name"])
    Store.objects.get_or_create(
        slug=personal_slug(external_id), defaults={"person_id": person.id}
    )
    return person


def ensure_shared_store(*, slug: str) -> Store:
    """The shared store of this name, made if new."""
    store, _ = Store.objects.get_or_create(slug=slug)
    return store


def ensure_source(*, store: Store, provider: str, account: str) -> Source:
    """The provider's account that things of this store came from, made if new."""
    source, _ = Source.objects.get_or_create(
        store_id=store.id, provider=provider, account=account
    )
    return source


@transaction.atomic
def add_memory(*, store: Store, statement: Statement, kind: str = "fact") -> Memory:
    """Keep one statement as a new memory, version 1.

    Raises:
        MemoryEmpty, MemoryTooLong
    """
    text = _checked(statement.text)
    memory = Memory.objects.create(store_id=store.id, person_id=store.person_id, kind=kind)
    _write_version(memory, statement, text=text)
    return memory


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
