"""Real brokers, for as long as a test needs one: on loopback, in a folder of their own, as nobody.

Debian's packages rabbitmq-server and redis-server; what is not installed is skipped, and says so.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from souvenir.config.embedded.ports import LOOPBACK
from souvenir.config.embedded.processes import Account, Start, bare_environment, spawn
from souvenir.config.embedded.throwaway import new_open_folder

REDIS = shutil.which("redis-server")
_RABBITMQ_FOLDER = Path("/usr/lib/rabbitmq/bin")
RABBITMQ = shutil.which("rabbitmq-server", path=str(_RABBITMQ_FOLDER))
_EPMD = shutil.which("epmd")
_READY_SECONDS = 120.0


@dataclass
class Broker:
    """A broker that can be killed, emptied of all it knows, and started again at its address."""

    name: str
    url: str
    folder: Path
    _start: Callable[["Broker"], subprocess.Popen[bytes]]
    _port: int
    _beside: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = self._start(self)
        deadline = time.monotonic() + _READY_SECONDS
        while not _listens(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = self.log
                self.stop()
                raise AssertionError(log)
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9, it and its children. What it kept on disk is still there."""
        if self._process is not None:
            _kill(self._process)
            self._process = None
        while _listens(self._port):
            time.sleep(0.05)

    @property
    def pid(self) -> int | None:
        """Of the broker itself."""
        return self._process.pid if self._process is not None else None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def forget_everything(self) -> None:
        """Kill it, and lose its disk too. It is started again, empty."""
        self.kill()
        for path in self._data:
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            _give_away(path)
        self.start()

    def stop(self) -> None:
        self.kill()
        for process in self._beside:
            _kill(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    @property
    def _data(self) -> list[Path]:
        return [self.folder / "data"]

    def run(self, *command: str | Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start one of its programs, as an account that owns nothing else."""
        with (self.folder / "log").open("ab") as output:
            return spawn(
                Start(
                    command=[str(part) for part in command],
                    environment=bare_environment() | dict(environment),
                    output=output,
                    last_signal=signal.SIGKILL,
                    folder=self.folder,
                    account=_nobody(),
                )
            )


def redis_broker() -> Broker:
    """A Redis that writes down every command, as an operator's should."""
    if REDIS is None:
        pytest.skip("Redis is not installed (Debian: apt-get install redis-server)")
    port = _free_port()
    broker = Broker("redis", f"redis://{LOOPBACK}:{port}/0", _folder(), _start_redis, port)
    broker.start()
    return broker


def rabbitmq_broker() -> Broker:
    """A RabbitMQ of one node."""
    if RABBITMQ is None or _EPMD is None:
        pytest.skip("RabbitMQ is not installed (Debian: apt-get install rabbitmq-server)")
    port = _free_port()
    url = f"amqp://guest:guest@{LOOPBACK}:{port}//"
    broker = Broker("rabbitmq", url, _folder(), _start_rabbitmq, port)
    epmd_port = _free_port()
    (broker.folder / "epmd-port").write_text(str(epmd_port))
    # Else Erlang starts one for everybody, which outlives us.
    broker._beside.append(
        broker.run(_EPMD, "-address", LOOPBACK, "-port", str(epmd_port), environment={})
    )
    broker.start()
    return broker


def _start_redis(broker: Broker) -> subprocess.Popen[bytes]:
    options = {
        "bind": LOOPBACK,
        "port": str(broker._port),
        "dir": str(broker.folder / "data"),
        "appendonly": "yes",
        "save": "",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return broker.run(str(REDIS), *flags, environment={})


def _start_rabbitmq(broker: Broker) -> subprocess.Popen[bytes]:
    (broker.folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = {LOOPBACK}:{broker._port}\nlog.console = true\nlog.file = false\n"
    )
    data = broker.folder / "data"
    return broker.run(
        str(RABBITMQ),
        environment={
            "HOME": str(broker.folder),
            "RABBITMQ_NODENAME": f"souvenir{broker._port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(data),
            "RABBITMQ_LOG_BASE": str(broker.folder),
            "RABBITMQ_CONFIG_FILE": str(broker.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(broker.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(broker.folder / "pid"),
            "RUNNING_UNDER_SYSTEMD": "true",  # it then becomes the broker, instead of starting it
            "RABBITMQ_DIST_PORT": str(_free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"
            " +S 1:1 +sbwt none",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": (broker.folder / "epmd-port").read_text(),
        },
    )


def _folder() -> Path:
    folder = new_open_folder()
    (folder / "data").mkdir()
    (folder / "log").touch()
    for path in (folder, *folder.iterdir()):
        _give_away(path)
    return folder


def _give_away(path: Path) -> None:
    if (account := _nobody()) is not None:
        os.chown(path, account.uid, account.gid)


def _nobody() -> Account | None:
    if os.geteuid() != 0:
        return None
    found = pwd.getpwnam("nobody")
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Its session is its group: whatever it has started goes with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
