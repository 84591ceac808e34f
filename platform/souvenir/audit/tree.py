"""The Merkle tree of RFC 9162 (and 6962), §2.1: hashes, proofs, and how they are checked. Pure.

Entries are counted from 0. A *node* is a whole subtree: (level, position) stands for the entries
from position · 2^level up to (position + 1) · 2^level. Once whole, a node never changes; so a tree
of any size is a few of them, and everything here asks for the nodes it needs and for no other.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

Place = tuple[int, int]  # (level, position) of a node
Span = tuple[int, int]  # entries from the first number up to, and without, the second
EMPTY_ROOT = hashlib.sha256().digest()


class ProofWrong(ValueError):
    """A proof does not lead to the root that it was given for."""


def hash_of_leaf(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_of_node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _as_it_is(_: Place, found: bytes) -> bytes:
    return found


def nodes_of(span: Span) -> list[Place]:
    """The whole nodes that a span of entries consists of, from left to right.

    The span is the tree itself or a part that RFC 9162 cuts it into: it begins where a node of its
    size can begin.
    """
    first, end = span
    found = []
    while first < end:
        level = (end - first).bit_length() - 1
        found.append((level, first >> level))
        first += 1 << level
    return found


def hash_of(span: Span, node: Callable[[Place], bytes]) -> bytes:
    """MTH of §2.1.1 over a span, from the hashes of its nodes."""
    return _together([node(place) for place in nodes_of(span)])


class Growth:
    """A tree that entries are added to. Holds nothing but its whole nodes."""

    def __init__(self, size: int = 0, whole: Iterable[bytes] = ()) -> None:
        """A tree of `size` entries, with the hashes of `nodes_of((0, size))`."""
        self.size = size
        self._whole = list(whole)

    def add(self, leaf: bytes, *, kept: Callable[[Place, bytes], bytes] = _as_it_is) -> None:
        """Add an entry. `kept` is told each node that becomes whole, from the leaf up, and gives
        the hash to go on with.
        """
        level, position = 0, self.size
        together = kept((level, position), leaf)
        while position % 2:
            level, position = level + 1, position // 2
            together = kept((level, position), hash_of_node(self._whole.pop(), together))
        self._whole.append(together)
        self.size += 1

    def root(self) -> bytes:
        """MTH over all of it."""
        return _together(self._whole)


def inclusion_path(number: int, size: int) -> list[Span]:
    """PATH of §2.1.3.1: the spans whose hashes prove an entry, from the leaf's neighbour up."""
    if not 0 <= number < size:
        msg = f"There is no entry {number} in a tree of {size}."
        raise IndexError(msg)
    spans: list[Span] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _half(end - first)
        if number < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((first, middle))
            first = middle
    return spans[::-1]


def consistency_path(old: int, size: int) -> list[Span]:
    """PROOF of §2.1.4.1: the spans whose hashes prove that a tree of `old` grew into this one."""
    if not 0 < old <= size:
        msg = f"A tree of {old} entries cannot have grown into one of {size}."
        raise IndexError(msg)
    spans: list[Span] = []
    first, end = 0, size
    while old != end:
        middle = first + _half(end - first)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((first, middle))
            first = middle
    if first:  # where the old tree is itself a node of the new one, its root is known
        spans.append((first, end))
    return spans[::-1]


def check_inclusion(
    leaf: bytes, number: int, size: int, proof: Sequence[bytes], *, root: bytes
) -> None:
    """§2.1.3.2: the entry `number` of the tree that has `root` is this one.

    Raises:
        ProofWrong
    """
    if not 0 <= number < size:
        raise ProofWrong
    at, last, together = number, size - 1, leaf
    for neighbour in proof:
        if last == 0:
            raise ProofWrong
        if at % 2 or at == last:
            together = hash_of_node(neighbour, together)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            together = hash_of_node(together, neighbour)
        at, last = at >> 1, last >> 1
    if last or together != root:
        raise ProofWrong


def check_consistency(
    old: int, size: int, proof: Sequence[bytes], *, old_root: bytes, root: bytes
) -> None:
    """§2.1.4.2: the tree of `size` entries begins with the tree of `old` entries, unchanged.

    Raises:
        ProofWrong
    """
    if old == size and not proof and old_root == root:
        return
    if not 0 < old < size:
        raise ProofWrong
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not hashes or _grown(old - 1, size - 1, hashes) != (old_root, root):
        raise ProofWrong


def _grown(at: int, last: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of the old tree and of the new one that a proof leads to."""
    while at % 2:
        at, last = at >> 1, last >> 1
    before = now = hashes[0]
    for neighbour in hashes[1:]:
        if last == 0:
            raise ProofWrong
        if at % 2 or at == last:
            before, now = hash_of_node(neighbour, before), hash_of_node(neighbour, now)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            now = hash_of_node(now, neighbour)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofWrong
    return before, now


def _together(whole: Sequence[bytes]) -> bytes:
    """The root over neighbouring whole nodes, each smaller than the one before."""
    if not whole:
        return EMPTY_ROOT
    together = whole[-1]
    for node in whole[-2::-1]:
        together = hash_of_node(node, together)
    return together


def _half(size: int) -> int:
    """The largest power of two that is smaller than `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
