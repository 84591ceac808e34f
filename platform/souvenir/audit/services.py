"""Record what happens, and give it its place in the tree.

An entry is written in the transaction of what it tells of: both are there, or neither. Its number
comes later, from whoever makes the next checkpoint: so nobody who records waits for anybody else.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from souvenir.audit.actors import after_this, current_actor
from souvenir.audit.entries import Event, Facts
from souvenir.audit.models import Checkpoint, Entry, Node, Waiting
from souvenir.audit.notes import TreeHead, sign_head, verifier_key
from souvenir.audit.selectors import hashes_of, tree_size
from souvenir.audit.signing import origin, signing_key
from souvenir.audit.tree import Growth, Place, nodes_of

_LOCK = 0x61756474  # ours among the database's advisory locks: "audt"
_AT_ONCE = 5_000  # entries of one transaction
# Older entries first. What is taken here is placed in the same transaction, or stays.
_TAKE = """
    WITH taken AS (
        DELETE FROM audit_waiting
         WHERE entry_id = ANY (ARRAY(
               SELECT entry_id FROM audit_waiting ORDER BY at, entry_id LIMIT %s))
        RETURNING entry_id, organization_id, leaf_hash, at)
    SELECT entry_id, organization_id, leaf_hash FROM taken ORDER BY at, entry_id
"""
_Row = tuple[UUID, UUID | None, bytes]


@transaction.atomic
def record(event: Event) -> None:
    """Write an event down, in the transaction of its effect. Recorded twice, it is told twice."""
    values = {name: getattr(event, name) for name in Event.__dataclass_fields__}
    facts = Facts(
        **values
        | {
            "at": timezone.now(),
            "actor": current_actor(),
            "action": event.action.value,
            "outcome": event.outcome.value,
            "details": dict(event.details),
        }
    )
    kept: dict[str, Any] = {name: getattr(facts, name) for name in Facts.__dataclass_fields__}
    leaf = facts.leaf_hash()
    Entry(**kept, leaf_hash=leaf).save(force_insert=True)
    waiting = Waiting(
        entry_id=facts.id, organization_id=facts.organization_id, at=facts.at, leaf_hash=leaf
    )
    waiting.save(force_insert=True)


def record_refusal(event: Event) -> None:
    """Write down what was refused. A transaction that is open now goes with the refusal: then it is
    written at the end of the `acting_as` around it, or not at all where there is none.
    """
    if not connection.in_atomic_block:
        record(event)
    else:
        after_this(partial(record, event))


def make_checkpoints() -> int:
    """Place every entry that waits, and sign what the tree is then. Gives how many were placed.

    Needs no scope. Of several at once, one does it; killed in between, nothing of it was done.

    Raises:
        AuditKeyMissing
    """
    placed = 0
    while batch := _place_some():
        placed += batch
    return placed


def _place_some() -> int:
    key = signing_key()
    with transaction.atomic():
        rows = _taken()
        if not rows:
            return 0
        tree = _place(rows)
        head = TreeHead(origin(), tree.size, tree.root())
        Checkpoint.objects.create(
            size=head.size,
            root=head.root,
            note=sign_head(head, key),
            verifier_key=verifier_key(head.origin, key.public_key()),
            at=timezone.now(),
        )
        return len(rows)


def _taken() -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(_TAKE, [_AT_ONCE])
        return [(entry_id, whose, bytes(leaf)) for entry_id, whose, leaf in cursor.fetchall()]


def _place(rows: Sequence[_Row]) -> Growth:
    """Give entries the next numbers. Gives the tree with them."""
    size = tree_size()
    before = nodes_of((0, size))
    known = hashes_of(before)
    nodes: list[Node] = []

    def _keep(place: Place, found: bytes) -> bytes:
        nodes.append(Node(level=place[0], position=place[1], hash=found))
        return found

    growth = Growth(size, [known[place] for place in before])
    for entry_id, organization_id, leaf in rows:
        at = len(nodes)
        growth.add(leaf, kept=_keep)
        nodes[at].entry_id, nodes[at].organization_id = entry_id, organization_id
    Node.objects.bulk_create(nodes, batch_size=2_000)
    return growth
