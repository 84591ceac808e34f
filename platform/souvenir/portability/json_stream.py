"""Splits a stream of JSON into its elements, byte for byte, holding one element at a time.

Strings and small containers are passed over by one regular expression, in C; Python only counts
the brackets around them. Whether an element is valid JSON is for whoever parses it to say; what
stands between the elements is checked here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from souvenir.portability.errors import NotJson, ObjectTooLarge, TruncatedJson
from souvenir.portability.limits import DEFAULT_LIMITS, MIB, Limits

_CHUNK_BYTES = 256 * 1024
_SKIP_BYTES = 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_WRAPPED = b'"conversations"'  # the one key whose array is split where it stands inside an object
_BARE_WRAPPER = re.compile(rb'\{\s*"conversations"\s*:\s*\[\]\s*\}')

# Runs up to the next quote are fast, runs of neither quotes nor backslashes slow: so quotes after
# exactly one backslash are passed over by the first, and only the rest is read escape by escape.
_QUICK = rb'(?:[^"]*+(?<=[^\\]\\)")*+[^"]*+(?<!\\)"'
_STRING = rb'"(?:' + _QUICK + rb'|[^"\\]*+(?:\\.[^"\\]*+)*+")'
_FLAT = rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+"
_ONE_DEEP = rb'(?:[^"\[\]{}]++|' + _STRING + rb"|[\[{]" + _FLAT + rb"[\]}])*+"
# Everything up to a bracket that this expression cannot pair, or to a string that is cut off.
_INSIDE = re.compile(_ONE_DEEP, re.DOTALL)
_UNPAIRED_DEPTH = 1  # the brackets that _INSIDE pairs by itself, which are not counted
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SPACE = re.compile(rb"[ \t\n\r]*+")
_SCALAR = re.compile(rb'[^\s,:"\[\]{}]*+')
_QUOTE = ord('"')
_OPENERS = b"[{"


@dataclass(frozen=True, slots=True)
class Around:
    """What has been read of an object before its array of conversations."""

    offset: int  # of the object's first byte, in the file
    head: bytes
    depth: int


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place right after an element: the rest can be read without what came before."""

    offset: int
    ordinal: int  # of the next element
    around: Around | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a top-level array, or a top-level object, exactly as it stands."""

    ordinal: int  # its place in the file, from 0
    offset: int  # of its first byte, in the file
    body: bytes
    depth: int  # brackets inside brackets, itself included; at most one too many
    around: Around | None = None
    is_rest: bool = False  # a top-level object: nothing comes after it

    @property
    def end(self) -> Bookmark | None:
        """Where to go on after it; None: the file ends with it."""
        if self.is_rest:
            return None
        return Bookmark(self.offset + len(self.body), self.ordinal + 1, self.around)


class _Cursor:
    """A place in a stream. What it passes over after `begin` is kept until `take`."""

    def __init__(
        self, stream: BinaryIO, path: str, limit_bytes: int, chunk_bytes: int, base: int
    ) -> None:
        self._stream = stream
        self._path = path
        self._limit_bytes = limit_bytes
        self._chunk_bytes = chunk_bytes
        self._data = b""
        self._at = 0
        self._base = base  # the place of _data[0] in the stream
        self._start: int | None = None  # where the part to keep begins in _data
        self._kept: list[bytes] = []
        self._kept_bytes = 0

    def _refill(self) -> bool:
        """Read on; False at the end of the stream. _data[_at:] stays."""
        chunk = self._stream.read(self._chunk_bytes)
        if not chunk:
            return False
        if self._start is not None:
            self._keep(self._data[self._start : self._at])
            self._start = 0
        self._base += self._at
        self._data = self._data[self._at :] + chunk
        self._at = 0
        return True

    def _refill_or_fail(self) -> None:
        if not self._refill():
            raise TruncatedJson(path=self._path)

    def _keep(self, piece: bytes) -> None:
        self._kept.append(piece)
        self._kept_bytes += len(piece)
        self.check_size(self._kept_bytes)

    @property
    def offset(self) -> int:
        return self._base + self._at

    def check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            raise ObjectTooLarge(path=self._path, limit_mib=self._limit_bytes // MIB)

    def begin(self) -> None:
        self._start = self._at
        self._kept.clear()
        self._kept_bytes = 0

    def take(self) -> bytes:
        """What was passed over since `begin`; and begin anew."""
        self._keep(self._data[self._start : self._at])
        taken = b"".join(self._kept)
        self.begin()
        return taken

    def skip_bom(self) -> None:
        while len(self._data) < len(_BOM) and self._refill():
            pass
        if self._data.startswith(_BOM):
            self._at = len(_BOM)

    def peek(self) -> bytes:
        """The next byte that is not white space, not yet passed; b"" at the end."""
        while True:
            if match := _SPACE.match(self._data, self._at):
                self._at = match.end()
            if self._at < len(self._data) or not self._refill():
                return self._data[self._at : self._at + 1]

    def step(self, *expected: bytes) -> bytes:
        """Pass over the next byte that is not white space, which must be one of `expected`."""
        found = self.peek()
        if found not in expected:
            self.fail(found)
        self._at += 1
        return found

    def fail(self, found: bytes) -> None:
        if not found:
            raise TruncatedJson(path=self._path)
        raise NotJson(path=self._path, position=self.offset)

    def pass_value(self) -> int:
        """Pass over one value and tell its depth: 0 for one without brackets."""
        first = self.peek()
        if first and first in _OPENERS:
            return self._pass_container()
        if first == b'"':
            self.pass_string()
        else:
            self._pass_scalar(first)
        return 0

    def pass_string(self) -> None:
        if (first := self.peek()) != b'"':
            self.fail(first)
        self._at += 1
        while True:
            if match := _REST_OF_STRING.match(self._data, self._at):
                self._at = match.end()
            if self._at < len(self._data) and self._data[self._at] == _QUOTE:
                self._at += 1
                return
            # Cut off by the end of the chunk, perhaps between a backslash and what it escapes.
            self._refill_or_fail()

    def _pass_scalar(self, first: bytes) -> None:
        passed = 0
        while True:
            if match := _SCALAR.match(self._data, self._at):
                passed += match.end() - self._at
                self._at = match.end()
            if self._at < len(self._data) or not self._refill():
                break
        if not passed:
            self.fail(first)

    def _pass_container(self) -> int:
        self._at += 1  # _INSIDE would pair it, and pass over what follows it too
        depth = deepest = 1
        while True:
            if match := _INSIDE.match(self._data, self._at):
                self._at = match.end()
            if self._at == len(self._data):
                self._refill_or_fail()
                continue
            byte = self._data[self._at]
            if byte == _QUOTE:
                self.pass_string()
                continue
            self._at += 1
            depth += 1 if byte in _OPENERS else -1
            deepest = max(deepest, depth)
            if depth == 0:
                return deepest + _UNPAIRED_DEPTH


def split(
    stream: BinaryIO,
    *,
    path: str,
    limits: Limits = DEFAULT_LIMITS,
    chunk_bytes: int = _CHUNK_BYTES,
    after: Bookmark | None = None,
) -> Iterator[Element]:
    """Give the elements of a top-level array one by one, or a top-level object as one element.

    An object that wraps a `"conversations"` array gives the elements of that array, and last, if
    it holds anything else, itself with that array emptied. With `after`, the `end` of an element
    that this stream gave before, what follows that one.

    Raises:
        NotJson: the file is something else, or its elements are not parted by single commas.
        TruncatedJson: the file ends too early.
        ObjectTooLarge: an element exceeds `limits.object_bytes`.
    """
    base = after.offset if after else 0
    _go_to(stream, base)
    cursor = _Cursor(stream, path, limits.object_bytes, chunk_bytes, base)
    if after is not None:
        yield from _more(cursor, after) if after.around is None else _members(cursor, after)
    else:
        yield from _from_the_beginning(cursor)
    if trailing := cursor.peek():
        cursor.fail(trailing)


def _go_to(stream: BinaryIO, offset: int) -> None:
    """By reading, where the stream cannot do better: a packed file is unpacked up to there."""
    if offset and stream.seekable():
        stream.seek(offset)
        return
    while offset and (passed := len(stream.read(min(offset, _SKIP_BYTES)))):
        offset -= passed


def _from_the_beginning(cursor: _Cursor) -> Iterator[Element]:
    cursor.skip_bom()
    first = cursor.peek()
    if first == b"[":
        yield from _elements(cursor, 0)
    elif first == b"{":
        yield from _members(cursor)
    else:
        cursor.fail(first)


def _elements(cursor: _Cursor, ordinal: int, around: Around | None = None) -> Iterator[Element]:
    """The elements of the array that begins here."""
    cursor.step(b"[")
    if cursor.peek() == b"]":
        cursor.step(b"]")
        return
    yield from _from_element(cursor, ordinal, around)


def _more(cursor: _Cursor, after: Bookmark) -> Iterator[Element]:
    """The elements of the array in which an element has just ended."""
    if cursor.step(b",", b"]") == b",":
        yield from _from_element(cursor, after.ordinal, after.around)


def _from_element(cursor: _Cursor, ordinal: int, around: Around | None) -> Iterator[Element]:
    separator = b","
    while separator == b",":
        cursor.peek()
        cursor.begin()
        offset = cursor.offset
        depth = cursor.pass_value()
        yield Element(ordinal, offset, body=cursor.take(), depth=depth, around=around)
        ordinal += 1
        separator = cursor.step(b",", b"]")


@dataclass
class _Wrapper:
    """An object that may wrap conversations, as far as it has been read."""

    offset: int
    envelope: bytearray
    ordinal: int = 0
    deepest: int = 0

    def array(self, cursor: _Cursor, elements: Iterator[Element]) -> Iterator[Element]:
        for element in elements:
            self.ordinal = element.ordinal + 1
            yield element
        self.envelope += b"[]"
        cursor.begin()

    def end_member(self, cursor: _Cursor) -> None:
        cursor.check_size(len(self.envelope))
        if cursor.peek() != b"}":
            cursor.step(b",")


def _members(cursor: _Cursor, after: Bookmark | None = None) -> Iterator[Element]:
    """The object that begins here, with the elements of its array of conversations before it."""
    if after is not None and (around := after.around) is not None:
        wrapper = _Wrapper(around.offset, bytearray(around.head), after.ordinal, around.depth)
        yield from wrapper.array(cursor, _more(cursor, after))
        wrapper.end_member(cursor)
    else:
        cursor.begin()
        wrapper = _Wrapper(cursor.offset, bytearray())
        cursor.step(b"{")
    while cursor.peek() != b"}":
        wrapper.envelope += cursor.take()
        cursor.pass_string()
        key = cursor.take()
        cursor.step(b":")
        wrapper.envelope += key
        if key == _WRAPPED and cursor.peek() == b"[":
            wrapper.envelope += cursor.take()
            around = Around(wrapper.offset, bytes(wrapper.envelope), wrapper.deepest)
            yield from wrapper.array(cursor, _elements(cursor, wrapper.ordinal, around))
        else:
            wrapper.deepest = max(wrapper.deepest, cursor.pass_value())
        wrapper.end_member(cursor)
    cursor.step(b"}")
    envelope = bytes(wrapper.envelope + cursor.take())
    if not _BARE_WRAPPER.fullmatch(envelope):
        depth = wrapper.deepest + 1
        yield Element(wrapper.ordinal, wrapper.offset, envelope, depth, is_rest=True)
