"""An entry of the log, and the bytes of it that are hashed. Pure.

Ids, codes and numbers: never what people wrote, and no names. What could say something about a
person (how large an import was) is sealed with the person's key by whoever records it; the hash is
over the sealed bytes, so that it stays right when the key is gone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from souvenir.audit.actions import Action, Outcome
from souvenir.audit.tree import hash_of_leaf
from souvenir.core.canonical_json import canonical_json
from souvenir.core.ids import new_id

FORM = 1  # of the canonical bytes
Detail = str | int | bool | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, before it is recorded."""

    action: Action
    object: str  # `<kind>:<id>`: what it was done to
    organization_id: UUID | None = None  # None: the cell's own, of no organization
    person_id: UUID | None = None  # whom it is about
    purpose: str = ""  # a code of what was declared
    outcome: Outcome = Outcome.DONE
    details: Mapping[str, Detail] = field(default_factory=dict)
    sealed: bytes = b""
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything of an entry that its hash is over, as the database keeps it."""

    id: UUID
    organization_id: UUID | None
    at: datetime
    actor: str
    action: str
    object: str
    person_id: UUID | None
    purpose: str
    outcome: str
    details: Mapping[str, Detail]
    sealed: bytes

    def told(self) -> dict[str, Any]:
        """The entry as it is shown, and as it is hashed: RFC 8785 over strings and whole numbers.

        Of what is sealed there is the SHA-256, so that an entry can be checked by who may not see
        that part.
        """
        return {
            "form": FORM,
            "id": str(self.id),
            "organization": str(self.organization_id) if self.organization_id else None,
            "at": self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor": self.actor,
            "action": self.action,
            "object": self.object,
            "person": str(self.person_id) if self.person_id else None,
            "purpose": self.purpose,
            "outcome": self.outcome,
            "details": dict(self.details),
            "sealed": hashlib.sha256(self.sealed).hexdigest() if self.sealed else None,
        }

    def leaf_hash(self) -> bytes:
        """Its leaf in the tree."""
        return hash_of_leaf(canonical_json(self.told()))
