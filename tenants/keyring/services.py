"""The keys of the organization in scope: made when first needed, rotated, destroyed.

Everything here commits at once, in the keyring's own transactions, whatever the caller's does.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from souvenir.core.sealing import SealBroken, SubjectSecret
from tenants.isolation.scope import current_tenant
from tenants.keyring.changes import TOLD_SECONDS
from tenants.keyring.database import control_transaction, keyring_transaction, while_key_of
from tenants.keyring.errors import ContentGone
from tenants.keyring.held import changing, unwrapped_keys
from tenants.keyring.models import IndexKey, KeyChange, SubjectKey
from tenants.keyring.providers.registry import key_provider
from tenants.keyring.wrapping import fresh_secret, key_name, secrets_of, wrap_again

_FORGOTTEN_AFTER = timedelta(seconds=2 * TOLD_SECONDS)


def create_tenant_key(tenant_id: UUID) -> None:
    """Have the provider make an organization's key. Needs no scope; twice changes nothing.

    Raises:
        KeystoreUnavailable, KeyRefused
    """
    key_provider().create(key_name(tenant_id))


def sealing_secrets(subject_ids: Iterable[UUID]) -> tuple[SubjectSecret, ...]:
    """The newest key of each subject, sorted by subject. A subject without one is given one.

    Raises:
        ContentGone: one of them was destroyed.
        KeystoreUnavailable, KeyRefused
    """
    tenant_id = current_tenant()
    wanted = sorted(set(subject_ids))
    entries = [(subject_id, _newest(tenant_id, subject_id)) for subject_id in wanted]
    return opening_secrets(entries, tenant_id=tenant_id)


def opening_secrets(
    entries: Sequence[tuple[UUID, int]], *, tenant_id: UUID
) -> tuple[SubjectSecret, ...]:
    """The keys that a sealed value names (`subjects_of`), in its order. Needs no scope: whoever
    has the value has read it in one.

    Raises:
        ContentGone: one of them was destroyed.
        SealBroken: there never was such a key.
        KeystoreUnavailable, KeyRefused
    """
    found = {
        (subject_id, version): unwrapped_keys.get((tenant_id, subject_id), version)
        for subject_id, version in entries
    }
    missing = [entry for entry, secret in found.items() if secret is None]
    unwrapped = _unwrapped(tenant_id, missing) if missing else {}
    return tuple(SubjectSecret(*entry, found[entry] or unwrapped[entry]) for entry in entries)


def unwrap_ahead(entries: Iterable[tuple[UUID, int]], *, tenant_id: UUID) -> None:
    """Have the keys of a page of sealed values unwrapped in one question to the keystore.

    What was destroyed or is broken is passed over: it says so when it is opened.

    Raises:
        KeystoreUnavailable, KeyRefused
    """
    wanted = sorted(set(entries))
    missing = [(s, v) for s, v in wanted if unwrapped_keys.get((tenant_id, s), v) is None]
    if not missing:
        return
    ticket = unwrapped_keys.ticket()
    rows = [row for row in _rows(tenant_id, missing) if row.destroyed_at is None]
    with suppress(SealBroken):
        _unwrap(tenant_id, rows, ticket=ticket)


def destroy_subject_keys(subject_id: UUID) -> None:
    """End every version of a subject's key, for good and in every process within seconds.

    A second call changes nothing.
    """
    tenant_id, now = current_tenant(), timezone.now()
    with changing(tenant_id, subject_id):
        SubjectKey.objects.get_or_create(
            subject_id=subject_id, version=1, defaults={"wrapped": b"", "destroyed_at": now}
        )
        # First wait for whoever is making a version (`rotate_subject_key`), then see that one too.
        _lock_versions(subject_id)
        alive = SubjectKey.objects.filter(subject_id=subject_id, destroyed_at=None)
        alive.update(wrapped=b"", destroyed_at=now)


def destroy_tenant_keys() -> None:
    """End every key of the organization, and its key at the provider. Twice changes nothing."""
    tenant_id = current_tenant()
    with changing(tenant_id, None):
        alive = SubjectKey.objects.filter(destroyed_at=None)
        alive.update(wrapped=b"", destroyed_at=timezone.now())
        IndexKey.objects.all().delete()
    key_provider().destroy(key_name(tenant_id))


def rotate_tenant_key() -> int:
    """Give the organization's key a new version and wrap every key under it. Data is not touched.

    Gives how many keys were wrapped again. Interrupted, it is called again and does it all.
    """
    tenant_id = current_tenant()
    provider, name = key_provider(), key_name(tenant_id)
    version = provider.rotate(name)
    renewed: set[tuple[object, ...]] = set()
    for key in _all_keys(tenant_id):
        wrap_again(tenant_id, key)
        renewed.add(key.pk)
    with keyring_transaction(tenant_id):
        # Who wrapped a new key before the rotation may have kept it only now, under the version
        # that is about to end: they are waited for, and the next ones wrap with the new version.
        while_key_of(tenant_id, is_renewed=True)
        for key in _all_keys(tenant_id):
            if key.pk not in renewed:
                wrap_again(tenant_id, key)
                renewed.add(key.pk)
        provider.retire(name, below=version)
    return len(renewed)


def rotate_subject_key(subject_id: UUID) -> int:
    """Give a subject a new key; what is written from now on is sealed with it. Gives its version.

    Raises:
        ContentGone
    """
    tenant_id = current_tenant()
    _newest(tenant_id, subject_id)  # made now, if there is none
    with changing(tenant_id, subject_id):
        newest = _lock_versions(subject_id)
        if newest is None:
            raise ContentGone
        _make(tenant_id, subject_id, newest + 1)
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
    with changing(current_tenant(), subject_id):
        old = SubjectKey.objects.filter(subject_id=subject_id, version__lt=below, destroyed_at=None)
        return old.update(wrapped=b"", destroyed_at=timezone.now())


def forget_old_changes() -> int:
    """Remove what every process has heard long ago. Needs no scope. Gives how many."""
    with control_transaction():
        count, _ = KeyChange.objects.filter(at__lt=Now() - _FORGOTTEN_AFTER).delete()
        return count


def _newest(tenant_id: UUID, subject_id: UUID) -> int:
    """The version that seals."""
    live = unwrapped_keys.live((tenant_id, subject_id))
    if live is not None:
        return live[0]
    ticket = unwrapped_keys.ticket()
    with keyring_transaction(tenant_id):
        row = SubjectKey.objects.filter(subject_id=subject_id).order_by("-version").first()
    if row is None:
        _make(tenant_id, subject_id, 1)
        return _newest(tenant_id, subject_id)
    if row.destroyed_at is not None:
        raise ContentGone
    unwrapped_keys.keep_live((tenant_id, subject_id), (row.version,), ticket=ticket)
    return row.version


def _lock_versions(subject_id: UUID) -> int | None:
    """Keep a subject's rows from changing, to the end of the transaction. Gives the version that
    seals; None: it was destroyed.
    """
    rows = list(SubjectKey.objects.select_for_update().filter(subject_id=subject_id))
    newest = max(rows, key=lambda row: row.version)
    return newest.version if newest.destroyed_at is None else None


def _rows(tenant_id: UUID, entries: Sequence[tuple[UUID, int]]) -> list[SubjectKey]:
    subjects, wanted = {subject_id for subject_id, _ in entries}, set(entries)
    with keyring_transaction(tenant_id):
        rows = SubjectKey.objects.filter(subject_id__in=subjects)
        return [row for row in rows if (row.subject_id, row.version) in wanted]


def _unwrapped(
    tenant_id: UUID, entries: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], bytes]:
    """Secrets that this process does not hold yet, in one question; it holds them from now on."""
    ticket = unwrapped_keys.ticket()
    rows = _rows(tenant_id, entries)
    if any(row.destroyed_at is not None for row in rows):
        raise ContentGone
    if len(rows) < len(set(entries)):
        # A destroyed key leaves its row. What names a key that never was, was never sealed here.
        raise SealBroken
    return _unwrap(tenant_id, rows, ticket=ticket)


def _unwrap(
    tenant_id: UUID, rows: Sequence[SubjectKey], *, ticket: int
) -> dict[tuple[UUID, int], bytes]:
    found = {}
    for row, secret in zip(rows, secrets_of(tenant_id, rows), strict=True):
        found[row.subject_id, row.version] = secret
        unwrapped_keys.keep((tenant_id, row.subject_id), row.version, secret, ticket=ticket)
    return found


def _make(tenant_id: UUID, subject_id: UUID, version: int) -> None:
    """Make a version of a subject's key. Of two that do it at once, the first one's stays."""
    row = SubjectKey(tenant_id=tenant_id, subject_id=subject_id, version=version)
    with keyring_transaction(tenant_id):
        row.wrapped = fresh_secret(tenant_id, row)
        SubjectKey.objects.bulk_create([row], ignore_conflicts=True)


def _all_keys(tenant_id: UUID) -> list[SubjectKey | IndexKey]:
    with keyring_transaction(tenant_id):
        subjects = SubjectKey.objects.filter(destroyed_at=None)
        return [*subjects.defer("wrapped"), *IndexKey.objects.defer("wrapped")]
