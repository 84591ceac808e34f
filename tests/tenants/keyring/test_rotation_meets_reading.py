"""An organization's key is rotated just while somebody's key is being opened: nobody notices."""

import threading
from collections.abc import Sequence
from uuid import UUID

import pytest
from django.db import connections

from souvenir.core.ids import new_id
from souvenir.core.sealing import SubjectSecret
from tenants.isolation.scope import tenant_scope
from tenants.keyring.held import unwrapped_keys
from tenants.keyring.providers.protocol import KeyProvider
from tenants.keyring.providers.registry import key_provider
from tenants.keyring.services import rotate_tenant_key, sealing_secrets
from tests.builders import Tenant


def _key_of(tenant: Tenant, person: UUID) -> tuple[SubjectSecret, ...]:
    with tenant_scope(tenant.id):
        return sealing_secrets([person])


def _rotate_elsewhere(tenant: Tenant) -> None:
    """As another process would."""

    def rotate() -> None:
        with tenant_scope(tenant.id):
            rotate_tenant_key()
        connections.close_all()

    thread = threading.Thread(target=rotate)
    thread.start()
    thread.join()


def test_a_rotation_between_reading_a_key_and_opening_it_is_not_noticed(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = new_id()
    before = _key_of(acme, person)
    unwrapped_keys.clear()
    provider = type(key_provider())
    unwrap_many = provider.unwrap_many
    rotations: list[str] = []

    def rotated_first(
        keys: KeyProvider, name: str, items: Sequence[tuple[bytes, bytes]]
    ) -> Sequence[bytes]:
        if not rotations:
            rotations.append(name)
            _rotate_elsewhere(acme)
        return unwrap_many(keys, name, items)

    monkeypatch.setattr(provider, "unwrap_many", rotated_first)

    assert _key_of(acme, person) == before
    assert len(rotations) == 1
