"""`python -m souvenir.config.embedded [logins]`: what `make run` and `make logins` end in."""

import os
import sys
from pathlib import Path

from souvenir.config.embedded.errors import BadPort, HomeNotYours
from souvenir.config.embedded.logins import show_new_logins
from souvenir.config.embedded.ports import DEFAULT_PORT
from souvenir.config.embedded.recipes import CHECKOUT
from souvenir.config.embedded.single_instance import AlreadyRunning
from souvenir.config.embedded.speech import say, say_error
from souvenir.config.embedded.supervisor import Supervisor
from souvenir.core.errors import SouvenirError, gettext_noop

_LAST_PORT = 65_535


def main() -> int:
    """Give the exit status: 0 also when Souvenir runs already, 1 when it could not."""
    if sys.platform != "linux":
        say(gettext_noop("Souvenir was tried on Linux only; elsewhere, tell us what you see."))
    try:
        _obey(sys.argv[1:])
    except AlreadyRunning as running:
        _point_to(running)
    except SouvenirError as error:
        say_error(error)
        return 1
    except PermissionError as error:
        if error.filename is None:
            raise
        say_error(HomeNotYours(file=error.filename))
        return 1
    return 0


def _obey(arguments: list[str]) -> None:
    if arguments == ["logins"]:
        show_new_logins(_chosen_home())
    else:
        Supervisor(_chosen_home(), port=_chosen_port()).run()


def _chosen_home() -> Path:
    chosen = os.environ.get("SOUVENIR_HOME")
    return Path(chosen).expanduser().absolute() if chosen else CHECKOUT / ".souvenir"


def _chosen_port() -> int:
    chosen = os.environ.get("SOUVENIR_PORT") or str(DEFAULT_PORT)
    if not (chosen.isdecimal() and 0 < int(chosen) <= _LAST_PORT):
        raise BadPort(port=chosen)
    return int(chosen)


def _point_to(running: AlreadyRunning) -> None:
    if running.url:
        say(
            gettext_noop("Souvenir already runs at {url} (process {pid})."),
            url=running.url,
            pid=running.pid,
        )
    else:
        say(
            gettext_noop("Souvenir is already starting (process {pid})."),
            pid=running.pid,
        )


if __name__ == "__main__":
    sys.exit(main())
