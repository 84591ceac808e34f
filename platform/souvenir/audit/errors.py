"""What can go wrong with the audit log."""

from souvenir.core.errors import Invalid, NotFound, Unavailable, gettext_noop


class AuditKeyMissing(Unavailable):
    code = "audit-key-missing"
    message = gettext_noop(
        "The key that signs checkpoints of the audit log is missing or cannot be read. Entries "
        "wait, and nothing is lost. Tell the operator."
    )


class AuditEntryNotFound(NotFound):
    code = "audit-entry-not-found"
    message = gettext_noop("There is no audit entry {entry_id}.")


class CheckpointNotYet(NotFound):
    code = "checkpoint-not-yet"
    message = gettext_noop(
        "The audit log has no checkpoint for this yet. One is made within two minutes."
    )


class TreeSizeInvalid(Invalid):
    code = "tree-size-invalid"
    message = gettext_noop(
        "The audit log has {size} entries. Ask from a size of at least 1, up to another within it."
    )
