"""How many tokens a text takes in a prompt: an estimate that is meant to be too high.

Which model will read the text is not known here. Counted are the pieces of the local embedder's
tokenizer, and on top of them what other tokenizers cut finer: digits, scripts other than Latin,
and the ends of lines (docs/api.md has the figures).
"""

from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.embedding.local import local_embedder

_LAST_LATIN = "\u024f"
_PUNCTUATION = ("\u2000", "\u206f")
_DIGITS_PER_TOKEN = 3
_FOREIGN_BYTES_PER_TOKEN = 4


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
    foreign = 0 if word.isascii() else sum(map(_foreign_bytes, word))
    return -(-digits // _DIGITS_PER_TOKEN) - (-foreign // _FOREIGN_BYTES_PER_TOKEN)


def _foreign_bytes(letter: str) -> int:
    is_near = letter <= _LAST_LATIN or _PUNCTUATION[0] <= letter <= _PUNCTUATION[1]
    return 0 if is_near else len(letter.encode("utf-8", "replace"))
