"""Keys in a hardware token: what it keeps, sessions, threads, forks and PINs."""

import os
import secrets
import threading
import time
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass

from souvenir.core.sealing import KEY_BYTES
from tenants.keyring.errors import KeyRefused, KeystoreUnavailable
from tenants.keyring.providers.pkcs11 import Pkcs11Keys
from tenants.keyring.providers.pkcs11_session import Token, TokenSession
from tests.tenants.keyring.softhsm import PIN

OURS = "tenant-ours"
HERE = b"souvenir|subject|a|b|1"
SECRET = secrets.token_bytes(KEY_BYTES)


@pytest.fixture
def keys(token: Token) -> Pkcs11Keys:
    made = Pkcs11Keys(token)
    made.create(OURS)
    return made


def _objects(token: Token) -> list[pkcs11.SecretKey]:
    with TokenSession(token).session() as session:
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}))
    return [key for key in found if isinstance(key, pkcs11.SecretKey)]


def test_a_key_cannot_be_taken_out_of_the_token(keys: Pkcs11Keys, token: Token) -> None:
    with TokenSession(token).session() as session:
        (key,) = session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})

        assert key[Attribute.EXTRACTABLE] is False
        assert key[Attribute.NEVER_EXTRACTABLE] is True
        assert key[Attribute.SENSITIVE] is True
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]


def test_each_version_is_an_object_and_the_retired_ones_are_gone(
    keys: Pkcs11Keys, token: Token
) -> None:
    keys.rotate(OURS)
    version = keys.rotate(OURS)
    assert len(_objects(token)) == 3

    keys.retire(OURS, below=version)

    assert len(_objects(token)) == 1


def test_a_destroyed_key_leaves_no_object(keys: Pkcs11Keys, token: Token) -> None:
    keys.rotate(OURS)

    keys.destroy(OURS)

    assert _objects(token) == []


def test_two_that_are_made_at_the_same_moment_both_work(token: Token) -> None:
    first, second = Pkcs11Keys(token), Pkcs11Keys(token)
    first.create(OURS)
    # As another process would that had not yet seen the first.
    with TokenSession(token).session() as session:
        session.generate_key(
            pkcs11.KeyType.AES,
            256,
            label=OURS,
            id=(1).to_bytes(4, "big") + b"\xff" * 8,
            store=True,
            template={Attribute.EXTRACTABLE: False},
        )
    wrapped = first.wrap(OURS, SECRET, context=HERE)

    version = second.rotate(OURS)
    renewed = first.rewrap(OURS, wrapped, context=HERE)
    second.retire(OURS, below=version)

    assert second.unwrap(OURS, renewed, context=HERE) == SECRET
    assert len(_objects(token)) == 1


def test_a_wrong_pin_is_refused_and_the_right_one_works_without_a_restart(token: Token) -> None:
    keys = Pkcs11Keys(token)
    token.pin_file.write_text("wrong")
    with pytest.raises(KeyRefused):
        keys.create(OURS)

    token.pin_file.write_text(PIN)

    keys.create(OURS)
    keys.check()


def test_without_its_token_it_is_not_there(token: Token, tmp_path: Path) -> None:
    for missing in (
        Token(token.module, "another", token.pin_file),
        Token(token.module, token.label, tmp_path / "no-pin"),
        Token(tmp_path / "no-library.so", token.label, token.pin_file),
    ):
        with pytest.raises(KeystoreUnavailable):
            Pkcs11Keys(missing).check()


# The library itself still asks the session that is gone, when it clears up.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_token_that_was_restarted_is_opened_again(keys: Pkcs11Keys, token: Token) -> None:
    wrapped = keys.wrap(OURS, SECRET, context=HERE)
    pkcs11.lib(str(token.module)).reinitialize()  # every session is gone

    with pytest.raises(KeystoreUnavailable):
        keys.unwrap(OURS, wrapped, context=HERE)

    assert keys.unwrap(OURS, wrapped, context=HERE) == SECRET


def test_nobody_waits_long_for_one_that_hangs_in_the_token(
    keys: Pkcs11Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.keyring.providers.pkcs11_session.TURN_SECONDS", 0.1)
    inside, leave = threading.Event(), threading.Event()

    def hang() -> None:
        with keys.session.session():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=hang)
    thread.start()
    inside.wait(10)
    begun = time.monotonic()
    with pytest.raises(KeystoreUnavailable):
        keys.wrap(OURS, SECRET, context=HERE)
    waited = time.monotonic() - begun
    leave.set()
    thread.join()

    assert waited < 5
    keys.check()


def test_each_process_after_a_fork_has_a_session_of_its_own(keys: Pkcs11Keys) -> None:
    wrapped = keys.wrap(OURS, SECRET, context=HERE)

    child = os.fork()
    if child == 0:  # nothing of pytest's runs here
        good = all(keys.unwrap(OURS, wrapped, context=HERE) == SECRET for _ in range(20))
        os._exit(0 if good else 1)
    mine = all(keys.unwrap(OURS, wrapped, context=HERE) == SECRET for _ in range(20))
    _, status = os.waitpid(child, 0)

    assert mine
    assert os.waitstatus_to_exitcode(status) == 0
