"""What the logs of a Souvenir of our own tell: a line for each request, none of its words."""

import json
from dataclasses import dataclass
from pathlib import Path

from souvenir.config.embedded.postgres import EmbeddedPostgres
from souvenir.config.embedded.secrets_file import read_or_make_secrets


@dataclass
class Logs:
    """Of all processes and of the database server. Words are counted by where they stand."""

    megabytes: float = 0.0
    lines: int = 0
    requests: int = 0  # lines that tell of one
    without_id: int = 0  # of those
    ids: int = 0  # that are different
    broken: int = 0  # lines of Souvenir's own web that are no JSON
    planted: int = 0  # lines with a planted word

    def __str__(self) -> str:
        return (
            f"logs: {self.megabytes:.1f} MB, {self.lines} lines, {self.requests} of requests, "
            f"{self.without_id} of them without an id, {self.ids} ids; {self.broken} lines of the "
            f"web that are no JSON; lines with a planted word: {self.planted}"
        )


def look_through(home: Path, planted: tuple[str, ...]) -> Logs:
    """Every log of the Souvenir at `home`. Its log format has to be `json`."""
    password = read_or_make_secrets(home).passwords.superuser
    places = EmbeddedPostgres(home, password=password).places
    found, ids = Logs(), set[str]()
    spelled = [
        word.encode(encoding) for word in planted for encoding in ("utf-8", "unicode_escape")
    ]
    for path in [*(home / "log").rglob("*"), *places.log.rglob("*")]:
        if not path.is_file():
            continue
        text = path.read_bytes()
        found.megabytes += len(text) / 1e6
        for line in text.splitlines():
            found.lines += 1
            found.planted += any(word in line for word in spelled)
            if path.name == "web.log":
                _read(line, found, ids)
    found.ids = len(ids)
    return found


def _read(line: bytes, found: Logs, ids: set[str]) -> None:
    try:
        told = json.loads(line)
    except ValueError:
        found.broken += 1
        return
    if told.get("message") != "request":
        return
    found.requests += 1
    if "request_id" in told:
        ids.add(told["request_id"])
    else:
        found.without_id += 1
