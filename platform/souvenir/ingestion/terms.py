"""A text as the terms that search matches: the same in a passage and in a question.

A word is normalised (NFKC, case folded, French elision cut, accents and ligatures folded) and
stemmed (Snowball) in the language of its text; in both, where the language is not known. What
stemming could lose is kept beside the stems as it stands: names, and marks such as `PU-2026-0147`
or `user_names`.
"""

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

import Stemmer

from souvenir.ingestion.languages import (
    ENGLISH,
    ENGLISH_SMALL_WORDS,
    FRENCH,
    FRENCH_SMALL_WORDS,
    UNKNOWN,
)

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_ELISION = re.compile(
    r"^(?:(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=\w))+", flags=re.IGNORECASE
)
_ENGLISH_ENDING = re.compile(r"(?:n't|'(?:s|re|ll|ve|m|d))$")
# A telephone number is none.
_THOUSANDS = re.compile(r"(?<![\w.,])(?<!\d )\d{1,3}(?:[ ,]\d{3})++(?! ?\d)")
# Written apart or together: « 8 h 30 », « 8h30 »; "5 km", "5km".
_MEASURE = re.compile(r"(?<!\w)(\d+)(h|min|k?m|[cm]m|[km]?g|[cm]?[lL])(?=\d{0,2}(?!\w))")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|[eè]?re|[eè]me|e)")
_MARK = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]+(?:[-_./\\@:+#,][A-Za-z0-9]+)+")
_OF_A_MARK = re.compile(r"[0-9]|^(?=.{6}).*(?:[_.\\@]|[/:].*[/:])")  # else words, or "p.m"
_TELEPHONE = re.compile(r"(?<!\w)\(?(\d{3})\)?[ .-]?(\d{3})[ .-](\d{4})(?!\w)")
_ISO_DAY = re.compile(r"(?<![\w-])(\d{4})-(0[1-9]|1[0-2])-(\d\d)(?![\w-])")
_BEFORE_A_SENTENCE = re.compile(r"(?:^|[.!?…:\n«\"“(\[]|[-–—*•|]\s)\s*$")
_MAX_TERM = 64  # characters; longer runs are not words, and would never be asked for whole
_SMALL_WORDS = {
    ENGLISH: ENGLISH_SMALL_WORDS,
    FRENCH: FRENCH_SMALL_WORDS,
    UNKNOWN: ENGLISH_SMALL_WORDS | FRENCH_SMALL_WORDS,
}
_MONTHS = (
    ("january", "janvier"), ("february", "février"), ("march", "mars"), ("april", "avril"),
    ("may", "mai"), ("june", "juin"), ("july", "juillet"), ("august", "août"),
    ("september", "septembre"), ("october", "octobre"), ("november", "novembre"),
    ("december", "décembre"),
)  # fmt: skip
_MONTH_TERMS = {
    language: {names[place]: f"month:{number}" for number, names in enumerate(_MONTHS, start=1)}
    for place, language in enumerate((ENGLISH, FRENCH))
}
# What NFKC leaves as it was typed: apostrophes, hyphens, ligatures.
_TYPED = str.maketrans(
    {**dict.fromkeys("’ʼ‘´", "'"), **dict.fromkeys("‐‑", "-"), "\u00ad": None}
    | {"œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae"}
)
# The endings by which French stems differ where nobody typed the accent.
_ENDINGS = tuple(
    (re.compile(rf"{bare}(s?)$"), rf"{accented}\1")
    for bare, accented in (("ee", "ée"), ("iere", "ière"), ("ite", "ité"), ("ie", "ié"))
)
_VERBS_TOO = frozenset({"march", "may"})  # months only where they are written large


class _Stemmers(threading.local):
    """Snowball stemmers keep state while they work: one pair per thread."""

    def __init__(self) -> None:
        self.english = Stemmer.Stemmer("english")
        self.french = Stemmer.Stemmer("french")


_stemmers = _Stemmers()


def terms(text: str, *, language: str = UNKNOWN) -> list[str]:
    """The terms of a text in order, with repeats, without small words. May be empty.

    The name of a month is the same term in both languages, and so is a number however its thousands
    are set apart.
    """
    return [term for word in _words(text, language, _stems) for term in word]


def asked_terms(text: str, *, language: str = UNKNOWN) -> list[tuple[str, ...]]:
    """The words of a question, each once: the terms that it may be found as, mostly one.

    Where somebody types no accents, a French word is also looked for as it would be with them.
    """
    has_accents = _without_accents(text) != text
    return sorted(set(_words(text, language, _stems if has_accents else _stems_with_accents)))


def _words(
    text: str, language: str, stems: Callable[[str, str], tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    normal = _ISO_DAY.sub(partial(_in_words, language), _normal(text))
    for match in _WORD.finditer(normal):
        word = _bare(match.group().casefold())
        if ordinal := _ORDINAL.fullmatch(word):
            word = ordinal[1]
        if word and len(word) <= _MAX_TERM and word not in _SMALL_WORDS[language]:
            yield _month(match.group(), word, language) or stems(word, language)


def exact_terms(text: str, *, is_question: bool = False) -> set[str]:
    """What must be found as it is written: names that a stem would change, and marks.

    A name is a word written large; in a passage only where no sentence begins, in a question
    anywhere. So is one that is written large within: `userNames`. None is a term of `terms`.
    """
    normal = _normal(text)
    found = _marks(normal)
    for match in _WORD.finditer(normal):
        name = _bare(match.group())
        is_large_within = name[1:] != name[1:].lower()
        if not (name[:1].isupper() or is_large_within) or not 1 < len(name) <= _MAX_TERM:
            continue
        before = normal[max(0, match.start() - 4) : match.start()]
        if is_question or is_large_within or not _BEFORE_A_SENTENCE.search(before):
            found |= _kept_name(name.casefold())
    return found


def marks(text: str) -> set[str]:
    """Those of the exact terms that are no names: numbers with signs, addresses, identifiers."""
    return _marks(_normal(text))


def date_terms(day: date) -> list[str]:
    """The terms by which what was said on a day is found: its number, its month, its year."""
    return [str(day.day), f"month:{day.month}", str(day.year)]


def _normal(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text.translate(_TYPED))
    normal = _THOUSANDS.sub(_digits, _TELEPHONE.sub(r"\1-\2-\3", normal))
    return _MEASURE.sub(r"\1 \2 ", normal)


def _marks(normal: str) -> set[str]:
    return {
        "#" + re.sub(r"[^a-z0-9]", "", mark.group().casefold())
        for mark in _MARK.finditer(normal)
        if _OF_A_MARK.search(mark.group()) and len(mark.group()) <= _MAX_TERM
    }


def _in_words(language: str, day: re.Match[str]) -> str:
    english, french = _MONTHS[int(day[2]) - 1]
    name = english if language == ENGLISH else french
    return f"{int(day[3])} {name.title()} {day[1]}"


def _kept_name(word: str) -> set[str]:
    folded = _without_accents(word)
    is_small = word in _SMALL_WORDS[UNKNOWN]
    unchanged = set(_stems(word, UNKNOWN)) == {folded}
    return set() if is_small or unchanged else {"=" + folded}


def _digits(match: re.Match[str]) -> str:
    return re.sub(r"\D", "", match.group())


def _bare(word: str) -> str:
    """A word without what English and French hang on it with an apostrophe."""
    return word if word.isalnum() else _ENGLISH_ENDING.sub("", _ELISION.sub("", word))


def _month(written: str, word: str, language: str) -> tuple[str, ...]:
    """The month that a word names; none where it is a verb, or a planet."""
    if word in _VERBS_TOO and not written[0].isupper():
        return ()
    languages = (language,) if language else (ENGLISH, FRENCH)
    return tuple(_MONTH_TERMS[each][word] for each in languages if word in _MONTH_TERMS[each])


def _stems(word: str, language: str) -> tuple[str, ...]:
    if word.isdigit():
        return (word,)
    english = _without_accents(_stemmers.english.stemWord(_without_accents(word)))
    if language == ENGLISH:
        return (english,)
    french = _without_accents(_stemmers.french.stemWord(word))
    return (french,) if language == FRENCH or english == french else (english, french)


def _stems_with_accents(word: str, language: str) -> tuple[str, ...]:
    stems = _stems(word, language)
    if language == ENGLISH or word.isdigit():
        return stems
    spellings = (ending.sub(accented, word) for ending, accented in _ENDINGS)
    return tuple(dict.fromkeys([*stems, *(_stems(each, FRENCH)[0] for each in spellings)]))


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
