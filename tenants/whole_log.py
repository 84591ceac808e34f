"""The audit log of the whole cell, read through one scope after the other, to be verified."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from uuid import UUID

from souvenir.audit.models import Entry, Node, Waiting
from souvenir.audit.selectors import tree_size
from souvenir.audit.verifying import Log
from tenants.isolation.scope import tenant_scope
from tenants.models import Organization

_AT_ONCE = 5_000


def whole_log() -> Log:
    """Everything that a verification needs, while recording goes on. Needs no open transaction.

    Read in this order, no entry seems lost that is only on its way: how many have a number, all
    entries, those that wait, and the tree.
    """
    size = tree_size()
    entries = {entry_id: leaf for whose in _everyone() for entry_id, leaf in _entries_of(whose)}
    on_their_way = set(Waiting.objects.values_list("entry_id", flat=True))
    leaves, nodes = {}, {}
    found = Node.objects.values_list("level", "position", "hash", "entry_id")
    for level, position, known, entry_id in found.iterator(_AT_ONCE):
        is_placed = (position + 1) << level <= size
        if entry_id is None and is_placed:
            nodes[level, position] = bytes(known)
        elif entry_id is not None and is_placed:
            leaves[position] = (entry_id, bytes(known))
        elif entry_id is not None:
            on_their_way.add(entry_id)
    return Log(leaves, entries, nodes, on_their_way)


def _everyone() -> list[UUID | None]:
    """Every organization that the log or the directory names; None: the cell itself."""
    told = Node.objects.filter(level=0).values_list("organization_id", flat=True).distinct()
    listed = Organization.objects.values_list("id", flat=True)
    return [None, *sorted({one for one in [*told, *listed] if one is not None})]


def _entries_of(organization_id: UUID | None) -> Iterator[tuple[UUID, bytes]]:
    """Each entry, and its hash as it is now; a wrong one where that is not what was written."""
    scope: AbstractContextManager[object]
    scope = tenant_scope(organization_id) if organization_id else nullcontext()
    with scope:
        for entry in Entry.objects.filter(organization_id=organization_id).iterator(_AT_ONCE):
            now = entry.facts.leaf_hash()
            yield entry.id, now if now == bytes(entry.leaf_hash) else b""
