"""Which processes the embedded profile has, and what each is told."""

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from souvenir.config.embedded.children import Recipe
from souvenir.config.embedded.roles import Cluster
from souvenir.config.embedded.secrets_file import Secrets
from souvenir.core.jobs import Queue

CHECKOUT = Path(__file__).resolve().parents[4]
_OWNER_VARIABLE = "SOUVENIR_OWNER_DATABASE_URL"
# One interpreter keeps one processor busy: a second one answers while the first is at work.
_WEB_PROCESSES = str(min(2, os.cpu_count() or 1))
# Niceness: whoever waits for an answer comes before what is embedded, and before the upkeep.
_STANDS_BACK = 19
_CELERY = ("--without-gossip", "--without-mingle", "--loglevel", "WARNING")


@dataclass(frozen=True)
class Recipes:
    """Everything that is started after the database. `port` is only what people reach us at."""

    home: Path
    cluster: Cluster
    secrets: Secrets
    url: str

    def migrate(self) -> Recipe:
        """Bring the tables up to date, as their owner."""
        return self._manage("migrate", "--database", "owner", "--no-input", as_owner=True)

    def welcome(self, *options: str) -> Recipe:
        """Make the demonstration at the first start; say where to sign in."""
        return self._manage("welcome", *options, as_owner=True)

    def web(self, descriptor: int) -> Recipe:
        """Serve on a socket that is listening already."""
        return self._python(
            "web",
            *("-m", "gunicorn", "souvenir.config.wsgi:application", "--bind", f"fd://{descriptor}"),
            *("--config", "python:souvenir.config.serving"),
            *("--worker-class", "gthread", "--workers", _WEB_PROCESSES, "--threads", "8"),
            *("--graceful-timeout", "3", "--no-control-socket", "--log-level", "warning"),
            last_signal=signal.SIGTERM,
            descriptors=(descriptor,),
        )

    def workers(self) -> list[Recipe]:
        """A worker for each queue, so that none waits for another; who rings, and the upkeep."""
        relay = self._manage("relay")
        as_itself = {"SOUVENIR_DATABASE_URL": self.cluster.relay_url}
        return [
            replace(relay, environment={**relay.environment, **as_itself}),
            *(self._worker(queue.value) for queue in Queue),
            replace(self._maintaining(self._manage("sweep")), niceness=_STANDS_BACK),
        ]

    def _worker(self, name: str) -> Recipe:
        worker = self._python(
            f"worker-{name}",
            # One process, which we start again ourselves: a pool whose child is killed at the wrong
            # moment keeps the message and takes no other (docs/decisions/0022).
            *("-m", "celery", "-A", "workers.app", "worker", "-P", "solo"),
            *("-Q", name, "-n", f"{name}@%h", *_CELERY),
        )
        if name != Queue.BULK:
            return worker
        return replace(self._maintaining(worker), niceness=_STANDS_BACK)

    def _maintaining(self, recipe: Recipe) -> Recipe:
        """With the connection that keeps the tables of search in order."""
        ours = {"SOUVENIR_MAINTAINER_DATABASE_URL": self.cluster.maintainer_url}
        return replace(recipe, environment={**recipe.environment, **ours})

    def _manage(self, *arguments: str, as_owner: bool = False) -> Recipe:
        return self._python(arguments[0], "manage.py", *arguments, as_owner=as_owner)

    def _python(
        self,
        name: str,
        *arguments: str,
        as_owner: bool = False,
        last_signal: signal.Signals = signal.SIGKILL,
        descriptors: tuple[int, ...] = (),
    ) -> Recipe:
        environment = self._environment()
        if as_owner:
            environment[_OWNER_VARIABLE] = self.cluster.owner_url
        return Recipe(
            name=name,
            command=(sys.executable, *arguments),
            environment=environment,
            folder=CHECKOUT,
            logs=self.home / "log",
            last_signal=last_signal,
            descriptors=descriptors,
        )

    def _environment(self) -> dict[str, str]:
        """The person's own environment, less what would lead to another database, plus ours."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PG") and name not in {"DATABASE_URL", _OWNER_VARIABLE}
        }
        return {
            "SOUVENIR_PUBLIC_URL": self.url,
            "SOUVENIR_LOG_FORMAT": "plain",
            **kept,
            "SOUVENIR_PROFILE": "embedded",
            "SOUVENIR_DATABASE_URL": self.cluster.app_url,
            "SOUVENIR_BROKER_URL": self.cluster.broker_url,
            "SOUVENIR_BROKER_DSN": self.cluster.broker_dsn,
            "SOUVENIR_SECRET_KEY": self.secrets.secret_key,
            "SOUVENIR_OBJECTS_DIR": str(self.home / "objects"),
            "SOUVENIR_KEYS_DIR": str(self.home / "keys"),
            "SOUVENIR_AUDIT_KEY_FILE": str(self.home / "audit-key.pem"),
            "DJANGO_SETTINGS_MODULE": "souvenir.config.settings",
            # Relative to the checkout, where they start: a colon in its path would split it.
            "PYTHONPATH": f"platform{os.pathsep}.",
            "OMP_NUM_THREADS": "1",
        }
