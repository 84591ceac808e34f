"""docs/formats.md tells every notice and every error, and no other."""

import re
from pathlib import Path

from souvenir.core.errors import Invalid
from souvenir.portability import errors
from souvenir.portability.notices import NOTICES

PAGE = (Path(__file__).parents[3] / "docs/formats.md").read_text(encoding="utf-8")


def codes_of(section: str) -> set[str]:
    part = PAGE.split(f"\n## {section}: ")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return set(re.findall(r"`([a-z0-9-]+)`", " ".join(cells)))


def test_every_notice_is_told() -> None:
    assert codes_of("Notices") == set(NOTICES)


def test_every_error_is_told() -> None:
    told = [error for error in vars(errors).values() if isinstance(error, type)]

    assert codes_of("Errors") == {e.code for e in told if issubclass(e, Invalid)} - {Invalid.code}
