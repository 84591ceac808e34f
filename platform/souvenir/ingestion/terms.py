"""A text as the terms that search matches: the same in a passage and in a question.

Each word is normalised (NFKC, case folded, French elision cut, accents folded) and stemmed in both
languages (Snowball); where the stems differ both count, so neither language has to be guessed.
"""

import re
import threading
import unicodedata

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)*")
_ELISION = re.compile(
    r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)[’'](?=\w)", flags=re.IGNORECASE
)
_MAX_TERM = 64  # characters; longer runs are not words, and would never be asked for whole

_ENGLISH = (
    "a an and are as at be been but by can could did do does for from had has have he her him "
    "his how i if in into is it its just me my no not of on or our she should so some such "
    "than that the their them then there these they this to up us was we were what when where "
    "which who will with would you your "
)
_FRENCH = (
    "au aux avec ce ces cet cette dans de des du elle elles en est et eu il ils je la le les "
    "leur leurs lui ma mais me mes moi mon ne nos notre nous on ou où par pas pour qu que qui "
    "quoi sa se ses si son sont sur ta te tes toi ton tu un une vos votre vous y à été être "
)
_STOP_WORDS = frozenset((_ENGLISH + _FRENCH).split())


class _Stemmers(threading.local):
    """Snowball stemmers keep state while they work: one pair per thread."""

    def __init__(self) -> None:
        self.english = Stemmer.Stemmer("english")
        self.french = Stemmer.Stemmer("french")


_stemmers = _Stemmers()


def terms(text: str) -> list[str]:
    """The terms of a text in order, with repeats, without stop words. May be empty."""
    found: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text)):
        word = match.group().casefold()
        if not word.isalnum():
            word = _ELISION.sub("", word)
        if word in _STOP_WORDS or len(word) > _MAX_TERM:
            continue
        found += _stems(word)
    return found


def _stems(word: str) -> list[str]:
    word = word.removesuffix("'s").removesuffix("’s")
    english = _without_accents(_stemmers.english.stemWord(_without_accents(word)))
    french = _without_accents(_stemmers.french.stemWord(word))
    return [english] if english == french else [english, french]


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
