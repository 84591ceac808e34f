"""Souvenir whole, as a cluster runs it: real processes that may be killed, each started again.

Everything is its own: the database server, the broker, the folders. A process is kept by a thread,
which starts it again a moment after it has gone, however that came about.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from souvenir.config.embedded.ports import LOOPBACK
from souvenir.config.embedded.postgres import SUPERUSER, EmbeddedPostgres
from souvenir.config.embedded.roles import Cluster, bootstrap, new_passwords
from souvenir.config.embedded.throwaway import new_open_folder, settings_of
from souvenir.config.environment import CHECKOUT
from tests.brokers import Broker
from tests.processes import Running, start, start_manage, start_worker

DATABASE = "souvenir"
_PAUSE_SECONDS = 1.0  # before what has gone is started again
_LOOK_SECONDS = 0.1
_READY_SECONDS = 60.0
_THRICE = ["-m", "tests.chaos.relay_thrice"]
_MAKE_ORGANIZATION = (
    "import sys, django; django.setup();"
    "from tenants.services import create_organization as create;"
    "made, key = create(slug=sys.argv[1], name_en='A', name_fr='Un', placement='local');"
    "sys.stdout.write(f'{made.id} {key.text}')"
)


@dataclass(frozen=True)
class Kept:
    """Something that runs, and is started again whenever it does not."""

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]
    is_alive: Callable[[], bool]
    pids: Callable[[], list[int]]  # its own first, then its children's


class Keeper(threading.Thread):
    """Keeps one of them. The kernel ties what a thread has started to that thread's life."""

    def __init__(self, kept: Kept) -> None:
        super().__init__(name=f"keeper of {kept.name}", daemon=True)
        self.kept = kept
        self.starts = 0
        self._is_wanted = threading.Event()
        self._ends = threading.Event()

    def run(self) -> None:
        while not self._ends.wait(_LOOK_SECONDS):
            if not self._is_wanted.is_set() or self.kept.is_alive():
                continue
            if self.starts:
                time.sleep(_PAUSE_SECONDS)
            self.kept.start()
            self.starts += 1
        self.kept.stop()

    def want(self) -> None:
        """Start it, if it does not run already, and keep it."""
        self._is_wanted.set()
        self.start()
        while not self.kept.is_alive():
            time.sleep(_LOOK_SECONDS)

    def leave(self) -> None:
        """Stop it, and do not start it again."""
        self._is_wanted.clear()
        self._ends.set()
        if self.is_alive():
            self.join()


@dataclass
class System:
    """The processes, by what they are; and how to look into the database from outside."""

    folder: Path
    server: EmbeddedPostgres
    cluster: Cluster
    dsn: str  # of the superuser, whom no policy hides a row from
    broker: Broker | None  # None: the queues are in the database
    port: int
    environment: dict[str, str]
    keepers: dict[str, Keeper] = field(default_factory=dict)
    forgets: threading.Event = field(default_factory=threading.Event)  # the broker, when it starts

    def keep(self, kept: Kept) -> None:
        self.keepers[kept.name] = Keeper(kept)

    def keep_process(self, name: str, make: Callable[[], Running]) -> None:
        """Keep a process of ours."""
        held: list[Running] = []

        def begin() -> None:
            if held:
                held[0].stop()  # children that outlived it; it is gone itself
            held[:] = [make()]

        self.keep(
            Kept(
                name,
                start=begin,
                stop=lambda: held[0].stop() if held else None,
                is_alive=lambda: bool(held) and held[0].is_alive,
                pids=lambda: [held[0].process.pid, *held[0].children()] if held else [],
            )
        )

    def rows(self, statement: str, *arguments: object) -> list[tuple[object, ...]]:
        """Ask the database, of all organizations."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(statement, arguments).fetchall()

    def number(self, statement: str, *arguments: object) -> int:
        """The same, of one number."""
        return int(str(self.rows(statement, *arguments)[0][0]))

    def make_organization(self, slug: str) -> tuple[str, str]:
        """Its id, and its owner's key."""
        made = self.run("-c", _MAKE_ORGANIZATION, slug).split()
        return made[0], made[1]

    def run(self, *arguments: str) -> str:
        """A command of ours, to its end."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, *arguments],
            env=dict(os.environ) | self.environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill(self, name: str, chance: random.Random, *, child: bool = False) -> bool:
        """kill -9 of one of them, or of one of its children. False: there is none just now."""
        pids = self.keepers[name].kept.pids()
        chosen = pids[1:] if child else pids[:1]
        if not chosen:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(chosen), signal.SIGKILL)
            return True
        return False

    def log(self, name: str) -> str:
        """The last that a process said."""
        path = self.folder / "log" / name
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""


@contextmanager
def running(broker: Broker | None, *, relays: Mapping[str, bool]) -> Iterator[System]:
    """The whole of it, until the body ends.

    Args:
        broker: started already; it is stopped with the rest. None: pgmq.
        relays: by name; whether it says everything three times.
    """
    with ExitStack() as leaving:
        if broker is not None:
            leaving.callback(broker.stop)
        system = _found(broker)
        leaving.callback(shutil.rmtree, system.folder, ignore_errors=True)
        _describe(system, relays)
        keepers = list(system.keepers.values())
        for keeper in keepers:
            leaving.callback(keeper.leave)
        system.keepers["postgres"].want()
        if broker is not None:
            system.keepers["broker"].want()
        system.run(*("manage.py", "migrate", "--database", "owner", "--no-input", "-v0"))
        for keeper in keepers:
            if not keeper.is_alive():
                keeper.want()
        _await_web(system)
        yield system


def _found(broker: Broker | None) -> System:
    """Choose folders, addresses and passwords; nothing is started yet."""
    folder = new_open_folder()
    passwords = new_passwords(24)
    server = EmbeddedPostgres(folder / "home", password=passwords.superuser, fallback=folder)
    port = _free_port()
    dsn = server.address.dsn(user=SUPERUSER, password=passwords.superuser, database=DATABASE)
    (folder / "log").mkdir()
    server.start()
    cluster = bootstrap(server.address, passwords, database=DATABASE)
    server.stop()  # its keeper starts it again, and is whom it is tied to
    environment = settings_of(cluster, folder) | {
        "PYTHONPATH": f"platform{os.pathsep}.",
        "SOUVENIR_PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "SOUVENIR_BROKER_URL": broker.url if broker else cluster.broker_url,
    }
    return System(folder, server, cluster, dsn, broker, port, environment)


def _describe(system: System, relays: Mapping[str, bool]) -> None:
    """What runs, in the order in which it is started; it is stopped in the other order."""
    environment, log = system.environment, system.folder / "log"
    system.keep(_postgres(system))
    if system.broker is not None:
        system.keep(_broker(system.broker, system.forgets))
    for name, thrice in relays.items():
        begin = partial(start, name, _THRICE) if thrice else partial(start_manage, "relay")
        system.keep_process(name, partial(begin, environment=environment, log=log / name))
    for name in ("scheduler-1", "scheduler-2"):
        begin = partial(start_manage, "sweep")
        system.keep_process(name, partial(begin, environment=environment, log=log / name))
    for queue in ("bulk", "interactive", "erasure"):
        name = f"worker-{queue}"
        begin = partial(start_worker, queue)
        system.keep_process(name, partial(begin, environment=environment, log=log / name))
    system.keep_process("web", lambda: _start_web(system))


def _start_web(system: System) -> Running:
    """As the image starts it, on one address."""
    return start(
        "web",
        [
            *("-m", "gunicorn", "souvenir.config.wsgi:application"),
            *("--bind", f"{LOOPBACK}:{system.port}", "--config", "python:souvenir.config.serving"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
            *("--worker-tmp-dir", "/dev/shm", "--no-control-socket"),  # noqa: S108
        ],
        environment=system.environment,
        log=system.folder / "log" / "web",
    )


def _postgres(system: System) -> Kept:
    server = system.server

    def pids() -> list[int]:
        with suppress(FileNotFoundError, IndexError, ValueError):
            own = int((server.places.data / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
            return [own, *map(int, children)]
        return []

    def is_alive() -> bool:
        return bool(found := pids()) and Path(f"/proc/{found[0]}").exists() and not server.is_gone()

    return Kept("postgres", server.start, server.stop, is_alive, pids)


def _broker(broker: Broker, forgets: threading.Event) -> Kept:
    def begin() -> None:
        if forgets.is_set():
            broker.forget_everything()
        else:
            broker.kill()  # what it has started and left
            broker.start()

    return Kept(
        "broker",
        start=begin,
        stop=broker.stop,
        is_alive=lambda: broker.is_alive,
        pids=lambda: [broker.pid] if broker.pid else [],
    )


def _await_web(system: System) -> None:
    ends = time.monotonic() + _READY_SECONDS
    while time.monotonic() < ends:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((LOOPBACK, system.port)) == 0:
                return
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(system.log("web"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
