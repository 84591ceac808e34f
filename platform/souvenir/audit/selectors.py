"""Questions to the log. Entries are the organization's in scope; the tree is the whole cell's, and
holds hashes and ids.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Max, OuterRef, QuerySet, Subquery

from souvenir.audit.errors import AuditEntryNotFound, CheckpointNotYet, TreeSizeInvalid
from souvenir.audit.models import Checkpoint, Entry, Node
from souvenir.audit.tree import (
    Place,
    Span,
    consistency_path,
    hash_of,
    inclusion_path,
    nodes_of,
)

_NODES = """
    SELECT level, position, hash
      FROM unnest(%s::smallint[], %s::bigint[]) AS wanted (level, position)
      JOIN audit_node USING (level, position)
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """Hashes that lead from an entry, or from an older tree, to the root of a tree of `size`."""

    size: int
    hashes: list[bytes]


def entries(
    *,
    organization_id: UUID | None,
    action: str = "",
    object: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Entry]:
    """An organization's entries (None: the cell's own), newest first. Lazy. Needs its scope.

    Each has its `number` in the log, None until the next checkpoint.

    Args:
        until: the first moment that is not asked for any more.
    """
    found = Entry.objects.filter(organization_id=organization_id)
    if action:
        found = found.filter(action=action)
    if object:
        found = found.filter(object=object)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    placed = Node.objects.filter(level=0, entry_id=OuterRef("id")).values("position")
    return found.annotate(number=Subquery(placed)).order_by("-at", "-id")


def get_entry(*, organization_id: UUID | None, entry_id: UUID) -> Entry:
    """With its `number`. One query. Needs the organization's scope.

    Raises:
        AuditEntryNotFound
    """
    found = entries(organization_id=organization_id).filter(id=entry_id).first()
    if found is None:
        raise AuditEntryNotFound(entry_id=entry_id)
    return found


def numbers_of(entry_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The number in the log of each entry that has one yet. One query."""
    placed = Node.objects.filter(level=0, entry_id__in=list(entry_ids))
    return {
        entry_id: position
        for entry_id, position in placed.values_list("entry_id", "position")
        if entry_id is not None
    }


def tree_size() -> int:
    """How many entries have a place. One query."""
    largest = Checkpoint.objects.aggregate(size=Max("size"))["size"]
    return int(largest or 0)


def get_checkpoint(*, size: int | None = None) -> Checkpoint:
    """The one over so many entries; None: the newest. One query.

    Raises:
        CheckpointNotYet: there is none.
    """
    asked = Checkpoint.objects.order_by("-size")
    found = (asked if size is None else asked.filter(size=size)).first()
    if found is None:
        raise CheckpointNotYet
    return found


def inclusion_proof(*, number: int | None, size: int) -> Proof:
    """That the entry with this number is in the tree of `size`. Two queries.

    Raises:
        CheckpointNotYet: it has no number, or there is no checkpoint that large.
    """
    if number is None or not number < size <= tree_size():
        raise CheckpointNotYet
    return Proof(size, _hashes(inclusion_path(number, size)))


def consistency_proof(*, old: int, size: int) -> Proof:
    """That the tree of `old` entries grew into that of `size`. Two queries.

    Raises:
        TreeSizeInvalid
    """
    largest = tree_size()
    if not 0 < old <= size <= largest:
        raise TreeSizeInvalid(size=largest)
    return Proof(size, _hashes(consistency_path(old, size)))


def hashes_of(places: Iterable[Place]) -> dict[Place, bytes]:
    """The hashes of some nodes. One query; of those that are there."""
    wanted = list(places)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_NODES, [list(numbers) for numbers in zip(*wanted, strict=True)])
        return {(level, position): bytes(found) for level, position, found in cursor.fetchall()}


def _hashes(spans: list[Span]) -> list[bytes]:
    known = hashes_of(place for span in spans for place in nodes_of(span))
    return [hash_of(span, known.__getitem__) for span in spans]
