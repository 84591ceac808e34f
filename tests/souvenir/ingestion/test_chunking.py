"""A text in spans: nothing lost, nothing twice, and what belongs together cut last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souvenir.ingestion.chunking import spans

CODE = "```python\nx = 1\n\n\ny = 2\n```\n"
LIST = "Pour partir :\n\n- le chat\n- la clé\n\n- l’accordéon\n"
TABLE = "| a | b |\n| - | - |\n| 1 | 2 |\n"
PIECES = st.sampled_from(
    [CODE, LIST, TABLE, "# Titre\n\n", "Une phrase. Une autre! ", "\n\n", "  \n", "x" * 300, "mot "]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from([20, 60, 200, 900]))
def test_spans_hold_all_that_can_be_seen_once_and_in_order(text: str, target: int) -> None:
    found = spans(text, target=target)

    edges = [0, *[edge for span in found for edge in span], len(text)]
    assert edges == sorted(edges)
    assert all(end - start <= target for start, end in found)
    between = [text[edges[place] : edges[place + 1]] for place in range(0, len(edges), 2)]
    assert "".join(between).strip() == ""
    assert all(text[start:end] == text[start:end].strip() for start, end in found)


@pytest.mark.parametrize("kept", [CODE, LIST, TABLE, "## Recette\n\nBattre les œufs.\n"])
def test_what_belongs_together_is_in_one_span(kept: str) -> None:
    text = f"{'Bla bla. ' * 9}\n\n{kept}\n{'Encore un mot. ' * 9}"

    said = [text[start:end] for start, end in spans(text, target=len(kept) + 40)]
    assert any(kept.strip() in span for span in said)


@pytest.mark.parametrize("kept", [CODE, LIST, TABLE, "## Recette\n\nBattre les œufs.\n"])
def test_no_part_of_it_stays_behind_with_what_stands_before(kept: str) -> None:
    target = 100
    for room in range(10, len(kept)):
        text = f"{'a' * (target - room - 2)}\n\n{kept}\nUn mot."

        said = [text[start:end] for start, end in spans(text, target=target)]
        assert any(kept.strip() in span for span in said)


def test_code_that_is_too_long_is_cut_between_its_lines() -> None:
    text = "```\n" + "".join(f"line_{number} = {number}\n" for number in range(100)) + "```"

    starts = [text[start:end] for start, end in spans(text, target=200)]
    assert all(said.startswith(("```", "line_")) for said in starts)


@pytest.mark.parametrize("text", ["", "   ", "\n\n\t"])
def test_a_blank_text_has_no_span(text: str) -> None:
    assert spans(text) == []
