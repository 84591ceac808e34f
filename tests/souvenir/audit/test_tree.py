"""The tree against RFC 9162: known answers, its definitions written out again, and properties."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from souvenir.audit.tree import (
    EMPTY_ROOT,
    Growth,
    Place,
    ProofWrong,
    check_consistency,
    check_inclusion,
    consistency_path,
    hash_of,
    hash_of_leaf,
    inclusion_path,
    nodes_of,
)

# The entries, and the roots over the first 1, 2, … of them, that implementations of Certificate
# Transparency are tried with.
_ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def _mth(entries: Sequence[bytes]) -> bytes:
    """§2.1.1, word for word."""
    n = len(entries)
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = _split(n)
    return hashlib.sha256(b"\x01" + _mth(entries[:k]) + _mth(entries[k:])).digest()


def _path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """§2.1.3.1, word for word."""
    n = len(entries)
    if n == 1:
        return []
    k = _split(n)
    if m < k:
        return [*_path(m, entries[:k]), _mth(entries[k:])]
    return [*_path(m - k, entries[k:]), _mth(entries[:k])]


def _subproof(m: int, entries: Sequence[bytes], *, known: bool) -> list[bytes]:
    """§2.1.4.1, word for word."""
    n = len(entries)
    if m == n:
        return [] if known else [_mth(entries)]
    k = _split(n)
    if m <= k:
        return [*_subproof(m, entries[:k], known=known), _mth(entries[k:])]
    return [*_subproof(m - k, entries[k:], known=False), _mth(entries[:k])]


def _split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def _grown(entries: Sequence[bytes]) -> tuple[Growth, dict[Place, bytes]]:
    tree, nodes = Growth(), dict[Place, bytes]()

    def keep(place: Place, found: bytes) -> bytes:
        nodes[place] = found
        return found

    for entry in entries:
        tree.add(hash_of_leaf(entry), kept=keep)
    return tree, nodes


def _entries(size: int) -> list[bytes]:
    return [str(number).encode() for number in range(size)]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_known_roots(size: int) -> None:
    tree, nodes = _grown(_ENTRIES[:size])

    assert tree.root().hex() == _ROOTS[size - 1]
    assert hash_of((0, size), nodes.__getitem__).hex() == _ROOTS[size - 1]
    assert _mth(_ENTRIES[:size]).hex() == _ROOTS[size - 1]


def test_the_root_over_nothing() -> None:
    assert Growth().root() == EMPTY_ROOT == _mth([])
    assert hash_of((0, 0), dict[Place, bytes]().__getitem__) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 34))
def test_every_inclusion_proof_of_small_trees(size: int) -> None:
    entries = _entries(size)
    tree, nodes = _grown(entries)

    for number, entry in enumerate(entries):
        proof = [hash_of(span, nodes.__getitem__) for span in inclusion_path(number, size)]

        assert proof == _path(number, entries)
        check_inclusion(hash_of_leaf(entry), number, size, proof, root=tree.root())


@pytest.mark.parametrize("size", range(1, 34))
def test_every_consistency_proof_of_small_trees(size: int) -> None:
    entries = _entries(size)
    tree, nodes = _grown(entries)

    for old in range(1, size + 1):
        proof = [hash_of(span, nodes.__getitem__) for span in consistency_path(old, size)]

        assert proof == _subproof(old, entries, known=True)
        check_consistency(old, size, proof, old_root=_mth(entries[:old]), root=tree.root())


@settings(deadline=None)  # other work may have the machine
@given(size=st.integers(1, 300), data=st.data())
def test_a_wrong_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    entries = _entries(size)
    tree, nodes = _grown(entries)
    number = data.draw(st.integers(0, size - 1))
    proof = [hash_of(span, nodes.__getitem__) for span in inclusion_path(number, size)]
    leaf, root = hash_of_leaf(entries[number]), tree.root()
    check_inclusion(leaf, number, size, proof, root=root)

    wrong = [
        (hash_of_leaf(b"another"), number, proof),
        (leaf, size, proof),
        (leaf, number, [*proof, root]),
        *[(leaf, other, proof) for other in {number - 1, number + 1} if 0 <= other < size],
        *[(leaf, number, proof[:at] + proof[at + 1 :]) for at in range(len(proof))],
        *[(leaf, number, [*proof[:at], root, *proof[at + 1 :]]) for at in range(len(proof))],
    ]
    for its_leaf, its_number, its_proof in wrong:
        with pytest.raises(ProofWrong):
            check_inclusion(its_leaf, its_number, size, its_proof, root=root)


@settings(deadline=None)  # other work may have the machine
@given(size=st.integers(2, 300), data=st.data())
def test_a_wrong_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    entries = _entries(size)
    tree, nodes = _grown(entries)
    old = data.draw(st.integers(1, size - 1))
    proof = [hash_of(span, nodes.__getitem__) for span in consistency_path(old, size)]
    before, root = _mth(entries[:old]), tree.root()
    check_consistency(old, size, proof, old_root=before, root=root)

    forked = _mth([*entries[: old - 1], b"another"])
    wrong = [
        (forked, root, proof),
        (before, forked, proof),
        (before, root, [*proof, root]),
        (before, root, []),
        *[(before, root, proof[:at] + proof[at + 1 :]) for at in range(len(proof))],
        *[(before, root, [*proof[:at], forked, *proof[at + 1 :]]) for at in range(len(proof))],
    ]
    for its_before, its_root, its_proof in wrong:
        with pytest.raises(ProofWrong):
            check_consistency(old, size, its_proof, old_root=its_before, root=its_root)


@settings(deadline=None)  # other work may have the machine
@given(size=st.integers(1, 500), more=st.integers(0, 70))
def test_a_tree_goes_on_from_its_whole_nodes(size: int, more: int) -> None:
    entries = _entries(size + more)
    _, nodes = _grown(entries[:size])

    tree = Growth(size, [nodes[place] for place in nodes_of((0, size))])
    for entry in entries[size:]:
        tree.add(hash_of_leaf(entry))

    assert (tree.size, tree.root()) == (size + more, _mth(entries))


@pytest.mark.parametrize(("number", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_path_to_what_is_not_there(number: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_path(number, size)


@pytest.mark.parametrize(("old", "size"), [(0, 3), (4, 3)])
def test_there_is_no_growth_from_nothing_or_from_more(old: int, size: int) -> None:
    with pytest.raises(IndexError):
        consistency_path(old, size)
