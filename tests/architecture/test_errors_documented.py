"""docs/errors.md has a heading for each code that a person may see, and no other."""

import re
from collections import Counter

import pytest

from souvenir.api.problems import status_of
from souvenir.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    SouvenirError,
    Unavailable,
)
from tests.architecture.sources import CHECKOUT, PACKAGES, modules

CATEGORIES = (Invalid, NotFound, Forbidden, Conflict, Unavailable)
PAGE = (CHECKOUT / "docs/errors.md").read_text(encoding="utf-8")
# A heading, and the line under it: **category**, and the status where HTTP has one.
TOLD = {
    code: (category, status)
    for code, category, status in re.findall(
        r"^### ([a-z0-9-]+)\n\n\*\*(\w+)\*\*(?: · (\d{3}))?", PAGE, flags=re.MULTILINE
    )
}


def errors() -> list[type[SouvenirError]]:
    """Every error class of ours but the root and the five categories."""
    modules()  # a class is known once its module is imported
    found: list[type[SouvenirError]] = []
    waiting: list[type[SouvenirError]] = [SouvenirError]
    while waiting:
        children = waiting.pop().__subclasses__()
        found += [child for child in children if child.__module__.split(".")[0] in PACKAGES]
        waiting += children
    return sorted(
        (kind for kind in set(found) if kind not in CATEGORIES), key=lambda kind: kind.code
    )


def test_each_error_has_a_code_and_a_message_of_its_own() -> None:
    bare = [
        f"{kind.__module__}.{kind.__name__}"
        for kind in errors()
        if not {"code", "message"} <= vars(kind).keys()
    ]

    assert bare == [], f"Give each a `code` and a `message = gettext_noop(…)`: {bare}"


def test_no_two_errors_have_the_same_code() -> None:
    counts = Counter(kind.code for kind in errors())
    twice = sorted(code for code, count in counts.items() if count > 1)

    assert twice == [], f"Clients branch on codes; rename all but one of each: {twice}"


def test_codes_are_lower_case_words_with_dashes() -> None:
    odd = [kind.code for kind in errors() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.code)]

    assert odd == [], f"Write them like `memory-not-found`: {odd}"


def test_each_error_is_of_one_category() -> None:
    loose = [
        kind.__name__ for kind in errors() if sum(issubclass(kind, c) for c in CATEGORIES) != 1
    ]

    assert loose == [], f"Inherit from one of souvenir.core.errors’ five categories: {loose}"


def test_each_error_has_its_heading_in_the_page() -> None:
    missing = [f"{kind.code} ({kind.__name__})" for kind in errors() if kind.code not in TOLD]

    assert missing == [], (
        "Add to docs/errors.md, in the section of its package, `### code`, an empty line, "
        f"`**Category** · status`, and what a person can do: {missing}"
    )


def test_each_heading_in_the_page_is_an_error() -> None:
    headings = set(re.findall(r"^### (.+)$", PAGE, flags=re.MULTILINE))
    stale = sorted(headings - {kind.code for kind in errors()})

    assert stale == [], (
        f"No error has these codes any more; remove them from docs/errors.md: {stale}"
    )


@pytest.mark.parametrize("part", ["category", "status"])
def test_the_page_tells_the_category_and_the_status_of_each_error(part: str) -> None:
    wrong = {}
    for kind in (kind for kind in errors() if kind.code in TOLD):
        category = next(c.__name__ for c in CATEGORIES if issubclass(kind, c))
        told = dict(zip(("category", "status"), TOLD[kind.code], strict=True))
        true = {"category": category, "status": str(status_of(kind(**_params(kind))).value)}
        if told[part] and told[part] != true[part]:
            wrong[kind.code] = f"says {told[part]}, is {true[part]}"

    assert wrong == {}, f"Correct the line under these headings of docs/errors.md: {wrong}"


def _params(kind: type[SouvenirError]) -> dict[str, str]:
    return dict.fromkeys(re.findall(r"\{(\w+)\}", kind.message), "…")
