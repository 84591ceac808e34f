"""Blind tokens of metadata, one for each entry: a filter finds what the database cannot read.

They are made under the organization's index key, like the tokens of words, and look like nothing
without it. All need a tenant scope.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When

from souvenir.core.sealing import blind_entry
from souvenir.memories.held import HELD
from souvenir.memories.metadata import Metadata, Wanted, entry_of
from souvenir.memories.models import Memory, MemoryVersion, MetadataToken
from tenants.keyring.index_keys import index_keys
from tenants.sealed import open_ahead


def write_metadata_tokens(memory: Memory, metadata: Metadata, *, past_version: int = 0) -> None:
    """Make the tokens of a version, under the newest index key. 0: of what holds now."""
    if not metadata:
        return
    epoch, key = index_keys()[0]
    MetadataToken.objects.bulk_create(
        MetadataToken(
            store_id=memory.store_id,
            token=blind_entry(entry_of(name, value), key=key),
            memory_id=memory.id,
            past_version=past_version,
            epoch=epoch,
        )
        for name, value in metadata.items()
    )


def retire_metadata_tokens(*, memory_id: UUID, version: int) -> None:
    """The tokens of what held until now are those of a past version from here on."""
    found = MetadataToken.objects.filter(memory_id=memory_id, past_version=0)
    found.update(past_version=version)


def tokens_of(wanted: Wanted) -> list[bytes]:
    """The tokens of which a memory must have one, under every index key in use."""
    return [blind_entry(entry, key=key) for _, key in index_keys() for entry in wanted.entries()]


def memories_with(
    found: QuerySet[Memory], metadata: Iterable[Wanted], *, store_ids: list[UUID]
) -> QuerySet[Memory]:
    """Those memories of some stores that have all these entries. Lazy.

    What counts is the version that holds now, or the one that `held_at` has annotated.
    """
    looks_back = HELD in found.query.annotations
    past = Case(When(**{HELD: F("version")}, then=0), default=F(HELD)) if looks_back else Value(0)
    found = found.alias(past=past)
    for wanted in metadata:
        tokens = MetadataToken.objects.filter(store_id__in=store_ids, token__in=tokens_of(wanted))
        of_version = tokens.filter(memory_id=OuterRef("id"), past_version=OuterRef("past"))
        # The first finds them by the index, the second says which of their versions it is.
        found = found.filter(id__in=tokens.values("memory_id")).filter(Exists(of_version))
    return found


def stale_metadata_tokens(*, epoch: int) -> QuerySet[MetadataToken]:
    """The tokens made under an older index key than this one. Lazy."""
    return MetadataToken.objects.filter(epoch__lt=epoch)


def make_metadata_tokens_again(*, epoch: int, after: UUID, most: int) -> UUID | None:
    """Make the tokens of some memories, in the order of their ids, under the newest index key.

    A memory is locked meanwhile: whoever changes it waits. Gives the last of them; None: there was
    none after `after`.
    """
    stale = stale_metadata_tokens(epoch=epoch).filter(memory_id__gt=after)
    ids = list(stale.values_list("memory_id", flat=True).distinct().order_by("memory_id")[:most])
    memories = Memory.objects.select_for_update().in_bulk(ids)
    versions = list(MemoryVersion.objects.filter(memory_id__in=ids))
    open_ahead(versions)
    MetadataToken.objects.filter(memory_id__in=ids).delete()
    for version in versions:
        memory = memories[version.memory_id]
        past = 0 if version.number == memory.version else version.number
        write_metadata_tokens(memory, version.metadata, past_version=past)
    return ids[-1] if ids else None
