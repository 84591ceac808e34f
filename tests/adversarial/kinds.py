"""What an id can name, who calls, and the places of a request where an id can stand."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an id names."""

    ORGANIZATION = "organization"
    MEMORY = "memory"
    CONVERSATION = "conversation"
    IMPORT = "import"
    JOB = "job"
    WAITING_JOB = "waiting-job"  # a fresh one can still be stopped
    WEBHOOK = "webhook"
    DELIVERY = "delivery"
    FAILED_JOB = "failed-job"  # a fresh one can be tried again
    AUDIT_ENTRY = "audit-entry"
    EXPORT = "export"
    WHOLE_EXPORT = "whole-export"  # of the whole organization, not of a person
    ERASURE = "erasure"
    KEY = "key"
    PERSON = "person"
    EXTERNAL_ID = "external-id"  # of a person, who is not made by being named
    STORE = "store"  # by its name
    NEW_EXTERNAL_ID = "new-external-id"  # a person who is made by being named
    NEW_STORE = "new-store"
    LINK = "link"  # the signed token of a download
    CURSOR = "cursor"
    MESSAGE = "message"  # asked for beside its conversation: one that does not fit is ignored


UUIDS = (
    Kind.ORGANIZATION, Kind.MEMORY, Kind.CONVERSATION, Kind.IMPORT, Kind.JOB, Kind.EXPORT,
    Kind.ERASURE, Kind.KEY, Kind.PERSON, Kind.WAITING_JOB, Kind.FAILED_JOB,
    Kind.WEBHOOK, Kind.DELIVERY,
    Kind.WHOLE_EXPORT, Kind.AUDIT_ENTRY,
)  # fmt: skip
MADE_BY_NAMING = {Kind.NEW_EXTERNAL_ID, Kind.NEW_STORE}


class Role(StrEnum):
    """What the key of a caller may do."""

    OWNER = "owner"  # every scope
    READER = "reader"
    WRITER = "writer"  # every scope but erasures
    BOUND = "bound"  # every scope a person's key can have, on that person's memory alone
    PLATFORM = "platform"  # the operator: no organization at all


@dataclass(frozen=True)
class Slot:
    """One place of a request where an id stands. `beside`: what the body then says besides."""

    where: str  # "path" | "query" | "body" (JSON) | "form"
    name: str
    kind: Kind
    beside: dict[str, Any] = field(default_factory=dict, hash=False)
    known_after_deletion: bool = False  # a deleted id of one's own is not like a missing one
    listed: bool = False  # the body takes a list of them
    along: str = ""  # another slot, without which this one says nothing: it is given an own id


@dataclass(frozen=True)
class Case:
    """How one operation is called, and what to try on it.

    `body` is a valid one without any id; `own` names the slot and the id that make the call
    succeed, `fresh` if success uses that id up.
    """

    scope: str  # a scope, or "platform", or "" where no key is asked for
    success: int
    slots: tuple[Slot, ...] = ()
    body: dict[str, Any] | None = None
    is_upload: bool = False
    fresh: bool = False
