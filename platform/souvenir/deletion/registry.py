"""Every tenant table, in the order in which its rows can go, and how each finds what it must lose.

A table that is missing here fails a test; a row that is missed stops the deletion, because nothing
cascades.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from souvenir.export.models import Export
from souvenir.ingestion.models import (
    Asset,
    Import,
    LargeStore,
    Passage,
    PassageToken,
    PassageVector,
    RawObject,
)
from souvenir.ingestion.past import homes
from souvenir.memories.models import (
    Conversation,
    Evidence,
    Memory,
    MemorySubject,
    MemoryVersion,
    Message,
    MetadataToken,
    Person,
    Source,
    Store,
)
from tenants.models import ApiKey

Rows = QuerySet[Any]  # of any table

# Kept when an organization goes: they hold ids, times and counts, and show what was done.
KEPT = {
    "deletion_erasure": "the report of the erasure",
    "tenants_job": "what was done, and when",
    "keyring_subjectkey": "empty rows of destroyed keys, so that none is made again",
    "keyring_indexkey": "goes with the organization’s keys, which the keyring ends itself",
    "tenants_usage": "how many bytes were sent in on each day",
    "tenants_jobitem": "which parts of it went well or failed: counts and codes",
    "webhooks_endpoint": "goes with the organization: nobody’s person",
    "webhooks_event": "which jobs have ended; goes with the organization",
    "webhooks_delivery": "who was told of it; goes with the organization",
    "idempotency_replay": "that a request was carried out; what it answered goes (forget_answers)",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose rows go: those of these stores and of these people."""

    store_ids: list[UUID]
    person_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Erasable:
    """A table, its name in the report, and which of its rows a reach takes.

    `taken` gives conditions that are asked one after the other. Joined by OR they would be asked of
    every row that the organization has in the table: each has an index of its own.
    """

    name: str
    model: type[Model]
    taken: Callable[[Reach], tuple[Q, ...]]

    def rows(self, reach: Reach) -> list[Rows]:
        """Its rows, for each condition. A row may be in several. Lazy."""
        every = self.model._default_manager
        return [every.filter(condition) for condition in self.taken(reach)]


def _by_store(reach: Reach) -> tuple[Q, ...]:
    return (Q(store_id__in=reach.store_ids),)


def _by_home(reach: Reach) -> tuple[Q, ...]:
    """What stands under these stores or under their past."""
    return (Q(store_id__in=homes(reach.store_ids)),)


def _by_person(reach: Reach) -> tuple[Q, ...]:
    return (Q(person_id__in=reach.person_ids),)


def _memories(reach: Reach) -> tuple[Q, ...]:
    """Memories of these stores, and those of other stores that are about these people."""
    return (*_by_store(reach), Q(id__in=_about(reach)))


def _by_memory(reach: Reach) -> tuple[Q, ...]:
    """What belongs to such a memory, whatever store it is in."""
    return (*_by_store(reach), Q(memory_id__in=_about(reach)))


def _about(reach: Reach) -> QuerySet[Any, UUID]:
    found = MemorySubject.objects.filter(person_id__in=reach.person_ids)
    return found.values_list("memory_id", flat=True)


def _evidence(reach: Reach) -> tuple[Q, ...]:
    return (
        Q(version__store_id__in=reach.store_ids),
        Q(message__store_id__in=reach.store_ids),
        Q(version__memory_id__in=_about(reach)),
    )


# Children before parents, people last. Passages come before what is derived from them: with none
# left, nobody gives one a vector. Store by store, which is several times as fast as one by one.
ERASABLES = (
    Erasable("passages", Passage, _by_memory),
    Erasable("passage_vectors", PassageVector, _by_home),
    Erasable("passage_tokens", PassageToken, _by_home),
    Erasable("large_stores", LargeStore, _by_store),
    Erasable("evidence", Evidence, _evidence),
    Erasable("memory_versions", MemoryVersion, _by_memory),
    Erasable("metadata_tokens", MetadataToken, _by_memory),
    Erasable("memories", Memory, _memories),
    # Of a memory that goes they go with it: without them, nobody would know whom it was about.
    Erasable("memory_subjects", MemorySubject, _by_person),
    Erasable("raw_objects", RawObject, _by_store),
    Erasable("assets", Asset, _by_store),
    Erasable("messages", Message, _by_store),
    Erasable("conversations", Conversation, _by_store),
    Erasable("imports", Import, lambda reach: _by_store(reach) + _by_person(reach)),
    Erasable("sources", Source, _by_store),
    Erasable("stores", Store, lambda reach: (Q(id__in=reach.store_ids),)),
    Erasable("exports", Export, _by_person),
    Erasable("keys", ApiKey, _by_person),
    Erasable("people", Person, lambda reach: (Q(id__in=reach.person_ids),)),
)


def passages_elsewhere(reach: Reach) -> QuerySet[Passage]:
    """The passages about these people in other stores: their tokens and vectors go one by one."""
    about = Passage.objects.filter(memory_id__in=_about(reach))
    return about.exclude(store_id__in=reach.store_ids)


def owners_of_memories_about(person_id: UUID) -> QuerySet[Any, UUID | None]:
    """Who has memories about this person, besides the person. Lazy."""
    found = Memory.objects.filter(id__in=_about(Reach([], [person_id])), person__isnull=False)
    return found.values_list("person_id", flat=True)
