"""Whom a question names: what they said themselves is likelier to answer it."""

import re
import unicodedata
from collections.abc import Callable

from souvenir.ingestion.languages import ENGLISH_SMALL_WORDS, FRENCH_SMALL_WORDS

_WORD = re.compile(r"[^\W\d_]{2,}")
_NO_NAMES = ENGLISH_SMALL_WORDS | FRENCH_SMALL_WORDS


def named_in(question: str) -> Callable[[str], bool]:
    """Says whether a question has one of the names of an author. Large or small, any accents."""
    asked = _words(question)
    return lambda author: not asked.isdisjoint(_words(author))


def _words(text: str) -> set[str]:
    words = {word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", text))}
    return {_without_accents(word) for word in words - _NO_NAMES}


def _without_accents(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
