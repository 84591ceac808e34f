"""A log of 100,000 entries, harmed in every way that we know: each is seen, with its number."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest

from souvenir.audit.notes import TreeHead
from souvenir.audit.tree import Growth, Place
from souvenir.audit.verifying import Fault, Finding, Log, examine

SIZE = 100_000
EVERY = 2_500  # a checkpoint
Harm = Callable[[Log], Log]


def _hash(what: object) -> bytes:
    return sha256(str(what).encode()).digest()


def _built(hashes: list[bytes]) -> tuple[Log, list[TreeHead]]:
    tree, nodes, heads = Growth(), dict[Place, bytes](), list[TreeHead]()

    def keep(place: Place, found: bytes) -> bytes:
        if place[0]:
            nodes[place] = found
        return found

    for one in hashes:
        tree.add(one, kept=keep)
        if tree.size % EVERY == 0:
            heads.append(TreeHead("a", tree.size, tree.root()))
    ids = [UUID(int=number) for number in range(len(hashes))]
    log = Log(
        leaves=dict(enumerate(zip(ids, hashes, strict=True))),
        entries=dict(zip(ids, hashes, strict=True)),
        nodes=nodes,
    )
    return log, heads


@pytest.fixture(scope="module")
def hashes() -> list[bytes]:
    return [_hash(number) for number in range(SIZE)]


@pytest.fixture(scope="module")
def built(hashes: list[bytes]) -> tuple[Log, list[TreeHead]]:
    return _built(hashes)


def _altered(log: Log) -> Log:
    return replace(log, entries={**log.entries, UUID(int=41_234): _hash("another")})


def _deleted(log: Log) -> Log:
    return replace(log, entries={k: v for k, v in log.entries.items() if k.int != 41_234})


def _deleted_with_its_leaf(log: Log) -> Log:
    leaves = {n: leaf for n, leaf in log.leaves.items() if n != 41_234}
    return replace(_deleted(log), leaves=leaves)


def _swapped(log: Log) -> Log:
    """Two entries take each other's place; the tree's hashes stay."""
    one, two = log.leaves[10], log.leaves[99_000]
    swapped = {10: (two[0], one[1]), 99_000: (one[0], two[1])}
    return replace(log, leaves={**log.leaves, **swapped})


def _swapped_with_their_hashes(log: Log) -> Log:
    swapped = {10: log.leaves[99_000], 99_000: log.leaves[10]}
    return replace(log, leaves={**log.leaves, **swapped})


def _altered_with_its_leaf(log: Log) -> Log:
    entry_id, forged = UUID(int=41_234), _hash("another")
    return replace(
        log,
        leaves={**log.leaves, 41_234: (entry_id, forged)},
        entries={**log.entries, entry_id: forged},
    )


def _truncated(log: Log) -> Log:
    """The last 1,234 entries are gone, with all that the tree had of them."""
    size = SIZE - 1_234
    return replace(
        log,
        leaves={n: leaf for n, leaf in log.leaves.items() if n < size},
        entries={k: v for k, v in log.entries.items() if k.int < size},
        nodes={at: v for at, v in log.nodes.items() if (at[1] + 1) << at[0] <= size},
    )


def _slipped_in(log: Log) -> Log:
    return replace(log, entries={**log.entries, UUID(int=SIZE + 7): _hash("slipped in")})


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (_altered, [(Fault.ALTERED, 41_234, 41_234)]),
        (_deleted, [(Fault.DELETED, 41_234, 41_234)]),
        (_deleted_with_its_leaf, [(Fault.DELETED, 41_234, 41_234)]),
        (_swapped, [(Fault.REORDERED, 10, 10), (Fault.REORDERED, 99_000, 99_000)]),
        # The hash of the pair above still tells that it was one of these two.
        (_swapped_with_their_hashes, [(Fault.REBUILT, 10, 11), (Fault.REBUILT, 99_000, 99_001)]),
        (_altered_with_its_leaf, [(Fault.REBUILT, 41_234, 41_235)]),
        (_truncated, [(Fault.TRUNCATED, SIZE - 1_234, SIZE - 1)]),
        (_slipped_in, [(Fault.UNPLACED, SIZE, SIZE)]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_was_harmed_is_named(
    built: tuple[Log, list[TreeHead]], harm: Harm, found: list[tuple[Fault, int, int]]
) -> None:
    log, heads = built

    findings = examine(harm(log), heads)

    assert [(one.fault, one.first, one.last) for one in findings] == found


def test_a_whole_log_has_no_fault(built: tuple[Log, list[TreeHead]]) -> None:
    log, heads = built

    assert examine(log, heads, saved=heads) == []


def test_several_faults_are_each_named(built: tuple[Log, list[TreeHead]]) -> None:
    log, heads = built

    findings = examine(_altered(_swapped(log)), heads)

    assert [one.first for one in findings] == [10, 41_234, 99_000]


def test_a_log_that_was_built_anew_does_not_fit_its_checkpoints(
    built: tuple[Log, list[TreeHead]], hashes: list[bytes]
) -> None:
    _, heads = built
    forged, _ = _built([*hashes[:41_234], _hash("another"), *hashes[41_235:]])

    findings = examine(forged, heads)

    assert findings == [Finding(Fault.REBUILT, 40_000, 42_499)]


def test_a_fork_does_not_fit_a_checkpoint_that_somebody_kept(
    built: tuple[Log, list[TreeHead]], hashes: list[bytes]
) -> None:
    """Whoever has the key can sign another log; not take back what was handed out before."""
    _, heads = built
    forged, signed = _built([*hashes[:41_234], _hash("another"), *hashes[41_235:]])

    findings = examine(forged, signed, saved=[heads[3], heads[-1]])

    assert examine(forged, signed) == []
    assert findings == [Finding(Fault.FORKED, 10_000, SIZE - 1)]


def test_entries_that_wait_for_their_number_are_no_fault(
    built: tuple[Log, list[TreeHead]],
) -> None:
    log, heads = built
    waiting = UUID(int=SIZE + 7)

    assert examine(replace(_slipped_in(log), waiting={waiting}), heads) == []
