"""Phrases in a question: what stands between quotation marks is looked for as it is written.

The database sees blind tokens: it finds the passages that have all the words of a phrase. Whether
they stand there as they are written is seen once the text is opened.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from math import log

PHRASE_SHARE = 0.2  # of a score: what is quoted, and rare, comes before what fits as well
_LONGEST, _MOST = 300, 8  # characters of a phrase; phrases of a question
MOST_WITH_PHRASES = 200  # passages that have all the words of a phrase, and are opened to be read
_ARM = """ UNION (
    SELECT v.passage_id FROM hit v {narrow} WHERE v.term = ANY (%(phrase_{place})s)
    GROUP BY v.passage_id HAVING count(DISTINCT v.term) = (
        SELECT count(DISTINCT term) FROM asked WHERE term = ANY (%(phrase_{place})s)
    )
    ORDER BY v.passage_id LIMIT {most}
)"""
_QUOTED = re.compile(
    rf"«([^«»]{{1,{_LONGEST}}})»|“([^“”]{{1,{_LONGEST}}})”|(?<!\w)\"([^\"]{{1,{_LONGEST}}})\"(?!\w)"
)
_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_QUOTES = str.maketrans("’ʼ‘", "'''")


def phrases_of(question: str) -> list[str]:
    """The phrases of a question, ready to be compared; empty ones left out."""
    found = (next(filter(None, match)) for match in _QUOTED.findall(question))
    return [phrase for phrase in map(_plain, found) if phrase][:_MOST]


def phrase_arms(count: int, *, narrow: str) -> str:
    """SQL for more candidates: the passages that have all the words of one of the phrases."""
    arms = (_ARM.format(place=n, most=MOST_WITH_PHRASES, narrow=narrow) for n in range(count))
    return "".join(arms)


def phrases_in(phrases: list[str]) -> Callable[[str], frozenset[int]] | None:
    """Says which of some phrases a text has; None where there are none: open no text for it.

    Small or large letters, any white space, but accents as they are; and whole words.
    """
    if not phrases:
        return None
    patterns = [re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)") for phrase in phrases]

    def which(text: str) -> frozenset[int]:
        plain = _plain(text)
        return frozenset(n for n, pattern in enumerate(patterns) if pattern.search(plain))

    return which


def worth_of_phrases(found: Sequence[frozenset[int]]) -> list[float]:
    """What the phrases of each text add to its score: up to PHRASE_SHARE for each phrase.

    A phrase that a single text has counts in full; one that all have tells none from another
    (inverse document frequency: Spärck Jones 1972).
    """
    having = Counter(phrase for phrases in found for phrase in phrases)
    most = log(len(found)) if len(found) > 1 else 1.0
    worth = {phrase: PHRASE_SHARE * log(len(found) / n) / most for phrase, n in having.items()}
    return [sum(worth[phrase] for phrase in phrases) for phrases in found]


def _plain(text: str) -> str:
    normal = unicodedata.normalize("NFC", text).translate(_QUOTES).casefold()
    return _SPACES.sub(" ", normal).strip()
