"""What somebody who owns the tables does to the log, the command names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from pytest_django import Settings

from souvenir.audit.models import Node
from souvenir.audit.selectors import get_checkpoint, tree_size
from souvenir.audit.services import make_checkpoints, record
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant
from tests.souvenir.audit.test_recording import event

_TABLES = ("entry", "waiting", "node", "checkpoint")


class Owner:
    """Whoever owns the tables, and lifts for a moment what holds the owner back too."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            cursor.execute("ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY")
            cursor.execute(statement, values)
            cursor.execute("ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY")


@pytest.fixture
def owner() -> Iterator[Owner]:
    """What is done with it is undone."""
    owner = Owner()
    for table in _TABLES:
        owner.execute(f"CREATE TABLE kept_{table} AS TABLE audit_{table}")
    yield owner
    for table in _TABLES:
        owner.execute(f"DELETE FROM audit_{table}")
        owner.execute(f"INSERT INTO audit_{table} TABLE kept_{table}")
        owner.execute(f"DROP TABLE kept_{table}")


@pytest.fixture
def number(acme: Tenant) -> int:
    """The number of an entry of acme's, with some around it; and checkpoints."""
    for _ in range(3):
        with tenant_scope(acme.id):
            for _ in range(4):
                record(event(acme))
        make_checkpoints()
    return tree_size() - 6


def _said(**options: object) -> list[str]:
    said = StringIO()
    try:
        call_command("verify_audit", stdout=said, **options)
    except CommandError as error:
        return [*said.getvalue().splitlines(), str(error)]
    return said.getvalue().splitlines()


def _entry_at(number: int) -> UUID | None:
    return Node.objects.get(level=0, position=number).entry_id


def test_a_whole_log_is_said_to_be_whole(number: int) -> None:
    assert _said() == [f"The log is whole: {tree_size()} entries, as they were signed for."]


def test_it_speaks_french(number: int) -> None:
    assert _said(language="fr-ca") == [
        f"Le journal est entier\u00a0: {tree_size()} entrées, telles qu’elles ont été signées."
    ]


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'user:somebody-else'",
        "at = at + interval '1 microsecond'",
        "outcome = 'refused'",
        "object = object || 'x'",
        "purpose = 'another'",
        "person_id = id",
        "details = details || '{\"number\": 2}'",
        "sealed = '\\x00'",
        "action = 'key.revoked'",
        "leaf_hash = '\\x00'",
    ],
)
def test_an_altered_entry_is_named(owner: Owner, number: int, change: str) -> None:
    owner.execute(f"UPDATE audit_entry SET {change} WHERE id = %s", [_entry_at(number)])

    assert _said() == [
        f"Entry {number} is not what it was when it was recorded.",
        "The audit log has 1 fault.",
    ]


def test_a_deleted_entry_is_named(owner: Owner, number: int) -> None:
    owner.execute("DELETE FROM audit_entry WHERE id = %s", [_entry_at(number)])

    assert _said()[0] == f"Entry {number} is gone."


def test_an_entry_moved_to_another_organization_is_named(
    owner: Owner, number: int, globex: Tenant
) -> None:
    owner.execute(
        "UPDATE audit_entry SET organization_id = %s WHERE id = %s", [globex.id, _entry_at(number)]
    )

    assert _said()[0] == f"Entry {number} is not what it was when it was recorded."


def test_two_that_change_places_are_named(owner: Owner, number: int) -> None:
    one, two = _entry_at(number), _entry_at(number + 2)
    put = "UPDATE audit_node SET entry_id = %s WHERE level = 0 AND position = %s"
    for entry_id, position in ((None, number), (one, number + 2), (two, number)):
        owner.execute(put, [entry_id, position])

    assert _said()[:2] == [
        f"Entry {number} is not the one that had this place.",
        f"Entry {number + 2} is not the one that had this place.",
    ]


def test_a_log_cut_short_is_named(owner: Owner, number: int, tmp_path: Path) -> None:
    """All that the database had of its end is gone; somebody kept a checkpoint."""
    size, saved = tree_size(), tmp_path / "kept.txt"
    saved.write_text(get_checkpoint().note)
    cut = size - 4
    gone = Node.objects.filter(level=0, position__gte=cut).values_list("entry_id", flat=True)
    for statement, value in (
        ("DELETE FROM audit_entry WHERE id = ANY (%s)", list(gone)),
        ("DELETE FROM audit_node WHERE (position + 1) << level > %s", cut),
        ("DELETE FROM audit_checkpoint WHERE size > %s", cut),
    ):
        owner.execute(statement, [value])

    assert len(_said()) == 1  # of itself, the database cannot tell
    assert _said(saved=[saved])[0] == (f"The end of the log is gone: entries {cut} to {size - 1}.")


def test_an_entry_slipped_in_without_a_number_is_named(
    owner: Owner, number: int, acme: Tenant
) -> None:
    with tenant_scope(acme.id):
        record(told := event(acme))
    owner.execute("DELETE FROM audit_waiting WHERE entry_id = %s", [told.id])

    assert _said()[0] == f"Entry {told.id} has no number, and none is owed to it."


def test_entries_on_their_way_are_no_fault(number: int, acme: Tenant) -> None:
    with tenant_scope(acme.id):
        record(event(acme))

    assert len(_said()) == 1


def test_a_checkpoint_that_the_key_did_not_sign_is_named(owner: Owner, number: int) -> None:
    size = tree_size()
    owner.execute("UPDATE audit_checkpoint SET note = replace(note, %s, '1')", [f"\n{size}\n"])

    assert f"The checkpoint over {size} entries is not signed by the key of the log." in _said()


@contextmanager
def _another_key(settings: Settings, folder: Path) -> Iterator[None]:
    key = Ed25519PrivateKey.generate()
    (folder / "other.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    own = settings.SOUVENIR_AUDIT_KEY_FILE
    settings.SOUVENIR_AUDIT_KEY_FILE = folder / "other.pem"
    yield
    settings.SOUVENIR_AUDIT_KEY_FILE = own


def test_a_kept_checkpoint_of_another_log_is_refused(
    number: int, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "kept.txt").write_text(get_checkpoint().note)

    with _another_key(settings, tmp_path):
        said = _said(saved=[tmp_path / "kept.txt"])

    assert said == [
        f"The checkpoint in {tmp_path / 'kept.txt'} is not signed by the key of the log."
    ]


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("no checkpoint")

    assert _said(saved=[tmp_path / "kept.txt"]) == [f"{tmp_path / 'kept.txt'} holds no checkpoint."]
