"""`make run`: start everything in order, watch it, and stop it in order."""

import http.client
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from souvenir.config.embedded.children import (
    Child,
    Recipe,
    set_aside_long_logs,
    stop_all,
    tail,
)
from souvenir.config.embedded.errors import NotReady, StepFailed
from souvenir.config.embedded.places import PACKAGE_VERSION, Places, make_home
from souvenir.config.embedded.ports import LOOPBACK, listen
from souvenir.config.embedded.postgres import EmbeddedPostgres
from souvenir.config.embedded.recipes import Recipes
from souvenir.config.embedded.roles import Cluster, bootstrap
from souvenir.config.embedded.secrets_file import Secrets, read_or_make_secrets
from souvenir.config.embedded.single_instance import HomeLock
from souvenir.config.embedded.speech import say
from souvenir.core.errors import gettext_noop

_POLL_SECONDS = 0.1
_READY_SECONDS = 90.0
_STOP_SECONDS = 7.0  # an idle Celery worker takes six to leave in good order
_STEP_STOP_SECONDS = 2.0
_LEAVING_SECONDS = 5.0


class StopRequested(Exception):
    """Ctrl-C, or a signal of the same meaning."""


class Supervisor:
    """The one process that a person starts; every other ends with it, however it ends itself."""

    def __init__(self, home: Path, *, port: int) -> None:
        """Nothing is started yet. `port` is the one to try first."""
        self._home = home
        self._port = port
        self._asked_to_stop = False
        self._children: list[Child] = []
        self._server: EmbeddedPostgres | None = None

    def run(self) -> None:
        """Serve until a signal asks to stop.

        Raises:
            AlreadyRunning: another process serves this home.
            SouvenirError: something did not start, or did not stay up.
        """
        self._hear_signals()
        make_home(self._home)
        with ExitStack() as leaving:
            lock = HomeLock.take(self._home)
            leaving.callback(lock.release)
            try:
                self._serve(lock, leaving)
            except StopRequested:
                say(gettext_noop("Souvenir is stopping."))
        say(gettext_noop("Souvenir has stopped."))

    def _serve(self, lock: HomeLock, leaving: ExitStack) -> None:
        say(gettext_noop("Souvenir keeps everything in {home}."), home=self._home)
        for name in ("log", "objects"):
            (self._home / name).mkdir(mode=0o700, exist_ok=True)
        set_aside_long_logs(self._home / "log")
        secrets = read_or_make_secrets(self._home)
        cluster = self._start_database(secrets, leaving)
        listener = listen(self._port, patience_seconds=_LEAVING_SECONDS if lock.left_over else 0.0)
        leaving.callback(listener.close)
        port = self._tell_port(listener.getsockname()[1])
        recipes = Recipes(self._home, cluster, secrets, url=f"http://{LOOPBACK}:{port}")
        say(gettext_noop("The tables are brought up to date."))
        self._run_step(recipes.migrate())
        say(gettext_noop("The web process and the workers are starting."))
        leaving.callback(stop_all, self._children, seconds=_STOP_SECONDS)
        web = recipes.web(listener.fileno())
        self._start_child(web)
        self._await_ready(web, port)
        lock.announce(recipes.url)
        self._run_step(recipes.welcome(), aloud=True)
        # After the welcome: on two cores, they would keep a person waiting for it twice as long.
        for worker in recipes.workers():
            self._start_child(worker)
        say(gettext_noop("Ctrl-C stops Souvenir; `make run` starts it again, with all its data."))
        while True:
            self._breathe()

    def _start_database(self, secrets: Secrets, leaving: ExitStack) -> Cluster:
        server = EmbeddedPostgres(self._home, password=secrets.passwords.superuser)
        leaving.callback(server.stop)
        _explain_places(server.places)
        say(
            gettext_noop("The database is starting (PostgreSQL {version})."),
            version=PACKAGE_VERSION,
        )
        server.start()
        self._server = server
        return bootstrap(server.address, secrets.passwords)

    def _tell_port(self, found: int) -> int:
        if found != self._port:
            say(
                gettext_noop("Port {wanted} is taken, so Souvenir uses {found}."),
                wanted=self._port,
                found=found,
            )
        return found

    def _start_child(self, recipe: Recipe) -> None:
        child = Child(recipe)
        self._children.append(child)
        child.start()

    def _await_ready(self, web: Recipe, port: int) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while (answer := _ask_whether_ready(port)) is not None:
            if time.monotonic() > deadline:
                raise NotReady(
                    seconds=int(_READY_SECONDS), answer=answer, log=web.log, words=tail(web.log)
                )
            self._breathe()

    def _run_step(self, recipe: Recipe, *, aloud: bool = False) -> None:
        process = recipe.start(aloud=sys.stdout.buffer if aloud else None)
        try:
            while (code := process.poll()) is None:
                self._breathe()
        finally:
            _end(process)
        if code != 0:
            raise StepFailed(step=recipe.name, log=recipe.log, words=tail(recipe.log))

    def _breathe(self) -> None:
        """Let a moment pass, see to what has died meanwhile, and hear whether to stop."""
        time.sleep(_POLL_SECONDS)
        if self._asked_to_stop:
            raise StopRequested
        if self._server is not None and self._server.is_gone():
            say(gettext_noop("The database has stopped. It is started again."))
            self._server.start()
        for child in self._children:
            child.watch()

    def _hear_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Whoever started us in the background may have asked for some to be ignored.
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._asked_to_stop = True


def _explain_places(places: Places) -> None:
    if places.closed is None or places.account is None:
        return
    say(
        gettext_noop(
            "PostgreSQL does not run as root, so it runs as {account}; {account} cannot reach "
            "{closed}, so the database is in {data} and its programs are in {programs}."
        ),
        account=places.account.name,
        closed=places.closed,
        data=places.data,
        programs=places.programs,
    )


def _ask_whether_ready(port: int) -> str | None:
    """None: yes. Otherwise what the answer was, for a person."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=3)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return None if answer.status == http.client.OK else f"{answer.status} {answer.read()!r}"
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_STEP_STOP_SECONDS)
        process.kill()
        process.wait()
