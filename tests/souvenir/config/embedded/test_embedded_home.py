"""A home has one set of secrets and one Souvenir at a time."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from souvenir.config.embedded.errors import SecretsLost
from souvenir.config.embedded.secrets_file import read_or_make_secrets
from souvenir.config.embedded.single_instance import AlreadyRunning, HomeLock, url_of_running
from tests.souvenir.config.embedded.trial_servers import start_python


def test_secrets_are_made_once_and_read_by_their_owner_alone(tmp_path: Path) -> None:
    made = read_or_make_secrets(tmp_path)

    assert read_or_make_secrets(tmp_path) == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(made.secret_key) >= 50


def test_a_secret_of_an_older_version_is_let_go(tmp_path: Path) -> None:
    made = read_or_make_secrets(tmp_path)
    path = tmp_path / "secrets.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"sealing_key": "what search tokens were once keyed with"}))

    assert read_or_make_secrets(tmp_path) == made
    assert json.loads(path.read_text()) == kept


def test_no_two_secrets_are_the_same(tmp_path: Path) -> None:
    made = read_or_make_secrets(tmp_path)
    passwords = asdict(made.passwords)

    assert len(set(passwords.values())) == len(passwords)


def test_a_home_from_before_a_role_was_there_gets_its_password_and_keeps_the_others(
    tmp_path: Path,
) -> None:
    made = read_or_make_secrets(tmp_path)
    path = tmp_path / "secrets.json"
    kept = json.loads(path.read_text(encoding="ascii"))
    for role in ("relay", "control", "sweeper"):
        del kept["passwords"][role]
    path.write_text(json.dumps(kept), encoding="ascii")

    found = read_or_make_secrets(tmp_path)

    assert replace(found.passwords, relay="", control="", sweeper="") == replace(
        made.passwords, relay="", control="", sweeper=""
    )
    assert all((found.passwords.relay, found.passwords.control, found.passwords.sweeper))
    assert read_or_make_secrets(tmp_path) == found


def test_a_database_without_its_secrets_is_not_given_new_ones(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("18\n")

    with pytest.raises(SecretsLost):
        read_or_make_secrets(tmp_path)


def test_a_second_souvenir_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    lock = HomeLock.take(tmp_path)
    lock.announce("http://127.0.0.1:8700")

    with pytest.raises(AlreadyRunning) as refused:
        HomeLock.take(tmp_path)

    assert (refused.value.pid, refused.value.url) == (os.getpid(), "http://127.0.0.1:8700")
    assert url_of_running(tmp_path) == "http://127.0.0.1:8700"
    lock.release()


def test_a_lock_that_was_let_go_leaves_nothing_over(tmp_path: Path) -> None:
    assert url_of_running(tmp_path) == ""
    HomeLock.take(tmp_path).release()
    assert url_of_running(tmp_path) == ""

    lock = HomeLock.take(tmp_path)

    assert not lock.left_over
    lock.release()


def test_the_lock_of_a_killed_souvenir_is_free_and_known_as_left_over(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from souvenir.config.embedded.single_instance import HomeLock;"
        "HomeLock.take(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    with start_python(script, str(tmp_path)) as killed:
        killed.wait()

    lock = HomeLock.take(tmp_path)

    assert lock.left_over
    lock.release()
