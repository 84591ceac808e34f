"""Cut a text into spans that are small enough to mean one thing.

What belongs together is cut last: a block of code, a table, the points of a list with the line that
introduces them, a heading with what it heads.
"""

import re
from collections.abc import Iterator

TARGET_CHARACTERS = 900  # about 200 tokens of the local embedder: measured (docs/benchmarks.md)

# Where a cut hurts least, best first: between paragraphs, lines, sentences, words.
_SEAMS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])\s+"),
    re.compile(r"\s+"),
)
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_POINT = re.compile(r"[ \t]*(?:[-*•–—]|\d{1,3}[.)])[ \t]+\S")
_ROW = re.compile(r"[ \t]*\|")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_LINE = re.compile(r"[^\n]*(?:\n|$)")


def spans(text: str, *, target: int = TARGET_CHARACTERS) -> list[tuple[int, int]]:
    """(start, end) of each span, in characters, in order, without overlap; `end` is exclusive.

    No span is longer than `target`; together they hold every visible character; white space
    at their edges is left out. An empty or blank text has none.
    """
    found: list[tuple[int, int]] = []
    start = end = 0
    for piece_start, piece_end in _pieces(text, target):
        if piece_end - start > target:
            found += _visible(text, start, end)
            start = piece_start
        end = piece_end
    return found + _visible(text, start, end)


def _visible(text: str, start: int, end: int) -> list[tuple[int, int]]:
    inner = text[start:end]
    left = start + len(inner) - len(inner.lstrip())
    right = start + len(inner.rstrip())
    return [(left, right)] if left < right else []


def _pieces(text: str, target: int) -> Iterator[tuple[int, int]]:
    """The text without gaps, in pieces that are not longer than `target`."""
    for start, end in _units(text):
        at = start
        while end - at > target:
            cut = _cut(text, at, at + target)
            yield at, cut
            at = cut
        yield at, end


def _cut(text: str, start: int, limit: int) -> int:
    """Where a unit that is too long is cut: at the last good seam in its second half."""
    for seam in _SEAMS:
        ends = [match.end() for match in seam.finditer(text, (start + limit) // 2, limit)]
        if ends:
            return ends[-1]
    return limit


def _units(text: str) -> Iterator[tuple[int, int]]:
    """The text without gaps, in units that are better not cut: paragraphs, code, lists, tables."""
    start = end = 0
    previous = ""
    fence = ""
    for line in _LINE.finditer(text):
        kind, fence = _kind(line.group(), fence)
        if start < end and not _goes_on(previous, kind):
            yield start, end
            start = end
        previous = _OVER_A_GAP.get(previous, kind) if kind == "blank" else kind
        end = line.end()
    if start < end:
        yield start, end


# A blank line does not end these: what they introduce, or the next point, may follow it.
_OVER_A_GAP = {
    **dict.fromkeys(("point", "point, gap"), "point, gap"),
    "heading": "heading",
    **dict.fromkeys(("introduction", "introduction, gap"), "introduction, gap"),
}
_CONTINUES = {
    "code": {"code"},
    "row": {"row", "blank"},
    "point": {"point", "text", "introduction", "blank"},
    "point, gap": {"point", "blank"},
    "heading": {"heading", "text", "introduction", "point", "row", "code", "blank"},
    "introduction": {"text", "introduction", "point", "row", "code", "blank"},
    "introduction, gap": {"point", "row", "code", "blank"},
    "text": {"text", "introduction", "blank"},
    "blank": {"blank"},
}


def _goes_on(previous: str, kind: str) -> bool:
    return previous == "" or kind in _CONTINUES[previous]


def _kind(line: str, fence: str) -> tuple[str, str]:
    """What a line is, and the fence that is open after it ("" for none)."""
    mark = _FENCE.match(line)
    if fence or mark:
        is_end = bool(fence and mark and mark.group(1) == fence)
        return "code", "" if is_end else fence or (mark.group(1) if mark else "")
    return _prose(line), ""


def _prose(line: str) -> str:
    if not line.strip():
        return "blank"
    for kind, pattern in (("row", _ROW), ("point", _POINT), ("heading", _HEADING)):
        if pattern.match(line):
            return kind
    return "introduction" if line.rstrip().endswith(":") else "text"
