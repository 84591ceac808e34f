"""Phrases in a question: what stands between quotation marks is looked for as it is written, and so
are numbers with signs, addresses and identifiers, which nobody puts between any.

The database sees blind tokens: it finds the passages that have all the words of a phrase. Whether
they stand there as they are written is seen once the text is opened.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from math import log
from typing import TypeAlias

from souvenir.ingestion.terms import marks

Had: TypeAlias = frozenset[int | str]  # the places of phrases, and marks
PHRASE_SHARE = 0.2  # of a score: what is quoted, and rare, comes before what fits as well
_LONGEST, _MOST = 300, 8  # characters of a phrase; phrases of a question
MOST_WITH_PHRASES = 200  # passages that have all the words of a phrase, and are opened to be read
_ARM = """ UNION ALL (
    SELECT v.passage_id, NULL, NULL FROM (
        SELECT passage_id FROM hit WHERE term = ANY (%(phrase_{place})s)
        GROUP BY passage_id HAVING count(DISTINCT term) = (
            SELECT count(DISTINCT term) FROM asked WHERE term = ANY (%(phrase_{place})s)
        ) ORDER BY passage_id
    ) v {narrow} ORDER BY v.passage_id LIMIT {most}
)"""
_QUOTED = re.compile(
    rf"«([^«»]{{1,{_LONGEST}}})»|“([^“”]{{1,{_LONGEST}}})”|(?<!\w)\"([^\"]{{1,{_LONGEST}}})\"(?!\w)"
)
_SIGNS = re.compile(r"[^a-z0-9]+")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_TYPED = str.maketrans({**dict.fromkeys("’ʼ‘´", "'"), "œ": "oe", "æ": "ae", "\u00ad": None})


def apart(question: str) -> tuple[list[str], str]:
    """What a question quotes, as it stands there, without what is blank; and the rest of it."""
    quoted: list[str] = []

    def taken(match: re.Match[str]) -> str:
        phrase = next(filter(None, match.groups()))
        if len(quoted) == _MOST or not phrase.strip():
            return match.group()
        quoted.append(phrase)
        return " "

    rest = _QUOTED.sub(taken, question)
    return quoted, rest


def phrase_arms(count: int, *, narrow: str) -> str:
    """SQL for more candidates: the passages that have all the words of one of the phrases."""
    arms = (_ARM.format(place=n, most=MOST_WITH_PHRASES, narrow=narrow) for n in range(count))
    return "".join(arms)


def phrases_in(question: str) -> Callable[[str], Had] | None:
    """Says which phrases and marks of a question a text has; None where it has none itself: open no
    text for it.

    Small or large letters, any white space, any apostrophe, œ as oe, but accents as they are; and
    whole words.
    """
    quoted, rest = apart(question)
    asked = marks(rest)
    if not quoted and not asked:
        return None
    patterns = [re.compile(rf"(?<!\w){re.escape(_plain(phrase))}(?!\w)") for phrase in quoted]

    def which(text: str) -> Had:
        plain = _plain(text) if patterns else ""
        found = {n for n, pattern in enumerate(patterns) if pattern.search(plain)}
        return frozenset(found | _had(asked, text))

    return which


def _had(asked: set[str], text: str) -> set[str]:
    if not asked:
        return asked
    letters = _SIGNS.sub("", text.casefold())  # to look at few texts twice
    return asked & marks(text) if any(mark[1:] in letters for mark in asked) else set()


def worth_of_phrases(found: Sequence[Had]) -> list[float]:
    """What the phrases and marks of each text add to its score: up to PHRASE_SHARE for each.

    A phrase that a single text has counts in full; one that all have tells none from another
    (inverse document frequency: Spärck Jones 1972).
    """
    having = Counter(phrase for phrases in found for phrase in phrases)
    most = log(len(found)) if len(found) > 1 else 1.0
    worth = {phrase: PHRASE_SHARE * log(len(found) / n) / most for phrase, n in having.items()}
    return [sum(worth[phrase] for phrase in phrases) for phrases in found]


def _plain(text: str) -> str:
    normal = unicodedata.normalize("NFC", text).casefold().translate(_TYPED)
    return _SPACES.sub(" ", normal).strip()
