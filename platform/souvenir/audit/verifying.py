"""Is the log still what it was? Pure: from what the database holds, and what was signed, to faults.

Three things are held against each other: the entries as they are now, the tree that was built over
them as they were, and the checkpoints that were signed. Whoever alters one of them is seen in the
two others, by the entry's number. Whoever alters entries *and* builds the whole tree anew is seen
in the checkpoints, which only the key can make; then the entries between two of them are named.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from souvenir.audit.notes import NoteWrong, TreeHead, is_signed_by, read_head
from souvenir.audit.tree import EMPTY_ROOT, Growth, Place


class Fault(StrEnum):
    """What is wrong with the entries from `first` to `last`."""

    ALTERED = "altered"  # not what it was when it was recorded
    DELETED = "deleted"
    REORDERED = "reordered"  # it stands where another one was
    TRUNCATED = "truncated"  # the end of the log is gone, as far as a checkpoint tells
    REBUILT = "rebuilt"  # not what the tree, or a checkpoint of ours, says they were
    FORKED = "forked"  # not what a checkpoint says that somebody kept
    UNPLACED = "unplaced"  # it has no number, and none is owed to it
    UNSIGNED = "unsigned"  # a checkpoint over so many entries is not signed by the log's key


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault, and the numbers of the entries that it is in."""

    fault: Fault
    first: int
    last: int
    entry_id: UUID | None = None  # of an entry without a number


@dataclass(frozen=True, slots=True)
class Log:
    """What the database holds."""

    leaves: Mapping[int, tuple[UUID, bytes]]  # number → the entry, and its hash in the tree
    entries: Mapping[UUID, bytes]  # entry → its hash as it is now
    nodes: Mapping[Place, bytes] = field(default_factory=dict)  # above the leaves
    waiting: AbstractSet[UUID] = frozenset()  # entries that are owed a number

    @property
    def size(self) -> int:
        return max(self.leaves, default=-1) + 1


def examine(
    log: Log, heads: Sequence[TreeHead], *, saved: Sequence[TreeHead] = ()
) -> list[Finding]:
    """Every fault, by number; none is the good answer.

    Args:
        heads: the log's own checkpoints.
        saved: checkpoints that were kept elsewhere. Whether all were signed is the caller's to ask.
    """
    known = sorted(
        [(head, Fault.REBUILT) for head in heads] + [(head, Fault.FORKED) for head in saved],
        key=lambda one: one[0].size,
    )
    walk = _Walk(log)
    end = max([log.size, *(head.size for head, _ in known)])
    if end > log.size:
        walk.findings.append(Finding(Fault.TRUNCATED, log.size, end - 1))
    sure = dict.fromkeys((Fault.REBUILT, Fault.FORKED), 0)  # up to where checkpoints agree
    told: set[Fault] = set()  # what does not fit one checkpoint fits none after it
    for head, fault in known:
        if head.size > log.size:
            break
        walk.go_to(head.size)
        if walk.tree.root() == head.root:
            sure[fault] = head.size
        elif fault not in told and not walk.is_broken:
            told.add(fault)
            walk.findings.append(Finding(fault, sure[fault], head.size - 1))
    walk.go_to(log.size)
    walk.findings += _unplaced(log)
    return walk.findings


def heads_signed(
    notes: Mapping[int, str], verifier_keys: Sequence[str]
) -> tuple[list[TreeHead], list[Finding]]:
    """What some checkpoints say, by their sizes, and those that none of the keys has signed."""
    heads, wrong = [], []
    for size, note in sorted(notes.items()):
        try:
            head = read_head(note)
            is_signed = any(is_signed_by(note, key) for key in verifier_keys)
        except NoteWrong:
            is_signed = False
        if is_signed and head.size == size:
            heads.append(head)
        else:
            wrong.append(Finding(Fault.UNSIGNED, size, size))
    return heads, wrong


class _Walk:
    """The log from its beginning, number by number, with the tree over it."""

    def __init__(self, log: Log) -> None:
        self.tree = Growth()
        self.findings: list[Finding] = []
        self._log = log
        self._lost: set[Place] = set()
        self._now = {log.entries.get(entry_id): n for n, (entry_id, _) in log.leaves.items()}

    @property
    def is_broken(self) -> bool:
        """Whether something is gone of which no hash is left: then no root can be told."""
        return bool(self._lost)

    def go_to(self, size: int) -> None:
        while self.tree.size < size:
            self.tree.add(self._leaf(self.tree.size), kept=self._kept)

    def _leaf(self, number: int) -> bytes:
        """The hash that the tree has for it; faults are noted."""
        if number not in self._log.leaves:
            self._note(Fault.DELETED, number)
            self._lost.add((0, number))
            return EMPTY_ROOT
        entry_id, then = self._log.leaves[number]
        now = self._log.entries.get(entry_id)
        if now is None:
            self._note(Fault.DELETED, number)
        elif now != then:
            elsewhere = self._now.get(then, number) != number
            self._note(Fault.REORDERED if elsewhere else Fault.ALTERED, number)
        return then

    def _kept(self, place: Place, found: bytes) -> bytes:
        """Go on with what the tree says, so that one fault does not hide the next."""
        level, position = place
        if level == 0:
            return found
        below = {(level - 1, 2 * position), (level - 1, 2 * position + 1)}
        then = self._log.nodes.get(place)
        if below & self._lost:
            if then is None:
                self._lost.add(place)
            self._lost -= below
        elif then != found:
            self._note(Fault.REBUILT, position << level, ((position + 1) << level) - 1)
        return found if then is None else then

    def _note(self, fault: Fault, first: int, last: int | None = None) -> None:
        self.findings.append(Finding(fault, first, first if last is None else last))


def _unplaced(log: Log) -> Iterator[Finding]:
    placed = {entry_id for entry_id, _ in log.leaves.values()}
    for entry_id in sorted(log.entries.keys() - placed - log.waiting):
        yield Finding(Fault.UNPLACED, log.size, log.size, entry_id)
