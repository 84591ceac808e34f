"""Keys that are made, rotated and destroyed by several at once: none is lost, none is left."""

import threading
from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest
from django.db import connections

from souvenir.core.ids import new_id
from souvenir.core.sealing import SubjectSecret
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import keyring_transaction
from tenants.keyring.errors import ContentGone, KeyRefused
from tenants.keyring.held import unwrapped_keys
from tenants.keyring.models import SubjectKey
from tenants.keyring.providers.protocol import KeyProvider
from tenants.keyring.providers.registry import key_provider
from tenants.keyring.services import (
    destroy_subject_keys,
    rotate_subject_key,
    rotate_tenant_key,
    sealing_secrets,
)
from tests.builders import Tenant


def _sealing(tenant: Tenant, *subjects: UUID) -> tuple[SubjectSecret, ...]:
    with tenant_scope(tenant.id):
        return sealing_secrets(subjects)


def _at_once(*tasks: Callable[[], object]) -> list[object]:
    """What each gives, or raises, when they are all started together."""
    results: list[object] = [None] * len(tasks)
    ready = threading.Barrier(len(tasks))

    def run(number: int, task: Callable[[], object]) -> None:
        ready.wait()
        try:
            results[number] = task()
        except (ContentGone, KeyRefused) as error:
            results[number] = type(error)
        connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_threads_that_make_the_same_first_key_get_the_same_one(acme: Tenant) -> None:
    person = new_id()

    results = _at_once(*[lambda: _sealing(acme, person)] * 6)

    assert len(set(results)) == 1


def test_destroying_and_making_at_once_leaves_no_key_behind(acme: Tenant) -> None:
    for _ in range(10):
        person = new_id()

        _at_once(partial(_sealing, acme, person), partial(_destroy, acme, person))

        with pytest.raises(ContentGone):
            _sealing(acme, person)


def test_destroying_and_rotating_at_once_leaves_no_key_behind(acme: Tenant) -> None:
    for _ in range(10):
        person = new_id()
        _sealing(acme, person)

        _at_once(partial(_rotate, acme, person), partial(_destroy, acme, person))

        with keyring_transaction(acme.id):
            rows = list(SubjectKey.objects.filter(subject_id=person))
        assert rows
        assert not any(bytes(row.wrapped) for row in rows)
        with pytest.raises(ContentGone):
            _sealing(acme, person)


def _destroy(tenant: Tenant, person: UUID) -> None:
    with tenant_scope(tenant.id):
        destroy_subject_keys(person)


def _rotate(tenant: Tenant, person: UUID) -> int:
    with tenant_scope(tenant.id):
        return rotate_subject_key(person)


def test_rotations_at_once_lose_no_key(acme: Tenant) -> None:
    people = [new_id() for _ in range(4)]
    before = _sealing(acme, *people)

    _at_once(*[lambda: _rotate_tenant(acme)] * 3)

    unwrapped_keys.clear()
    assert _sealing(acme, *people) == before


def test_a_key_that_was_wrapped_before_a_rotation_and_kept_after_it_survives(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = new_id()
    wrapped, go_on = threading.Event(), threading.Event()
    provider = type(key_provider())
    wrap = provider.wrap

    def wrap_slowly(keys: KeyProvider, name: str, secret: bytes, *, context: bytes) -> bytes:
        done = wrap(keys, name, secret, context=context)
        wrapped.set()
        go_on.wait(10)
        return done

    monkeypatch.setattr(provider, "wrap", wrap_slowly)
    made: list[object] = []
    making = threading.Thread(target=lambda: made.append(_at_once(lambda: _sealing(acme, person))))
    making.start()
    wrapped.wait(10)

    rotating = threading.Thread(target=_at_once, args=[lambda: _rotate_tenant(acme)])
    rotating.start()
    rotating.join(1)  # it waits for the one above; if it does not, it is done by now
    go_on.set()
    making.join()
    rotating.join()
    unwrapped_keys.clear()

    assert made == [[_sealing(acme, person)]]


def _rotate_tenant(tenant: Tenant) -> int:
    with tenant_scope(tenant.id):
        return rotate_tenant_key()
