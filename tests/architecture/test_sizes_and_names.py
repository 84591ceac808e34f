"""Files and functions stay small, and each is named for what it does."""

from collections import Counter
from pathlib import Path

from tests.architecture.sources import CHECKOUT, functions, shown, source_files

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
# They say nothing, so everything ends up in them.
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
COUNTED = (".py", ".sql", ".html", ".css", ".js")


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _written()}
    long = {shown(path): n for path, n in lengths.items() if n > MOST_LINES_OF_A_FILE}

    assert long == {}, (
        f"Split by what each part does; a file has at most {MOST_LINES_OF_A_FILE} lines: {long}"
    )


def test_no_function_is_too_long() -> None:
    long = {
        f"{function.place} {function.name}": function.lines
        for path in source_files(".py")
        for function in functions(path)
        if function.lines > MOST_LINES_OF_A_FUNCTION
    }

    assert long == {}, (
        f"Take parts out and name them; a function has at most {MOST_LINES_OF_A_FUNCTION} lines: "
        f"{long}"
    )


def test_no_file_has_a_name_that_says_nothing() -> None:
    found = [
        shown(path)
        for path in [*_written(), *(path.parent for path in source_files(".py"))]
        if path != CHECKOUT and path.stem in FORBIDDEN_NAMES
    ]

    assert sorted(set(found)) == [], "Name these for what they do (docs/style.md, “Not here”)."


def test_no_two_test_files_have_the_same_name() -> None:
    names = Counter(path.name for path in (CHECKOUT / "tests").rglob("test_*.py"))
    twice = sorted(name for name, count in names.items() if count > 1)

    assert twice == [], f"Rename all but one, so that a failing test is found by its name: {twice}"


def _written() -> list[Path]:
    return [path for path in source_files(*COUNTED) if not path.name.endswith(".min.js")]
