"""`make logins`: new passwords and keys for the demonstration of a Souvenir that runs."""

import sys
from pathlib import Path

from souvenir.config.embedded.address import Address
from souvenir.config.embedded.children import tail
from souvenir.config.embedded.errors import NotRunning, StepFailed
from souvenir.config.embedded.places import find_places
from souvenir.config.embedded.recipes import Recipes
from souvenir.config.embedded.roles import DATABASE, describe
from souvenir.config.embedded.secrets_file import read_or_make_secrets
from souvenir.config.embedded.single_instance import url_of_running


def show_new_logins(home: Path) -> None:
    """Make them, and print them this once. The old ones end.

    Raises:
        NotRunning: nothing serves `home`, or it is only starting.
        StepFailed: the database refused.
    """
    url = url_of_running(home)
    if not url:
        raise NotRunning
    secrets = read_or_make_secrets(home)
    address = Address(sockets=find_places(home).sockets)
    recipes = Recipes(home, describe(address, secrets.passwords, DATABASE), secrets, url=url)
    recipe = recipes.welcome("--new-logins")
    if recipe.start(aloud=sys.stdout.buffer).wait() != 0:
        raise StepFailed(step=recipe.name, log=recipe.log, words=tail(recipe.log))
