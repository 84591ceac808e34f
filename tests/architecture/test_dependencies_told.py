"""docs/dependencies.md has one line per dependency of pyproject.toml, and no other."""

import re
import tomllib

from tests.architecture.sources import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
PAGE = (CHECKOUT / "docs/dependencies.md").read_text(encoding="utf-8")
TOLD = re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]*) \| ([^|]*) \|$", PAGE, flags=re.MULTILINE)


def declared() -> set[str]:
    """Every distribution that pyproject.toml asks for: to run, to develop, to build."""
    project = PROJECT["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
        *PROJECT["build-system"]["requires"],
    ]
    return {_name(line) for line in wanted}


def test_every_dependency_has_its_line() -> None:
    missing = sorted(declared() - {name for name, _, _ in TOLD})

    assert missing == [], (
        "Add `| `name` | what for | why this one |` to docs/dependencies.md, or do without: "
        f"{missing}"
    )


def test_every_line_is_a_dependency() -> None:
    stale = sorted({name for name, _, _ in TOLD} - declared())

    assert stale == [], f"pyproject.toml does not ask for these; remove their lines: {stale}"


def test_every_line_says_what_for_and_why_this_one() -> None:
    silent = [name for name, use, reason in TOLD if not (use.strip() and reason.strip())]

    assert silent == [], f"Fill in both columns of docs/dependencies.md: {silent}"


def test_the_lock_names_no_registry() -> None:
    locks = [CHECKOUT / "requirements.lock", CHECKOUT / "requirements-dev.lock"]
    naming = [
        lock.name
        for lock in locks
        if re.search(r"index-url|find-links|https?://", lock.read_text())
    ]

    assert naming == [], f"Write them again with `make lock`: {naming}"


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match.group()).lower()
