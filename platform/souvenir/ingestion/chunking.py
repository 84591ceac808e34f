"""Cut a text into spans that are small enough to mean one thing."""

import re

TARGET_CHARACTERS = 900  # about 200 tokens of the local embedder

# Where a cut hurts least, best first: between paragraphs, lines, sentences, words.
_SEAMS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])\s+"),
    re.compile(r"\s+"),
)


def spans(text: str, *, target: int = TARGET_CHARACTERS) -> list[tuple[int, int]]:
    """(start, end) of each span, in characters, in order, without overlap; `end` is exclusive.

    No span is longer than `target`; together they hold every visible character; white space
    at their edges is left out. An empty or blank text has none.
    """
    found = []
    start = 0
    while start < len(text):
        end = _cut(text, start, target)
        inner = text[start:end]
        left = start + len(inner) - len(inner.lstrip())
        right = start + len(inner.rstrip())
        if left < right:
            found.append((left, right))
        start = end
    return found


def _cut(text: str, start: int, target: int) -> int:
    """The end of the span that begins at `start`: the last good seam in its second half."""
    limit = start + target
    if limit >= len(text):
        return len(text)
    for seam in _SEAMS:
        ends = [match.end() for match in seam.finditer(text, start + target // 2, limit)]
        if ends:
            return ends[-1]
    return limit
