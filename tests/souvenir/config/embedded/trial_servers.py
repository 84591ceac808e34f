"""What the tests of the embedded profile share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import TypeAlias

from souvenir.config.embedded.postgres import EmbeddedPostgres

ServerIn: TypeAlias = Callable[[Path], EmbeddedPostgres]
PASSWORD = token_hex(8)


def start_python(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Run a script that can import what we can, with its output in a pipe."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
