"""Keys as the keyring keeps them: wrapped by the provider, under the organization's own."""

import secrets as random
from collections.abc import Sequence
from uuid import UUID

from souvenir.core.metrics import key_unwraps, outcomes
from souvenir.core.sealing import KEY_BYTES, SealBroken
from tenants.keyring.database import keyring_transaction, while_key_of
from tenants.keyring.errors import ContentGone, KeyRefused
from tenants.keyring.models import IndexKey, SubjectKey
from tenants.keyring.providers.registry import key_provider


def fresh_secret(tenant_id: UUID, row: SubjectKey | IndexKey) -> bytes:
    """A new secret, wrapped. In the transaction that keeps it: see `rotate_tenant_key`."""
    while_key_of(tenant_id)
    secret = random.token_bytes(KEY_BYTES)
    return key_provider().wrap(key_name(tenant_id), secret, context=_context(tenant_id, row))


def secrets_of(tenant_id: UUID, rows: Sequence[SubjectKey | IndexKey]) -> list[bytes]:
    """What some rows hold. Since they were read, a rotation may have wrapped them again, and ended
    the version that they were under: then it is the rows of now that count.
    """
    try:
        return _opened(tenant_id, rows)
    except KeyRefused:
        with keyring_transaction(tenant_id):
            now = [type(row).objects.get(pk=row.pk) for row in rows]
        if not all(row.wrapped for row in now):
            raise ContentGone from None
        if [bytes(row.wrapped) for row in now] == [bytes(row.wrapped) for row in rows]:
            raise
        return _opened(tenant_id, now)


def _opened(tenant_id: UUID, rows: Sequence[SubjectKey | IndexKey]) -> list[bytes]:
    items = [(bytes(row.wrapped), _context(tenant_id, row)) for row in rows]
    with outcomes(key_unwraps):
        secrets = key_provider().unwrap_many(key_name(tenant_id), items)
    if any(len(secret) != KEY_BYTES for secret in secrets):
        raise SealBroken
    return secrets


def key_name(tenant_id: UUID) -> str:
    """The organization's key, as the provider knows it."""
    return f"tenant-{tenant_id}"


def _context(tenant_id: UUID, row: SubjectKey | IndexKey) -> bytes:
    """What a wrapped key is bound to: a row that is moved or renumbered does not unwrap."""
    if isinstance(row, IndexKey):
        return f"souvenir|index|{tenant_id}|{row.epoch}".encode()
    return f"souvenir|subject|{tenant_id}|{row.subject_id}|{row.version}".encode()


def wrap_again(tenant_id: UUID, key: SubjectKey | IndexKey) -> None:
    """Wrap one key with the newest version of the organization's, unless it was destroyed."""
    rows = type(key).objects
    with keyring_transaction(tenant_id):
        here = rows.select_for_update().filter(pk=key.pk).first()
        if here is not None and here.wrapped:
            again = key_provider().rewrap(
                key_name(tenant_id), bytes(here.wrapped), context=_context(tenant_id, here)
            )
            rows.filter(pk=key.pk).update(wrapped=again)
