"""Why something was found, as far as search says it."""

from dataclasses import dataclass

from souvenir.search.services import Answer, Found
from souvenir.search.time_expressions import Understood


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found. `why`: codes of the console's words, the strongest first."""

    found: Found
    why: list[str]


def hits(answer: Answer) -> list[Hit]:
    """What an answer holds, in its order."""
    return [Hit(found, _why(found, answer.time)) for found in answer.results]


def _why(found: Found, time: Understood | None) -> list[str]:
    by_words, by_meaning = found.bm25 is not None, found.similarity is not None
    why = ["words-and-meaning" if by_words and by_meaning else "words" if by_words else "meaning"]
    return [*why, "time"] if time is not None and _is_of(time, found) else why


def _is_of(time: Understood, found: Found) -> bool:
    at = found.occurred_at
    if at is None:
        return False
    return (time.since is None or at >= time.since) and (time.until is None or at < time.until)
