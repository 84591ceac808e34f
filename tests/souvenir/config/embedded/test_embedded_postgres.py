"""The embedded server starts wherever it is put, and again after whatever has happened to it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from secrets import token_hex
from typing import IO

import psycopg
import pytest

from souvenir.config.embedded.errors import (
    DataFolderHeld,
    DataOfAnotherVersion,
    DataOutOfReach,
    FolderNotPrivate,
    PasswordsDoNotFit,
)
from souvenir.config.embedded.postgres import SUPERUSER, EmbeddedPostgres
from souvenir.config.embedded.processes import Start, spawn
from souvenir.config.embedded.throwaway import Throwaway
from tests.souvenir.config.embedded.trial_servers import PASSWORD, ServerIn, start_python

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root runs the server as somebody else")
MARKER = "une_confidence_qui_ne_regarde_personne"


def connect(server: EmbeddedPostgres) -> psycopg.Connection:
    dsn = server.address.dsn(user=SUPERUSER, password=PASSWORD, database="postgres")
    return psycopg.connect(dsn, autocommit=True)


def postmaster_of(server: EmbeddedPostgres) -> int:
    lines = (server.places.data / "postmaster.pid").read_text().splitlines()
    return int(lines[0])


def a_stranger(server: EmbeddedPostgres, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """A process that is no server, of the account that servers have."""
    return spawn(
        Start(
            command=["/bin/sleep", "60"],
            environment={},
            output=output,
            last_signal=signal.SIGKILL,
            account=server.places.account,
        )
    )


def test_a_killed_server_starts_again_with_what_was_written(
    used_home: Path, server_in: ServerIn
) -> None:
    server = server_in(used_home)
    server.start()
    with connect(server) as connection:
        connection.execute("SET synchronous_commit = on")
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster_of(server), signal.SIGKILL)

    server.start()

    with connect(server) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_server_that_runs_already_is_used(used_home: Path, server_in: ServerIn) -> None:
    first, second = server_in(used_home), server_in(used_home)
    first.start()
    before = postmaster_of(first)

    second.start()

    assert second.answers()
    assert postmaster_of(second) == before


def test_stopping_a_server_that_was_only_found_running_stops_it(
    used_home: Path, server_in: ServerIn
) -> None:
    first, second = server_in(used_home), server_in(used_home)
    first.start()
    second.start()

    second.stop()

    assert not first.answers()
    first.stop()  # what has stopped may be stopped


def test_when_another_process_has_the_old_number_postgresql_says_so(
    folder: Path, used_home: Path, server_in: ServerIn
) -> None:
    server = server_in(used_home)
    server.start()
    server.stop()
    pid_file = server.places.data / "postmaster.pid"
    with (folder / "output").open("wb") as output, a_stranger(server, output) as stranger:
        pid_file.write_text(f"{stranger.pid}\n{server.places.data}\n0\n5432\n\n\n\nready\n")
        try:
            with pytest.raises(DataFolderHeld) as refused:
                server.start()
            server.stop()
            assert stranger.poll() is None
        finally:
            stranger.kill()

    pid_file.unlink()
    assert refused.value.params["pid"] == str(stranger.pid)
    assert refused.value.params["file"] == pid_file


@pytest.mark.parametrize("name", ["a home", "a,b", "l’été", 'qu"ote', "back\\slash"])
def test_a_path_with_odd_characters_works_for_the_broker_too(
    folder: Path, server_in: ServerIn, name: str
) -> None:
    server = server_in(folder / name)

    assert " " not in str(server.places.sockets)
    assert server.address.dsn(user="u", password=PASSWORD, database="d").count("'") == 0


def test_a_server_in_a_path_with_a_space_starts(folder: Path, server_in: ServerIn) -> None:
    server = server_in(folder / "my home")

    server.start()

    assert server.places.data.is_relative_to(folder / "my home")
    assert server.answers()


def test_a_path_that_is_too_long_for_a_socket_gets_a_short_private_folder(
    folder: Path, server_in: ServerIn
) -> None:
    server = server_in(folder / ("long" * 25))

    server.start()

    sockets = server.places.sockets
    assert server.places.data.is_relative_to(folder)
    assert not sockets.is_relative_to(folder)
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert (sockets / ".s.PGSQL.5432").is_socket()


def test_a_short_folder_that_somebody_has_opened_is_refused(
    folder: Path, server_in: ServerIn
) -> None:
    home = folder / ("long" * 25)
    server_in(home).places.sockets.chmod(0o755)

    with pytest.raises(FolderNotPrivate):
        server_in(home)


def test_nothing_listens_on_the_network(throwaway: Throwaway) -> None:
    with psycopg.connect(throwaway.cluster.app_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_the_socket_asks_for_a_password(throwaway: Throwaway) -> None:
    wrong = throwaway.server.address.url(user=SUPERUSER, password=token_hex(8), database="postgres")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_other_secrets_than_the_database_s_are_named(used_home: Path, server_in: ServerIn) -> None:
    server_in(used_home).start()

    with pytest.raises(PasswordsDoNotFit):
        EmbeddedPostgres(used_home, password=token_hex(8), durable=False).start()


def test_logs_hold_no_content_not_even_of_a_refused_statement(
    used_home: Path, server_in: ServerIn
) -> None:
    server = server_in(used_home)
    server.start()
    with connect(server) as connection:
        connection.execute("CREATE TABLE t (word text PRIMARY KEY, CHECK (length(word) > 3))")
        connection.execute("INSERT INTO t VALUES (%s)", [MARKER])
        for refused, value in [
            ("INSERT INTO t VALUES (%s)", MARKER),
            ("SELECT (%s::text)::integer", MARKER),
            (f"TABLE {MARKER} WHERE %s", "x"),
        ]:
            with pytest.raises(psycopg.Error):
                connection.execute(refused, [value])
    server.stop()

    logs = [log.read_text() for log in server.places.log.iterdir()]
    assert any("ready to accept connections" in log for log in logs)
    assert not any(MARKER in log for log in logs)


def test_data_of_another_major_version_is_refused_in_a_sentence(
    folder: Path, server_in: ServerIn
) -> None:
    server = server_in(folder / "home")
    server.places.data.mkdir()
    (server.places.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(DataOfAnotherVersion, match=r"PostgreSQL 17.*PostgreSQL 18"):
        server.start()


def test_an_interrupted_making_of_the_data_is_begun_again(
    folder: Path, server_in: ServerIn
) -> None:
    server = server_in(folder / "home")
    unfinished = server.places.base / "data.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")

    server.start()

    assert server.answers()
    assert not unfinished.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_the_server_ends_with_a_starter_that_was_killed(
    used_home: Path, server_in: ServerIn
) -> None:
    server = server_in(used_home)
    script = (
        "import sys, time; from pathlib import Path;"
        "from souvenir.config.embedded.postgres import EmbeddedPostgres;"
        "EmbeddedPostgres(Path(sys.argv[1]), password=sys.argv[2], durable=False).start();"
        "sys.stdout.write('up'); sys.stdout.flush(); time.sleep(60)"
    )
    with start_python(script, str(used_home), PASSWORD) as starter:
        assert starter.stdout is not None
        assert starter.stdout.read(2) == b"up"
        assert server.answers()
        starter.kill()

    deadline = time.monotonic() + 10
    while (server.places.data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not server.answers()


@needs_root
def test_root_is_not_who_the_server_runs_as(throwaway: Throwaway) -> None:
    account = throwaway.server.places.account

    assert account is not None
    assert Path("/proc", str(postmaster_of(throwaway.server))).stat().st_uid == account.uid != 0


@needs_root
def test_a_home_that_the_server_s_account_cannot_reach_stays_closed(
    folder: Path, server_in: ServerIn
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    server = server_in(closed / "home")
    server.start()

    assert server.places.closed == closed / "home"
    assert server.places.data.is_relative_to(folder / "fallback")
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_root
def test_data_that_was_closed_off_is_not_begun_anew_elsewhere(
    folder: Path, server_in: ServerIn
) -> None:
    server = server_in(folder / "home")
    server.start()
    server.stop()
    (folder / "home").chmod(0o700)

    with pytest.raises(DataOutOfReach):
        server_in(folder / "home")
