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
from souvenir.config.embedded.throwaway import settings_of, start_throwaway

_SERVER = start_throwaway()
_TEMPORARY = tempfile.TemporaryDirectory(prefix="souvenir-bench-")
FOLDER = Path(_TEMPORARY.name)

os.environ |= settings_of(_SERVER.cluster, FOLDER)
django.setup()
call_command("migrate", database="owner", verbosity=0, interactive=False)


def another_database(name: str) -> str:
    """Make an empty one in the same server, for a peer; gives its owner's URL."""
    return create_database(_SERVER.server.address, _SERVER.passwords, name).owner_url
