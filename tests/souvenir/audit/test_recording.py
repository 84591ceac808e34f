"""Entries in a real database: written once, numbered densely, seen by whose they are."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.models import Max
from pytest_django import Settings

from souvenir.audit.actions import Action
from souvenir.audit.actors import acting_as
from souvenir.audit.entries import Event
from souvenir.audit.errors import AuditKeyMissing
from souvenir.audit.models import Checkpoint, Entry, Node, Waiting
from souvenir.audit.notes import check_note, read_head
from souvenir.audit.selectors import (
    consistency_proof,
    entries,
    get_checkpoint,
    inclusion_proof,
    numbers_of,
    tree_size,
)
from souvenir.audit.services import make_checkpoints, record
from souvenir.audit.signing import signing_key
from souvenir.audit.tree import check_consistency, check_inclusion
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant


def event(tenant: Tenant | None = None) -> Event:
    """An event of no importance, of an organization or of the cell."""
    return Event(
        action=Action.KEY_ISSUED,
        object=f"key:{uuid4()}",
        organization_id=tenant.id if tenant else None,
        details={"number": 1, "plain": True, "said": "é"},
    )


@pytest.fixture(autouse=True)
def settled(acme: Tenant) -> None:
    """Nothing waits when a test begins; what acme's own beginning told has its number."""
    del acme
    make_checkpoints()


def test_an_entry_is_there_if_its_effect_is(acme: Tenant) -> None:
    kept, undone = event(acme), event(acme)

    with tenant_scope(acme.id):
        record(kept)
    with tenant_scope(acme.id):
        record(undone)
        transaction.set_rollback(True)

    with tenant_scope(acme.id):
        found = set(entries(organization_id=acme.id).values_list("id", flat=True))
    assert kept.id in found
    assert undone.id not in found
    assert not Waiting.objects.filter(entry_id=undone.id).exists()


def test_what_was_written_is_what_was_hashed(acme: Tenant) -> None:
    with tenant_scope(acme.id), acting_as("user:someone"):
        record(told := event(acme))

    with tenant_scope(acme.id):
        found = Entry.objects.get(id=told.id)
    assert found.actor == "user:someone"
    assert found.facts.leaf_hash() == bytes(found.leaf_hash)


def test_entries_are_placed_once_and_signed(acme: Tenant) -> None:
    before = tree_size()
    with tenant_scope(acme.id):
        events = [event(acme) for _ in range(5)]
        for one in events:
            record(one)

    placed, again = make_checkpoints(), make_checkpoints()

    assert (placed, again) == (5, 0)
    numbers = numbers_of(one.id for one in events)
    assert [numbers[one.id] for one in events] == list(range(before, before + 5))
    checkpoint = get_checkpoint()
    head = read_head(checkpoint.note)
    assert (head.size, head.root) == (before + 5, bytes(checkpoint.root))
    check_note(checkpoint.note, checkpoint.verifier_key)


def test_every_entry_can_be_proved_in_every_later_tree(acme: Tenant) -> None:
    sizes = []
    for count in (1, 2, 4):
        with tenant_scope(acme.id):
            for _ in range(count):
                record(event(acme))
        make_checkpoints()
        sizes.append(tree_size())
    roots = {size: bytes(Checkpoint.objects.get(size=size).root) for size in sizes}

    with tenant_scope(acme.id):
        found = list(entries(organization_id=acme.id))
    numbers = numbers_of(one.id for one in found)
    for one in found:
        for size in (size for size in sizes if size > numbers[one.id]):
            proof = inclusion_proof(number=numbers[one.id], size=size)
            leaf = one.facts.leaf_hash()
            check_inclusion(leaf, numbers[one.id], size, proof.hashes, root=roots[size])
    for old in sizes:
        for size in (size for size in sizes if size >= old):
            proof = consistency_proof(old=old, size=size)
            check_consistency(old, size, proof.hashes, old_root=roots[old], root=roots[size])


def test_a_stranger_sees_nothing_of_it(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(acme.id):
        record(theirs := event(acme))

    with tenant_scope(globex.id):
        by_themselves = entries(organization_id=globex.id).filter(id=theirs.id)
        forgotten_filter = Entry.objects.filter(id=theirs.id)
        asked_for = entries(organization_id=acme.id)

        assert not by_themselves.exists()
        assert not forgotten_filter.exists()
        assert not asked_for.exists()
    assert not Entry.objects.filter(id=theirs.id).exists()


def test_the_cell_s_own_entries_are_nobody_s(acme: Tenant) -> None:
    record(own := event())

    assert entries(organization_id=None).filter(id=own.id).exists()
    with tenant_scope(acme.id):
        assert not Entry.objects.filter(id=own.id).exists()


def test_nobody_writes_into_another_organization_s_log(acme: Tenant, globex: Tenant) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), tenant_scope(acme.id):
        record(event(globex))


@pytest.mark.parametrize("table", ["audit_entry", "audit_node", "audit_checkpoint"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_role_that_serves_can_change_nothing(table: str, statement: str) -> None:
    column = {"audit_entry": "actor = ''", "audit_node": "level = 1"}.get(table, "note = ''")

    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table, column))


def test_not_even_the_owner_changes_an_entry(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        record(told := event(acme))

    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET actor = 'nobody' WHERE id = %s", [told.id])
        changed = cursor.rowcount

    assert changed == 0


def test_twenty_at_once_are_numbered_without_a_gap(acme: Tenant) -> None:
    stop = threading.Event()

    def write(_: int) -> list[UUID]:
        told = [event(acme) for _ in range(10)]
        for one in told:
            with tenant_scope(acme.id):
                record(one)
        connection.close()
        return [one.id for one in told]

    def place() -> None:
        while not stop.is_set():
            make_checkpoints()
        connection.close()

    with ThreadPoolExecutor(23) as pool:
        placing = [pool.submit(place) for _ in range(3)]
        recorded = [id_ for ids in pool.map(write, range(20)) for id_ in ids]
        stop.set()
        for one in placing:
            one.result()
    make_checkpoints()

    numbers = numbers_of(recorded)
    assert len(numbers) == len(set(numbers.values())) == 200
    everything = Node.objects.filter(level=0)
    assert everything.count() == tree_size()
    assert everything.aggregate(last=Max("position"))["last"] == tree_size() - 1


def test_the_key_is_made_once_and_for_its_owner_s_eyes(settings: Settings, tmp_path: Path) -> None:
    settings.SOUVENIR_AUDIT_KEY_FILE = tmp_path / "new" / "key.pem"
    made: list[bytes] = []

    def ask() -> None:
        made.append(signing_key().public_key().public_bytes_raw())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 1
    files = list((tmp_path / "new").iterdir())
    assert [(file.name, file.stat().st_mode & 0o777) for file in files] == [("key.pem", 0o600)]


def test_production_makes_no_key_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.SOUVENIR_PROFILE = "production"
    settings.SOUVENIR_AUDIT_KEY_FILE = tmp_path / "key.pem"

    with pytest.raises(AuditKeyMissing):
        signing_key()

    assert list(tmp_path.iterdir()) == []


def test_without_a_key_entries_wait(settings: Settings, tmp_path: Path, acme: Tenant) -> None:
    with tenant_scope(acme.id):
        record(told := event(acme))
    (tmp_path / "key.pem").write_text("no key")

    settings.SOUVENIR_AUDIT_KEY_FILE, key = tmp_path / "key.pem", settings.SOUVENIR_AUDIT_KEY_FILE
    with pytest.raises(AuditKeyMissing):
        make_checkpoints()
    settings.SOUVENIR_AUDIT_KEY_FILE = key
    assert numbers_of([told.id]) == {}
    make_checkpoints()

    assert told.id in numbers_of([told.id])
