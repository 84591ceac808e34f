"""What the log tells of. A name that was ever written is never given another meaning."""

from enum import StrEnum


class Action(StrEnum):
    """What was done. The first word is what it was done to."""

    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_SUSPENDED = "organization.suspended"
    ORGANIZATION_RESUMED = "organization.resumed"
    ORGANIZATION_CHANGED = "organization.changed"
    PLACEMENT_ASKED = "placement.asked"  # recorded where it is refused
    KEY_ISSUED = "key.issued"
    KEY_REVOKED = "key.revoked"
    PLATFORM_KEY_ISSUED = "platform-key.issued"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    SIGNED_IN = "user.signed-in"
    IMPORT_ACCEPTED = "import.accepted"
    EXPORT_ASKED = "export.asked"
    EXPORT_MADE = "export.made"
    EXPORT_DOWNLOADED = "export.downloaded"
    ERASURE_ASKED = "erasure.asked"
    ERASURE_DONE = "erasure.done"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_SECRET_ROLLED = "webhook.secret-rolled"  # noqa: S105 — a name
    KEYS_ROTATED = "keys.rotated"
    KEYS_DESTROYED = "keys.destroyed"


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
