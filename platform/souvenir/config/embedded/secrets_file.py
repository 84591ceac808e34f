"""The secrets of one home: made once, kept beside the data, and read at every start after."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from souvenir.config.embedded.errors import SecretsLost
from souvenir.config.embedded.places import FALLBACK, has_data
from souvenir.config.embedded.roles import Passwords, new_passwords

_NAME = "secrets.json"


@dataclass(frozen=True)
class Secrets:
    """All are random, URL-safe text: 32 bytes each, and 64 in `secret_key`, which is Django's."""

    passwords: Passwords
    secret_key: str


def read_or_make_secrets(home: Path, *, fallback: Path = FALLBACK) -> Secrets:
    """Give the secrets of `home`, made now if nothing there depends on older ones.

    Raises:
        SecretsLost: there is a database already, and no secrets.
    """
    path = home / _NAME
    if path.exists():
        kept = json.loads(path.read_text(encoding="ascii"))
        found = Secrets(new_passwords(kept=kept["passwords"]), kept["secret_key"])
        if asdict(found) != kept:  # a role has come since, or a secret has gone
            _write(path, found)
        return found
    if has_data(home, fallback=fallback):
        raise SecretsLost(home=home)
    made = Secrets(
        passwords=new_passwords(),
        secret_key=secrets.token_urlsafe(64),
    )
    _write(path, made)
    return made


def _write(path: Path, made: Secrets) -> None:
    """Write all of it or nothing, for the owner's eyes only, and on the disk before we go on."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(asdict(made), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
