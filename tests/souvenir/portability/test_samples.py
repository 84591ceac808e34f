"""Every file of tests/samples against its line in tests/samples/README.md."""

import re
from pathlib import Path

import pytest

from souvenir.core.errors import Invalid
from souvenir.portability.fidelity import Fidelity
from souvenir.portability.notices import NOTICES
from souvenir.portability.reading import inspect, read

SAMPLES = Path(__file__).parents[2] / "samples"


def table(section: str) -> list[list[str]]:
    """The rows of one section's table: the cells of each, without its head."""
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    part = re.split(r"^## ", text.split(f"\n## {section}: ")[1], flags=re.MULTILINE)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def report(path: Path) -> Fidelity:
    fidelity = Fidelity(inspect(path))
    for item in read(path):
        fidelity.add(item)
    return fidelity


@pytest.mark.parametrize("section", ["good", "refused", "repaired"])
def test_every_sample_has_a_line_and_every_line_a_sample(section: str) -> None:
    files = sorted(path.name for path in (SAMPLES / section).iterdir())

    assert sorted(row[0] for row in table(section)) == files


@pytest.mark.parametrize(("name", "layout", "conversations", "messages"), table("good"))
def test_a_good_sample_is_read_whole(
    name: str, layout: str, conversations: str, messages: str
) -> None:
    path = SAMPLES / "good" / name

    inspection = inspect(path)
    fidelity = report(path)

    assert f"{inspection.provider} {inspection.layout}".strip() == layout
    assert fidelity.is_complete
    assert str(fidelity.as_json()["conversations"]) == conversations
    assert str(fidelity.as_json()["messages"]) == messages


@pytest.mark.parametrize(("name", "code"), table("refused"))
def test_a_sample_that_cannot_be_read_is_refused_with_its_code(name: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        inspect(SAMPLES / "refused" / name)

    assert refusal.value.code == code


@pytest.mark.parametrize(("name", "codes"), table("repaired"))
def test_an_odd_sample_is_read_whole_and_the_report_says_so(name: str, codes: str) -> None:
    fidelity = report(SAMPLES / "repaired" / name)

    notices = fidelity.as_json()["notices"]
    assert isinstance(notices, dict)
    assert sorted(notices) == [code.strip() for code in codes.split(",") if code]
    assert set(notices) <= set(NOTICES)
    assert fidelity.is_complete


def test_every_notice_has_a_sample_or_a_test_that_gives_it() -> None:
    given = {code.strip() for _, codes in table("repaired") for code in codes.split(",")}

    # These are given by good samples: the layouts themselves are so.
    by_layout = {"copy-left-out", "order-by-time", "secret-left-out"}
    # No reader gives this one: an import does, of what broke it (test_import_units.py).
    by_import = {"set-aside"}
    assert set(NOTICES) - given == by_layout | by_import
