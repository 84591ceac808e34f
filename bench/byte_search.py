"""Looking for many words, and for every 8-byte run of a text, in many bytes at once."""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from souvenir.ingestion.terms import terms

RUN_BYTES = 8
SHORTEST_WORD = 4
# Of random bytes, 37 % are printable; of text, all but a few.
_PRINTABLE = 0.75
_NEIGHBOURS = 12
# Shorter words turn up in random bytes: 2^-32 per word and place is not nothing, 2^-48 is.
SURE_LETTERS = 6
_PIECE_BYTES = 1024 * 1024  # what stays in a processor's cache
_EMPTY = re.compile(rb"\0{64,}")
_OVERLAP_BYTES = 256
_WORD = re.compile(r"[^\W\d_]{4,}")
_TABLE_BITS = 24
_ODD = np.uint64(0x9E3779B97F4A7C15)

Words = dict[bytes, str]  # a form that is looked for -> the word it is a form of


@dataclass
class Found:
    """What was found in some bytes."""

    searched_bytes: int = 0
    words: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    maybe_chance: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    runs: set[bytes] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        self.searched_bytes += other.searched_bytes
        for mine, theirs in ((self.words, other.words), (self.maybe_chance, other.maybe_chance)):
            for word, count in theirs.items():
                mine[word] += count
        self.runs |= other.runs
        self.examples += other.examples[: 20 - len(self.examples)]


def words_of(texts: Iterable[str]) -> Words:
    """Every word of four letters or more, as it stands, and as programs like to change it."""
    forms: Words = {}
    for word in {match for text in texts for match in _WORD.findall(text)}:
        folded = unicodedata.normalize("NFKD", word.casefold())
        folded = "".join(letter for letter in folded if not unicodedata.combining(letter))
        variants = {word, word.lower(), word.upper(), folded, *terms(word)}
        variants |= {json.dumps(variant)[1:-1] for variant in variants}
        for variant in variants:
            if len(variant.encode()) >= SHORTEST_WORD:
                forms.setdefault(variant.encode(), word)
    return forms


def runs_of(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Every run of eight bytes of the texts, as UTF-8 and as JSON writes it; sorted."""
    pieces = [encoded for text in texts for encoded in (text.encode(), json.dumps(text).encode())]
    windows = [_windows(piece, RUN_BYTES) for piece in pieces if len(piece) >= RUN_BYTES]
    return np.unique(np.concatenate(windows)) if windows else np.array([], dtype=np.uint64)


class Search:
    """Looks for words and runs. What stands in `excepted` is not looked for."""

    def __init__(self, words: Words, runs: NDArray[np.uint64], *, excepted: Found) -> None:
        known_words = excepted.words.keys() | excepted.maybe_chance.keys()
        self.words = {form: word for form, word in words.items() if word not in known_words}
        known = _windows_of_runs(excepted.runs)
        self.runs = runs[~np.isin(runs, known)]
        self._by_start: dict[int, list[bytes]] = defaultdict(list)
        for form in self.words:
            self._by_start[int.from_bytes(form[:SHORTEST_WORD], "little")].append(form)
        starts = np.array(sorted(self._by_start), dtype=np.uint64)
        self._starts, self._start_table = starts, _table(starts)
        self._run_table = _table(self.runs)

    def in_bytes(self, data: bytes, *, place: str) -> Found:
        found = Found(searched_bytes=len(data))
        filled = _EMPTY.sub(bytes(32), data)  # a database's files are half empty
        for begin in range(0, max(len(filled), 1), _PIECE_BYTES):
            piece = filled[begin : begin + _PIECE_BYTES + _OVERLAP_BYTES]
            if len(piece) >= RUN_BYTES:
                self._in_piece(piece, found, place)
        return found

    def expected_by_chance(self, searched_bytes: int) -> float:
        """How many forms of four or five bytes random data of this size would hold."""
        short = [form for form in self.words if len(form) < SURE_LETTERS]
        return float(sum(searched_bytes * 256.0 ** -len(form) for form in short))

    def _in_piece(self, piece: bytes, found: Found, place: str) -> None:
        starts = _windows(piece, SHORTEST_WORD)
        for at, start in _matches(starts, self._starts, self._start_table):
            for form in self._by_start[start]:
                if piece.startswith(form, at):
                    self._note(piece, at, form, found, place)
        half = RUN_BYTES - SHORTEST_WORD
        runs = starts[:-half] | starts[half:] << np.uint64(8 * SHORTEST_WORD)
        for at, _ in _matches(runs, self.runs, self._run_table):
            run = piece[at : at + RUN_BYTES]
            if run not in found.runs:
                found.runs.add(run)
                found.examples.append(f"{place}: run {run!r}")

    def _note(self, piece: bytes, at: int, form: bytes, found: Found, place: str) -> None:
        before, after = piece[max(at - _NEIGHBOURS, 0) : at], piece[at + len(form) :][:_NEIGHBOURS]
        around = before + form + after
        if len(form) < SURE_LETTERS:
            if before[-1:].isalpha() and after[:1].isalpha():
                return  # the middle of another word
            others = before + after
            if sum(32 <= byte < 127 for byte in others) < _PRINTABLE * len(others):
                found.maybe_chance[self.words[form]] += 1
                return
        found.words[self.words[form]] += 1
        found.examples.append(f"{place}: {form.decode()} in {around!r}")


def _matches(
    windows: NDArray[np.uint64], wanted: NDArray[np.uint64], table: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    likely = np.flatnonzero(table[_slots(windows)])
    if len(wanted):
        nearest = np.searchsorted(wanted, windows[likely]).clip(max=len(wanted) - 1)
        for at in likely[wanted[nearest] == windows[likely]]:
            yield int(at), int(windows[at])


def _windows(piece: bytes, width: int) -> NDArray[np.uint64]:
    """The number that `width` bytes make, at each place; little-endian."""
    raw = np.frombuffer(piece, dtype=np.uint8).astype(np.uint64)
    count = len(raw) - width + 1
    shifted: list[NDArray[np.uint64]] = [
        raw[at : at + count] << np.uint64(8 * at) for at in range(width)
    ]
    combine: Callable[[NDArray[np.uint64], NDArray[np.uint64]], NDArray[np.uint64]] = np.bitwise_or
    return reduce(combine, shifted)


def _windows_of_runs(runs: set[bytes]) -> NDArray[np.uint64]:
    return np.array([int.from_bytes(run, "little") for run in runs], dtype=np.uint64)


def _slots(windows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (windows * _ODD) >> np.uint64(64 - _TABLE_BITS)


def _table(wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
    table[_slots(wanted)] = True
    return table
