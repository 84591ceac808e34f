"""What the pages say can be followed: links lead somewhere, commands name what is there."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.test import Client

from tests.architecture.sources import CHECKOUT, pages, shell_blocks, shown

API = "/api/v1"
READMES = [CHECKOUT / "README.md", CHECKOUT / "README.fr.md"]
# The document itself is not in the document.
UNDOCUMENTED = {"/openapi.json": {"get"}}
each_page = pytest.mark.parametrize("page", pages(), ids=shown)


@each_page
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    broken = [target for target in _links(page) if not _leads_somewhere(page, target)]

    assert broken == [], f"Correct these links of {shown(page)}: {broken}"


@each_page
def test_every_command_calls_an_address_that_is_answered(page: Path) -> None:
    unknown = [
        f"{method.upper()} {path}"
        for block in shell_blocks(page.read_text(encoding="utf-8"))
        for method, path in _calls(block)
        if method not in _methods_of(path)
    ]

    assert unknown == [], f"{shown(page)} calls what the API does not answer: {unknown}"


def test_the_tour_goes_through_every_part_of_the_api() -> None:
    tour = READMES[0].read_text(encoding="utf-8")
    visited = {path.split("/")[1] for block in shell_blocks(tour) for _, path in _calls(block)}
    parts = {path.split("/")[1] for path in _api()}

    # Not in a tour: keys are shown once, jobs come with what they do, a download is a signed link,
    # webhooks need somewhere to call (docs/api.md), and a checkpoint is up to a minute away
    # (docs/audit.md).
    kept_out = {"keys", "jobs", "downloads", "placements", "webhooks", "openapi.json", "audit"}
    assert parts - visited <= kept_out, "Add a step to the tour of both READMEs."


@each_page
def test_every_make_target_is_there(page: Path) -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", text))
    for block in shell_blocks(text):
        named |= set(re.findall(r"^make ([a-z-]+)", block, flags=re.MULTILINE))

    assert sorted(named - targets) == [], f"{shown(page)} names what the Makefile does not have."


def test_both_readmes_give_the_same_commands() -> None:
    english, french = (_commands(page) for page in READMES)

    assert english == french, "A command was changed in one of README.md and README.fr.md only."


def test_both_readmes_have_the_same_sections() -> None:
    english, french = (_heading_levels(page) for page in READMES)

    assert english == french, "A section was added to one of README.md and README.fr.md only."


def test_the_map_names_every_page() -> None:
    map_page = CHECKOUT / "docs/README.md"
    linked = {
        (map_page.parent / unquote(link).partition("#")[0]).resolve() for link in _links(map_page)
    }
    unlisted = [shown(page) for page in (CHECKOUT / "docs").rglob("*.md") if page not in linked]

    assert sorted(set(unlisted) - {"docs/README.md"}) == [], (
        "Add a line for each to docs/README.md."
    )


def test_decisions_are_numbered_in_order_and_have_their_three_parts() -> None:
    decisions = sorted((CHECKOUT / "docs/decisions").glob("*.md"))

    numbers = [page.name[:4] for page in decisions]
    assert numbers == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for page in decisions:
        parts = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequence"], f"Write {page.name} in these parts."


def _links(page: Path) -> list[str]:
    """Targets of Markdown links and images, and of `src` and `href`, but those of other sites."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    found = re.findall(r"\]\(([^()\s]+(?:\([^()]*\))?)\)", text)
    found += re.findall(r'(?:src|href|srcset)="([^"]+)"', text)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / unquote(path)).resolve() if path else page
    if not file.exists() or not file.is_relative_to(CHECKOUT):
        return False
    return not anchor or file.suffix != ".md" or anchor in _anchors(file)


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in kept}


def _commands(page: Path) -> list[str]:
    """What is typed, without the texts that are searched or remembered, which are translated."""
    blocks = shell_blocks(page.read_text(encoding="utf-8"))
    return [re.sub(r"^ *#.*\n", "", block, flags=re.MULTILINE) for block in blocks]


def _heading_levels(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.findall(r"^#+", text, flags=re.MULTILINE)


def _calls(block: str) -> Iterator[tuple[str, str]]:
    """(method, path below the API) of each call of curl in a block."""
    for command in re.sub(r"\\\n", " ", block).split("curl")[1:]:
        line = command.split("\n")[0]
        address = re.search(rf"{API}(/[^\s\"'?]*)", line)
        if address is None:
            continue
        named = re.search(r"-X ([A-Z]+)", line)
        sends = re.search(r" (?:-d|-F|--json|--data)\b", line)
        method = named.group(1) if named else "POST" if sends else "GET"
        yield method.lower(), re.sub(r"\$\{?\w+\}?", "{}", address.group(1))


@cache
def _api() -> dict[str, set[str]]:
    """Path below the API, with `{}` for each parameter → methods that are answered."""
    document = json.loads(Client().get(f"{API}/openapi.json").content)
    paths = {
        re.sub(r"\{\w+\}", "{}", path).removeprefix(API): set(operations)
        for path, operations in document["paths"].items()
    }
    return paths | UNDOCUMENTED


def _methods_of(path: str) -> set[str]:
    return _api().get(path, set())
