"""Importing this starts a Souvenir of the program's own: an empty database, and Django led to it.

Import it before anything that has models; among sorted imports it stands there by its name. The
database is stopped, and it and the folder deleted, when the program ends.
"""

import os
import tempfile
from pathlib import Path

import django
from django.core.management import call_command

from souvenir.config.embedded.roles import create_database
from souvenir.config.embedded.throwaway import start_throwaway

_SERVER = start_throwaway()
_CLUSTER = _SERVER.cluster
_TEMPORARY = tempfile.TemporaryDirectory(prefix="souvenir-bench-")
FOLDER = Path(_TEMPORARY.name)

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "souvenir.config.settings",
    "SOUVENIR_PROFILE": "test",
    "SOUVENIR_DATABASE_URL": _CLUSTER.app_url,
    "SOUVENIR_OWNER_DATABASE_URL": _CLUSTER.owner_url,
    "SOUVENIR_RELAY_DATABASE_URL": _CLUSTER.relay_url,
    "SOUVENIR_MAINTAINER_DATABASE_URL": _CLUSTER.maintainer_url,
    "SOUVENIR_BROKER_URL": _CLUSTER.broker_url,
    "SOUVENIR_BROKER_DSN": _CLUSTER.broker_dsn,
    "SOUVENIR_OBJECTS_DIR": str(FOLDER / "objects"),
    "SOUVENIR_KEYS_DIR": str(FOLDER / "keys"),
    "SOUVENIR_SECRET_KEY": "only-for-the-bench-" + "0" * 40,
}
django.setup()
call_command("migrate", database="owner", verbosity=0, interactive=False)


def another_database(name: str) -> str:
    """Make an empty one in the same server, for a peer; gives its owner's URL."""
    return create_database(_SERVER.server.address, _SERVER.passwords, name).owner_url
