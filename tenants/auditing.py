"""The audit log for what happens in an organization's scope; and its sealed parts, opened."""

import json
import secrets
from collections.abc import Mapping
from uuid import UUID

from souvenir.audit.actions import Action
from souvenir.audit.entries import Detail, Event
from souvenir.audit.models import Entry
from souvenir.audit.services import record
from souvenir.core.canonical_json import canonical_json
from souvenir.core.ids import new_id
from souvenir.core.sealing import SALT_BYTES, Place, seal, subjects_of, unseal
from tenants.isolation.scope import current_tenant
from tenants.keyring.errors import ContentGone
from tenants.keyring.services import opening_secrets, sealing_secrets


def audit(
    action: Action,
    on: str,
    *,
    person_id: UUID | None = None,
    details: Mapping[str, Detail] | None = None,
    private: Mapping[str, Detail] | None = None,
) -> None:
    """Record what is done in the organization in scope, in the transaction that does it.

    Args:
        on: `<kind>:<id>`: what it is done to. Never a name, nor anything that people wrote.
        details: codes and numbers that say nothing about a person.
        private: those that do. They end with the person's key; that the entry is whole can be
            checked all the same.

    Raises:
        ContentGone, KeystoreUnavailable, KeyRefused: of what is private.
    """
    tenant_id, entry_id = current_tenant(), new_id()
    sealed = b""
    if private:
        sealed = seal(
            canonical_json(dict(private)),
            place=_place(tenant_id, entry_id),
            secrets=sealing_secrets([person_id or tenant_id]),
            salt=secrets.token_bytes(SALT_BYTES),
        )
    record(
        Event(
            id=entry_id,
            action=action,
            object=on,
            organization_id=tenant_id,
            person_id=person_id,
            details=details or {},
            sealed=sealed,
        )
    )


def private_part(entry: Entry) -> dict[str, Detail] | None:
    """What was sealed of an entry of the organization in scope. None: its key is gone.

    Raises:
        SealBroken, KeystoreUnavailable, KeyRefused
    """
    sealed = bytes(entry.sealed)
    if not sealed:
        return {}
    tenant_id = current_tenant()
    try:
        keys = opening_secrets(subjects_of(sealed), tenant_id=tenant_id)
    except ContentGone:
        return None
    plain = unseal(sealed, place=_place(tenant_id, entry.id), secrets=keys)
    opened: dict[str, Detail] = json.loads(plain)
    return opened


def _place(tenant_id: UUID, entry_id: UUID) -> Place:
    return Place(tenant_id, "audit_entry", "sealed", str(entry_id))
