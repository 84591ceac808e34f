"""The keys of search tokens of the organization in scope, in epochs: made, begun, ended."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from tenants.isolation.scope import current_tenant
from tenants.keyring.database import keyring_transaction
from tenants.keyring.held import changing, unwrapped_keys
from tenants.keyring.models import IndexKey
from tenants.keyring.wrapping import fresh_secret, secrets_of


def index_keys() -> tuple[tuple[int, bytes], ...]:
    """(epoch, 32-byte key) of the organization's search tokens, newest first: that one is written,
    all are asked. The first is made when first needed.

    Raises:
        KeystoreUnavailable, KeyRefused
    """
    tenant_id = current_tenant()
    live = unwrapped_keys.live((tenant_id, None))
    kept = [(epoch, unwrapped_keys.get((tenant_id, None), epoch)) for epoch in live or ()]
    if live and all(secret is not None for _, secret in kept):
        return tuple((epoch, secret) for epoch, secret in kept if secret is not None)
    return _read_index_keys(tenant_id)


def begin_index_epoch() -> int:
    """Give search tokens a new key beside the old one. Gives its epoch.

    An epoch that was begun and is not the only one is given back: one at a time.
    """
    epochs = [epoch for epoch, _ in index_keys()]
    if len(epochs) > 1:
        return epochs[0]
    tenant_id = current_tenant()
    with changing(tenant_id, None):
        _make_index_key(tenant_id, epochs[0] + 1)
    return epochs[0] + 1


def index_key_settled(*, seconds: float) -> bool:
    """Whether the newest index key is older than this: nobody writes under another any more."""
    tenant_id = current_tenant()
    with keyring_transaction(tenant_id):
        newest = IndexKey.objects.order_by("-epoch").first()
    return newest is not None and newest.created_at < timezone.now() - timedelta(seconds=seconds)


def retire_index_epochs(*, below: int) -> int:
    """End the epochs before `below`, which no token is made with any more. Gives how many."""
    with changing(current_tenant(), None):
        count, _ = IndexKey.objects.filter(epoch__lt=below).delete()
        return count


def _make_index_key(tenant_id: UUID, epoch: int) -> None:
    row = IndexKey(tenant_id=tenant_id, epoch=epoch)
    with keyring_transaction(tenant_id):
        row.wrapped = fresh_secret(tenant_id, row)
        IndexKey.objects.bulk_create([row], ignore_conflicts=True)


def _read_index_keys(tenant_id: UUID) -> tuple[tuple[int, bytes], ...]:
    ticket = unwrapped_keys.ticket()
    with keyring_transaction(tenant_id):
        rows = list(IndexKey.objects.order_by("-epoch"))
    if not rows:
        _make_index_key(tenant_id, 1)
        return _read_index_keys(tenant_id)
    secrets = secrets_of(tenant_id, rows)
    whose, epochs = (tenant_id, None), tuple(row.epoch for row in rows)
    for epoch, secret in zip(epochs, secrets, strict=True):
        unwrapped_keys.keep(whose, epoch, secret, ticket=ticket)
    unwrapped_keys.keep_live(whose, epochs, ticket=ticket)
    return tuple(zip(epochs, secrets, strict=True))
