"""How many tokens a text takes in a prompt: an estimate that is meant to be too high.

Which model will read the text is not known here. Counted are the pieces of the local embedder's
tokenizer, and on top of them what other tokenizers cut finer: digits, signs, scripts other than
Latin, and the ends of lines (docs/api.md has the figures, tests/souvenir/search/token_counts.json
what two of them make of texts of many kinds).
"""

from bisect import bisect_left
from math import ceil

from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.embedding.local import local_embedder

_DIGITS_PER_TOKEN = 3
# Of a letter beyond ASCII, up to a code point: what it may take besides its piece. Scripts that are
# rare in what tokenizers are made from, such as Cree's and Inuktitut's, fall apart into bytes.
_BESIDES = (
    (0x024F, 0.0),  # Latin
    (0x03FF, 1.0),
    (0x052F, 0.5),  # Cyrillic
    (0x05FF, 1.0),
    (0x06FF, 0.5),  # Arabic
    (0x07FF, 1.0),
    (0x08FF, 3.0),
    (0x097F, 0.75),  # Devanagari
    (0x0DFF, 3.0),
    (0x0E7F, 0.75),  # Thai
    (0x1FFF, 3.0),
    (0x206F, 0.5),  # typographic marks
    (0x2BFF, 1.0),  # signs
    (0x2FFF, 3.0),
    (0x30FF, 0.75),  # Japanese
    (0x33FF, 3.0),
    (0x9FFF, 0.75),  # Chinese
    (0xABFF, 3.0),
    (0xD7AF, 0.75),  # Korean
    (0xFEFF, 3.0),
    (0xFFEF, 0.75),
    (0x10FFFF, 2.5),  # emoji
)
_LASTS = tuple(last for last, _ in _BESIDES)


class TokenCounter:
    """Counts for one answer, and remembers its words for as long."""

    def __init__(self) -> None:
        self._words: dict[str, int] = {}

    def lines(self, text: str) -> int:
        """Tokens of one line or several, their ends among them. Lines add up."""
        return sum(1 + sum(map(self._word, line.split())) for line in text.split("\n"))

    def _word(self, word: str) -> int:
        if word not in self._words:
            self._words[word] = _pieces(word) + _finer(word)
        return self._words[word]


def _pieces(word: str) -> int:
    try:
        return local_embedder().count_tokens(word)
    except EmbedderUnavailable:
        return len(word)  # no tokenizer has more than one for a letter


def _finer(word: str) -> int:
    """What other tokenizers take beyond the pieces."""
    digits = sum(map(str.isdigit, word))
    letters = 0.0 if word.isascii() else sum(map(_besides, word))
    return -(-digits // _DIGITS_PER_TOKEN) + ceil(letters)


def _besides(letter: str) -> float:
    return 0.0 if letter.isascii() else _BESIDES[bisect_left(_LASTS, ord(letter))][1]
