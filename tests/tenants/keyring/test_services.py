"""Making, rotating and destroying keys, and what other processes notice of it."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from uuid import UUID

import pytest
from django.db import connections

from souvenir.core.ids import new_id
from souvenir.core.sealing import SealBroken, SubjectSecret
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import ALIAS, keyring_transaction
from tenants.keyring.errors import ContentGone, KeyRefused
from tenants.keyring.held import unwrapped_keys
from tenants.keyring.index_keys import begin_index_epoch, index_keys
from tenants.keyring.models import IndexKey, SubjectKey
from tenants.keyring.providers.protocol import KeyProvider
from tenants.keyring.providers.registry import key_provider
from tenants.keyring.services import (
    destroy_subject_keys,
    destroy_tenant_keys,
    opening_secrets,
    retire_subject_keys,
    rotate_subject_key,
    rotate_tenant_key,
    sealing_secrets,
    unwrap_ahead,
)
from tests.builders import Tenant


def _sealing(tenant: Tenant, *subjects: UUID) -> tuple[SubjectSecret, ...]:
    with tenant_scope(tenant.id):
        return sealing_secrets(subjects)


def test_a_key_is_made_when_it_is_first_needed_and_stays(acme: Tenant) -> None:
    person = new_id()

    (made,) = _sealing(acme, person)
    unwrapped_keys.clear()

    assert _sealing(acme, person) == (made,)
    assert opening_secrets([(person, 1)], tenant_id=acme.id) == (made,)


def test_globex_has_another_key_for_the_same_id(acme: Tenant, globex: Tenant) -> None:
    person = new_id()

    assert _sealing(acme, person) != _sealing(globex, person)


def test_a_key_that_never_was_is_not_said_to_be_erased(acme: Tenant, globex: Tenant) -> None:
    person = new_id()
    _sealing(globex, person)

    for entry in ((new_id(), 1), (person, 1)):
        with pytest.raises(SealBroken):
            opening_secrets([entry], tenant_id=acme.id)


def test_a_row_that_was_moved_to_another_person_does_not_unwrap(acme: Tenant) -> None:
    ours, theirs = new_id(), new_id()
    _sealing(acme, ours, theirs)
    with keyring_transaction(acme.id):
        stolen = SubjectKey.objects.get(subject_id=theirs)
        SubjectKey.objects.filter(subject_id=ours).update(wrapped=stolen.wrapped)
    unwrapped_keys.clear()

    with pytest.raises(SealBroken):
        opening_secrets([(ours, 1)], tenant_id=acme.id)


def test_a_destroyed_key_is_never_made_again(acme: Tenant) -> None:
    used, unused = new_id(), new_id()
    _sealing(acme, used)
    with tenant_scope(acme.id):
        destroy_subject_keys(used)
        destroy_subject_keys(used)
        destroy_subject_keys(unused)

    for person in (used, unused):
        with pytest.raises(ContentGone):
            _sealing(acme, person)
        with pytest.raises(ContentGone):
            opening_secrets([(person, 1)], tenant_id=acme.id)


def test_a_new_version_seals_and_the_old_one_opens_until_it_is_retired(acme: Tenant) -> None:
    person = new_id()
    (old,) = _sealing(acme, person)

    with tenant_scope(acme.id):
        version = rotate_subject_key(person)

    assert version == 2
    assert [secret.version for secret in _sealing(acme, person)] == [2]
    assert opening_secrets([(person, 1)], tenant_id=acme.id) == (old,)
    with tenant_scope(acme.id):
        assert retire_subject_keys(person, below=2) == 1
    with pytest.raises(ContentGone):
        opening_secrets([(person, 1)], tenant_id=acme.id)


def test_rotating_the_organization_s_key_changes_no_secret(acme: Tenant) -> None:
    people = [new_id() for _ in range(5)]
    before = _sealing(acme, *people)
    with tenant_scope(acme.id):
        tokens = index_keys()
    wrapped = _wrapped(acme)

    assert _rotate_tenant(acme) == 6

    assert len(wrapped) == 6
    assert not wrapped & _wrapped(acme)
    unwrapped_keys.clear()
    assert _sealing(acme, *people) == before
    with tenant_scope(acme.id):
        assert index_keys() == tokens


def _wrapped(tenant: Tenant) -> set[bytes]:
    with keyring_transaction(tenant.id):
        subjects = set(map(bytes, SubjectKey.objects.values_list("wrapped", flat=True)))
        return subjects | set(map(bytes, IndexKey.objects.values_list("wrapped", flat=True)))


def _rotate_tenant(tenant: Tenant) -> int:
    with tenant_scope(tenant.id):
        return rotate_tenant_key()


def test_a_rotation_that_was_cut_short_is_finished_by_the_next(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [new_id() for _ in range(3)]
    before = _sealing(acme, *people)
    with monkeypatch.context() as patch:
        # As a crash between the two would leave it.
        patch.setattr(type(key_provider()), "retire", _crash)
        with pytest.raises(KeyboardInterrupt):
            _rotate_tenant(acme)
    unwrapped_keys.clear()
    assert _sealing(acme, *people) == before

    assert _rotate_tenant(acme) == 3

    unwrapped_keys.clear()
    assert _sealing(acme, *people) == before


def _crash(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_the_organization_s_end_ends_every_key(acme: Tenant, globex: Tenant) -> None:
    person = new_id()
    _sealing(acme, person)
    (theirs,) = _sealing(globex, person)
    with tenant_scope(acme.id):
        index_keys()

        destroy_tenant_keys()
        destroy_tenant_keys()

    assert _wrapped(acme) == {b""}
    with pytest.raises(ContentGone):
        opening_secrets([(person, 1)], tenant_id=acme.id)
    with pytest.raises(KeyRefused):
        _sealing(acme, new_id())
    assert _sealing(globex, person) == (theirs,)


def test_both_epochs_are_asked_and_the_newest_is_written(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        (first,) = index_keys()

        epoch = begin_index_epoch()

        assert begin_index_epoch() == epoch == 2
        assert [found for found, _ in index_keys()] == [2, 1]
        assert index_keys()[1] == first


def test_a_page_of_fifty_people_is_one_question_to_the_keystore(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [new_id() for _ in range(50)]
    made = _sealing(acme, *people)
    with tenant_scope(acme.id):
        destroy_subject_keys(people[7])
    unwrapped_keys.clear()
    asked: list[int] = []
    provider = type(key_provider())
    unwrap_many = provider.unwrap_many

    def counted(keys: KeyProvider, name: str, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        asked.append(len(items))
        return unwrap_many(keys, name, items)

    monkeypatch.setattr(provider, "unwrap_many", counted)
    unwrap_ahead([(person, 1) for person in people], tenant_id=acme.id)
    for secret in made:
        if secret.subject_id != people[7]:
            assert opening_secrets([(secret.subject_id, 1)], tenant_id=acme.id) == (secret,)

    assert asked == [49]
    with pytest.raises(ContentGone):
        opening_secrets([(people[7], 1)], tenant_id=acme.id)


_OTHER_PROCESS = """
import os, sys, time
from uuid import UUID
import django
django.setup()
from tenants.keyring.errors import ContentGone
from tenants.keyring.services import opening_secrets
tenant_id, person = UUID(sys.argv[1]), UUID(sys.argv[2])
opening_secrets([(person, 1)], tenant_id=tenant_id)
print("held", flush=True)
sys.stdin.readline()
deadline = time.monotonic() + 30
while time.monotonic() < deadline:
    try:
        opening_secrets([(person, 1)], tenant_id=tenant_id)
    except ContentGone:
        print("gone", flush=True)
        break
    time.sleep(0.02)
"""


def test_another_process_lets_go_of_a_destroyed_key_within_seconds(acme: Tenant) -> None:
    person = new_id()
    _sealing(acme, person)
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _OTHER_PROCESS, str(acme.id), str(person)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == "held\n"

        with tenant_scope(acme.id):
            destroy_subject_keys(person)
        begun = time.monotonic()
        other.stdin.write("\n")
        other.stdin.flush()

        assert other.stdout.readline() == "gone\n"
        assert time.monotonic() - begun < 5  # the promise; a second is usual


def test_the_keyring_commits_whatever_becomes_of_the_request(acme: Tenant) -> None:
    made: list[SubjectSecret] = []
    person = new_id()

    def fail() -> None:
        with tenant_scope(acme.id):
            made.extend(sealing_secrets([person]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    unwrapped_keys.clear()

    assert list(_sealing(acme, person)) == made


def test_a_process_that_holds_keys_writes_no_core_file() -> None:
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def test_its_connection_has_limits_and_so_has_each_statement(acme: Tenant) -> None:
    options = connections[ALIAS].settings_dict["OPTIONS"]

    assert options["connect_timeout"] <= 5
    assert options["tcp_user_timeout"] <= 5_000
    with keyring_transaction(acme.id), connections[ALIAS].cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5s",)
