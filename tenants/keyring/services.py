"""The keys of the organization in scope: made when first needed, rotated, destroyed.

Everything here commits at once, in the keyring's own transactions, whatever the caller's does.
"""

import secrets as random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from souvenir.core.metrics import key_unwraps, outcomes
from souvenir.core.sealing import KEY_BYTES, SubjectSecret
from tenants.isolation.scope import current_tenant
from tenants.keyring.database import keyring_transaction, reachable
from tenants.keyring.errors import ContentGone
from tenants.keyring.models import IndexKey, KeyChange, SubjectKey
from tenants.keyring.providers.registry import key_provider
from tenants.keyring.unwrapped import LIFE_SECONDS, Changed, UnwrappedKeys

_LOOK_BACK = timedelta(seconds=2 * LIFE_SECONDS)


def _recent_changes() -> list[Changed]:
    with reachable():
        since = timezone.now() - _LOOK_BACK
        recent = KeyChange.objects.filter(at__gte=since)
        return list(recent.values_list("organization_id", "subject_id"))


unwrapped_keys = UnwrappedKeys(_recent_changes)


def create_tenant_key(tenant_id: UUID) -> None:
    """Have the provider make an organization's key. Needs no scope; twice changes nothing.

    Raises:
        KeystoreUnavailable, KeyRefused
    """
    key_provider().create(_name(tenant_id))


def sealing_secrets(subject_ids: Iterable[UUID]) -> tuple[SubjectSecret, ...]:
    """The newest key of each subject, sorted by subject. A subject without one is given one.

    Raises:
        ContentGone: one of them was destroyed.
        KeystoreUnavailable, KeyRefused
    """
    tenant_id = current_tenant()
    return tuple(_newest(tenant_id, subject_id) for subject_id in sorted(set(subject_ids)))


def opening_secrets(
    entries: Sequence[tuple[UUID, int]], *, tenant_id: UUID
) -> tuple[SubjectSecret, ...]:
    """The keys that a sealed value names (`subjects_of`), in its order. Needs no scope: whoever
    has the value has read it in one.

    Raises:
        ContentGone: one of them was destroyed.
        KeystoreUnavailable, KeyRefused
    """
    return tuple(_secret(tenant_id, subject_id, version) for subject_id, version in entries)


def index_keys() -> tuple[tuple[int, bytes], ...]:
    """(epoch, 32-byte key) of the organization's search tokens, newest first: that one is written,
    all are asked. The first is made when first needed.

    Raises:
        KeystoreUnavailable, KeyRefused
    """
    tenant_id = current_tenant()
    live = unwrapped_keys.live(tenant_id, None)
    kept = [(epoch, unwrapped_keys.get((tenant_id, None, epoch))) for epoch in live or ()]
    if live and all(secret is not None for _, secret in kept):
        return tuple((epoch, secret) for epoch, secret in kept if secret is not None)
    return _read_index_keys(tenant_id)


def destroy_subject_keys(subject_id: UUID) -> None:
    """End every version of a subject's key, for good and in every process within seconds.

    A second call changes nothing.
    """
    tenant_id, now = current_tenant(), timezone.now()
    with keyring_transaction(tenant_id):
        SubjectKey.objects.get_or_create(
            subject_id=subject_id, version=1, defaults={"wrapped": b"", "destroyed_at": now}
        )
        alive = SubjectKey.objects.filter(subject_id=subject_id, destroyed_at=None)
        alive.update(wrapped=b"", destroyed_at=now)
        _tell(tenant_id, subject_id)


def destroy_tenant_keys() -> None:
    """End every key of the organization, and its key at the provider. Twice changes nothing."""
    tenant_id = current_tenant()
    with keyring_transaction(tenant_id):
        alive = SubjectKey.objects.filter(destroyed_at=None)
        alive.update(wrapped=b"", destroyed_at=timezone.now())
        IndexKey.objects.all().delete()
        _tell(tenant_id, None)
    key_provider().destroy(_name(tenant_id))


def rotate_tenant_key() -> int:
    """Give the organization's key a new version and wrap every key under it. Data is not touched.

    Gives how many keys were wrapped again. Interrupted, it is called again and does it all.
    """
    tenant_id = current_tenant()
    provider, name = key_provider(), _name(tenant_id)
    version = provider.rotate(name)
    count = 0
    for row in _all_keys(tenant_id):
        with keyring_transaction(tenant_id):
            here = type(row).objects.select_for_update().filter(pk=row.pk).first()
            if here is None or not here.wrapped:
                continue
            wrapped = bytes(here.wrapped)
            again = provider.rewrap(name, wrapped, context=_context(tenant_id, here))
            type(row).objects.filter(pk=row.pk).update(wrapped=again)
            count += 1
    provider.retire(name, below=version)
    return count


def rotate_subject_key(subject_id: UUID) -> int:
    """Give a subject a new key; what is written from now on is sealed with it. Gives its version.

    Raises:
        ContentGone
    """
    tenant_id = current_tenant()
    newest = _newest(tenant_id, subject_id).version
    _make(tenant_id, subject_id, newest + 1)
    with keyring_transaction(tenant_id):
        _tell(tenant_id, subject_id)
    return newest + 1


def newest_key_of(subject_id: UUID) -> tuple[int, datetime]:
    """The version of a subject's key that seals, and since when.

    Raises:
        ContentGone
    """
    tenant_id = current_tenant()
    with keyring_transaction(tenant_id):
        row = SubjectKey.objects.filter(subject_id=subject_id).order_by("-version").first()
    if row is None or row.destroyed_at is not None:
        raise ContentGone
    return row.version, row.created_at


def subjects_with_keys() -> list[UUID]:
    """Everyone who has a key in the organization in scope: persons, shared stores, itself."""
    tenant_id = current_tenant()
    with keyring_transaction(tenant_id):
        alive = SubjectKey.objects.filter(destroyed_at=None).order_by("subject_id")
        return list(alive.values_list("subject_id", flat=True).distinct())


def retire_subject_keys(subject_id: UUID, *, below: int) -> int:
    """End the versions of a subject's key before `below`, which nothing is sealed with any more.

    Gives how many there were.
    """
    tenant_id = current_tenant()
    with keyring_transaction(tenant_id):
        old = SubjectKey.objects.filter(subject_id=subject_id, version__lt=below, destroyed_at=None)
        count = old.update(wrapped=b"", destroyed_at=timezone.now())
        _tell(tenant_id, subject_id)
    return count


def begin_index_epoch() -> int:
    """Give search tokens a new key beside the old one. Gives its epoch.

    An epoch that was begun and is not the only one is given back: one at a time.
    """
    epochs = [epoch for epoch, _ in index_keys()]
    if len(epochs) > 1:
        return epochs[0]
    tenant_id = current_tenant()
    _make_index_key(tenant_id, epochs[0] + 1)
    with keyring_transaction(tenant_id):
        _tell(tenant_id, None)
    return epochs[0] + 1


def index_key_settled(*, seconds: float) -> bool:
    """Whether the newest index key is older than this: nobody writes under another any more."""
    tenant_id = current_tenant()
    with keyring_transaction(tenant_id):
        newest = IndexKey.objects.order_by("-epoch").first()
    return newest is not None and newest.created_at < timezone.now() - timedelta(seconds=seconds)


def retire_index_epochs(*, below: int) -> int:
    """End the epochs before `below`, which no token is made with any more. Gives how many."""
    tenant_id = current_tenant()
    with keyring_transaction(tenant_id):
        count, _ = IndexKey.objects.filter(epoch__lt=below).delete()
        _tell(tenant_id, None)
    return count


def forget_old_changes() -> int:
    """Remove what every process has heard long ago. Needs no scope. Gives how many."""
    with reachable():
        count, _ = KeyChange.objects.filter(at__lt=timezone.now() - 2 * _LOOK_BACK).delete()
    return count


def _tell(tenant_id: UUID, subject_id: UUID | None) -> None:
    """Have every process drop what it holds. In the transaction that changes the key."""
    KeyChange.objects.create(organization_id=tenant_id, subject_id=subject_id)
    unwrapped_keys.drop(tenant_id, subject_id)


def _newest(tenant_id: UUID, subject_id: UUID) -> SubjectSecret:
    live = unwrapped_keys.live(tenant_id, subject_id)
    if live is None:
        with keyring_transaction(tenant_id):
            rows = SubjectKey.objects.filter(subject_id=subject_id).order_by("-version")
            row = rows.first()
        if row is None:
            _make(tenant_id, subject_id, 1)
            return _newest(tenant_id, subject_id)
        if row.destroyed_at is not None:
            raise ContentGone
        live = (row.version,)
        unwrapped_keys.keep_live(tenant_id, subject_id, live)
    return _secret(tenant_id, subject_id, live[0])


def _secret(tenant_id: UUID, subject_id: UUID, version: int) -> SubjectSecret:
    name = (tenant_id, subject_id, version)
    secret = unwrapped_keys.get(name)
    if secret is None:
        with keyring_transaction(tenant_id):
            row = SubjectKey.objects.filter(subject_id=subject_id, version=version).first()
        if row is None or row.destroyed_at is not None:
            raise ContentGone
        secret = _unwrap(tenant_id, row)
        unwrapped_keys.keep(name, secret)
    return SubjectSecret(subject_id, version, secret)


def _make(tenant_id: UUID, subject_id: UUID, version: int) -> None:
    """Make a version of a subject's key. Of two that do it at once, the first one's stays."""
    row = SubjectKey(tenant_id=tenant_id, subject_id=subject_id, version=version)
    row.wrapped = _fresh(tenant_id, row)
    with keyring_transaction(tenant_id):
        SubjectKey.objects.bulk_create([row], ignore_conflicts=True)


def _make_index_key(tenant_id: UUID, epoch: int) -> None:
    row = IndexKey(tenant_id=tenant_id, epoch=epoch)
    row.wrapped = _fresh(tenant_id, row)
    with keyring_transaction(tenant_id):
        IndexKey.objects.bulk_create([row], ignore_conflicts=True)


def _read_index_keys(tenant_id: UUID) -> tuple[tuple[int, bytes], ...]:
    with keyring_transaction(tenant_id):
        rows = list(IndexKey.objects.order_by("-epoch"))
    if not rows:
        _make_index_key(tenant_id, 1)
        return _read_index_keys(tenant_id)
    found = []
    for row in rows:
        secret = _unwrap(tenant_id, row)
        unwrapped_keys.keep((tenant_id, None, row.epoch), secret)
        found.append((row.epoch, secret))
    unwrapped_keys.keep_live(tenant_id, None, tuple(epoch for epoch, _ in found))
    return tuple(found)


def _all_keys(tenant_id: UUID) -> list[SubjectKey | IndexKey]:
    with keyring_transaction(tenant_id):
        subjects = SubjectKey.objects.filter(destroyed_at=None)
        return [*subjects.defer("wrapped"), *IndexKey.objects.defer("wrapped")]


def _fresh(tenant_id: UUID, row: SubjectKey | IndexKey) -> bytes:
    secret = random.token_bytes(KEY_BYTES)
    return key_provider().wrap(_name(tenant_id), secret, context=_context(tenant_id, row))


def _unwrap(tenant_id: UUID, row: SubjectKey | IndexKey) -> bytes:
    wrapped = bytes(row.wrapped)
    with outcomes(key_unwraps):
        return key_provider().unwrap(_name(tenant_id), wrapped, context=_context(tenant_id, row))


def _name(tenant_id: UUID) -> str:
    """The organization's key, as the provider knows it."""
    return f"tenant-{tenant_id}"


def _context(tenant_id: UUID, row: SubjectKey | IndexKey) -> bytes:
    """What a wrapped key is bound to: a row that is moved or renumbered does not unwrap."""
    if isinstance(row, IndexKey):
        return f"souvenir|index|{tenant_id}|{row.epoch}".encode()
    return f"souvenir|subject|{tenant_id}|{row.subject_id}|{row.version}".encode()
