"""What this process holds of keys, and how it and every other lets go of what has changed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from tenants.keyring.changes import recent_changes, record_change
from tenants.keyring.database import keyring_transaction
from tenants.keyring.unwrapped import UnwrappedKeys

unwrapped_keys = UnwrappedKeys(recent_changes)
os.register_at_fork(after_in_child=unwrapped_keys.start_anew)


@contextmanager
def changing(tenant_id: UUID, subject_id: UUID | None) -> Iterator[None]:
    """A transaction that changes a key, and has every process drop what it holds of it."""
    with keyring_transaction(tenant_id):
        yield
        record_change(tenant_id, subject_id)
    unwrapped_keys.drop(tenant_id, subject_id)
