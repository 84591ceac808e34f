"""A passage as it is searched: its own text, and what stands around it that helps to find it.

An answer such as “Yes, next Tuesday” is found by the question before it, and a passage in the
middle of a talk by the talk's title. What is shown is the passage's own text alone.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from souvenir.ingestion.languages import language_of
from souvenir.ingestion.terms import date_terms, exact_terms, terms

# The unit of a term's frequency: said once is QUARTERS, said just before is one quarter of that.
QUARTERS = 4
BEFORE_CHARACTERS = 120  # of what was said just before: measured (docs/benchmarks.md)
_BEFORE_TERMS = 6  # the last ones: they stand nearest to the answer
MAX_TERMS = 256  # distinct terms kept per passage; a passage of prose has about 100
_SENTENCE_END = re.compile(r"[.!?…\n]\s+")
_GAP = re.compile(r"\s")


@dataclass(frozen=True)
class Searchable:
    """What one passage is found by."""

    text: str
    title: str = ""  # of the conversation
    author: str = ""  # who says it, where the source names them
    before: str = ""  # the end of what was said just before
    said_on: date | None = None

    @cached_property
    def language(self) -> str:
        """Of the text itself, as `languages` names it."""
        return language_of(self.text)

    def for_meaning(self) -> str:
        """The text that is embedded."""
        said = f"{self.author}: {self.text}" if self.author else self.text
        return "\n".join(part for part in (self.title, self.before, said) if part)

    def for_words(self) -> Counter[str]:
        """How often each term stands there, in quarters; the MAX_TERMS most frequent."""
        found = Counter({term: QUARTERS * n for term, n in self._own().items()})
        before = list(dict.fromkeys(reversed(terms(self.before, language=self.language))))
        found.update(dict.fromkeys(before[:_BEFORE_TERMS], 1))
        return Counter(dict(found.most_common(MAX_TERMS)))

    def _own(self) -> Counter[str]:
        language = self.language
        around = {*_of_another(self.title, language), *_of_another(self.author, language)}
        dated = date_terms(self.said_on) if self.said_on else []
        names = exact_terms(self.text) | exact_terms(f"{self.author} {self.title}")
        return Counter([*terms(self.text, language=language), *around, *dated, *names])


def _of_another(text: str, language: str) -> list[str]:
    """The terms of a title or a name: of its own language, if it shows one; else the passage's."""
    return terms(text, language=language_of(text) or language)


def end_of(text: str, end: int) -> str:
    """At most BEFORE_CHARACTERS before `end`, from where a sentence or a word begins."""
    near = text[max(0, end - 2 * BEFORE_CHARACTERS) : end].rstrip()
    last = near[-BEFORE_CHARACTERS:]
    if len(near) == len(last) and end <= 2 * BEFORE_CHARACTERS:
        return last.lstrip()
    # A sentence that is cut short says little: better its last words than nothing.
    gap = _SENTENCE_END.search(last, 0, BEFORE_CHARACTERS - 20) or _GAP.search(last)
    return last[gap.end() :] if gap else last
