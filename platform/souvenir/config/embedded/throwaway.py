"""A PostgreSQL that lives as long as this process: what the tests run against."""

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from souvenir.config.embedded.postgres import EmbeddedPostgres
from souvenir.config.embedded.roles import Cluster, Passwords, bootstrap, new_passwords

TEST_DATABASE = "souvenir_test"
_PREFIX = "souvenir-test-"
_MARK = "in-use"
_OPEN_TO_ALL = "/tmp"  # noqa: S108 (what is made there is private)


@dataclass(frozen=True)
class Throwaway:
    """A running server and how it was made."""

    server: EmbeddedPostgres
    passwords: Passwords
    cluster: Cluster


def start_test_cluster(*, database: str = TEST_DATABASE) -> Cluster:
    """Start an empty server, with `database` and the roles; it is stopped and deleted at exit.

    Nothing is migrated yet: that is for whoever calls, over `owner_url`.
    """
    return start_throwaway(database=database).cluster


def start_throwaway(*, database: str = TEST_DATABASE) -> Throwaway:
    """As `start_test_cluster`, for tests of the server itself."""
    _clear_away_the_orphaned()
    folder = new_open_folder()
    _mark_in_use(folder)
    passwords = new_passwords(24)
    server = EmbeddedPostgres(
        folder / "home", password=passwords.superuser, durable=False, fallback=folder
    )
    atexit.register(_clear_away, server, folder, os.getpid())
    server.start()
    return Throwaway(server, passwords, bootstrap(server.address, passwords, database=database))


def settings_of(cluster: Cluster, folder: Path) -> dict[str, str]:
    """The environment of a Souvenir in that cluster which may enter as each of the roles.

    For tests and benchmarks alone: a process of a real one is given its own door and no other.
    Objects and keys are kept in `folder`.
    """
    return {
        "DJANGO_SETTINGS_MODULE": "souvenir.config.settings",
        "SOUVENIR_PROFILE": "test",
        "SOUVENIR_DATABASE_URL": cluster.app_url,
        "SOUVENIR_OWNER_DATABASE_URL": cluster.owner_url,
        "SOUVENIR_RELAY_DATABASE_URL": cluster.relay_url,
        "SOUVENIR_CONTROL_DATABASE_URL": cluster.control_url,
        "SOUVENIR_SWEEPER_DATABASE_URL": cluster.sweeper_url,
        "SOUVENIR_MAINTAINER_DATABASE_URL": cluster.maintainer_url,
        "SOUVENIR_BROKER_URL": cluster.broker_url,
        "SOUVENIR_BROKER_DSN": cluster.broker_dsn,
        "SOUVENIR_OBJECTS_DIR": str(folder / "objects"),
        "SOUVENIR_KEYS_DIR": str(folder / "keys"),
        "SOUVENIR_AUDIT_KEY_FILE": str(folder / "audit-key.pem"),
        "SOUVENIR_SECRET_KEY": "only-for-a-throwaway-" + "0" * 40,
    }


def new_open_folder() -> Path:
    """Make a temporary folder that the server's account can pass through, even if we are root."""
    if os.geteuid() != 0:
        return Path(tempfile.mkdtemp(prefix=_PREFIX))
    # Root's own temporary folder may be a closed one, and the server is not root.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_OPEN_TO_ALL))
    folder.chmod(0o711)
    return folder


def _mark_in_use(folder: Path) -> None:
    """Hold a lock in it for as long as this process lives."""
    unmarked = folder / "locking"
    descriptor = os.open(unmarked, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    unmarked.rename(folder / _MARK)  # whoever clears away at this moment finds it locked


def _clear_away_the_orphaned() -> None:
    """Delete the folders of processes that were killed, and could not do it themselves."""
    for mark in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_MARK}"):
        with suppress(OSError), mark.open("rb") as file:  # in use, or somebody else's
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(mark.parent, ignore_errors=True)


def _clear_away(server: EmbeddedPostgres, folder: Path, starter: int) -> None:
    if os.getpid() != starter:  # a fork of ours ends: the server is not its own
        return
    server.stop()
    for leftover in (folder, server.places.sockets):
        shutil.rmtree(leftover, ignore_errors=True)
