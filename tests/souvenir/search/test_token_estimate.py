"""The estimate of tokens against what two tokenizers of models make of texts of many kinds.

token_counts.json has the texts, each line of which begins as a line of a block does, and the tokens
that `cl100k_base` and `o200k_base` made of them (package bpe-openai 0.1.4).
"""

import json
from pathlib import Path

import pytest

from souvenir.search.tokens import TokenCounter

_COUNTED = json.loads((Path(__file__).parent / "token_counts.json").read_text())
_NAMES = ("cl100k_base", "o200k_base")


@pytest.mark.parametrize("kind", _COUNTED)
def test_no_text_takes_more_tokens_than_are_counted(kind: str) -> None:
    counted = _COUNTED[kind]

    assert TokenCounter().lines(counted["text"]) >= max(counted[name] for name in _NAMES)


@pytest.mark.parametrize("kind", ["English prose", "French prose", "numbers and ids"])
def test_prose_takes_not_much_less_either(kind: str) -> None:
    counted = _COUNTED[kind]

    assert TokenCounter().lines(counted["text"]) <= 1.25 * max(counted[name] for name in _NAMES)
