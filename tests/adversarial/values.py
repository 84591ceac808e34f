"""What is put where an id stands: ids of others, of nobody, of another spelling, and no ids."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from uuid import uuid4

from souvenir.core.ids import new_id
from tests.adversarial.filled import Filled
from tests.adversarial.kinds import MADE_BY_NAMING, UUIDS, Kind, Role, Slot

# Spellings of one id. The answer to a stranger's must be the answer to nobody's, spelled alike.
SPELLINGS: dict[str, Callable[[str], object]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in braces": "{{{}}}".format,
    "without dashes": lambda text: text.replace("-", ""),
    "as a urn": "urn:uuid:{}".format,
    "with a NUL": "{}\x00".format,
    "with a space": " {}".format,
    "twice": lambda text: text * 2,
    "with a tail": "{}'--".format,
}
# In JSON only.
STRUCTURES: dict[str, Callable[[str], object]] = {
    "in a list": lambda text: [text],
    "in an object": lambda text: {"id": text},
}
UNUSABLE = ("", " ", "\x00", "a" * 5000)
ODD = (
    "not-a-uuid", "' OR '1'='1' --", "é\u202e𝓊", "../../keys", "%00", "null", "0",
)  # fmt: skip
NO_IDS = UNUSABLE + ODD  # of the odd ones, each may be somebody's name
NO_TEXTS: tuple[object, ...] = (None, 0, -1, 10**40, 1.5, True, [], {}, "\ud800")
# Cursors as DRF wraps them (base64), around: no instant, a NUL, a negative and a huge offset.
NO_PLACES = ("cD1hYmM=", "cD0lMDA=", "bz0tMQ==", "bz05OTk5OTk5OTk5OTk5OTk5OTk5")


class Depth(Enum):
    """How much of a page is tried."""

    DOOR = 1  # by whoever may not enter: it tells of nothing whether it is there, own or not
    PLAIN = 2
    THOROUGH = 3  # also what is no id, and every spelling of one


def depth_for(name: str) -> Depth:
    """One organization of the three is as good as another: only the first tries every spelling."""
    return Depth.THOROUGH if name == "acme" else Depth.PLAIN


@dataclass(frozen=True)
class Value:
    """Something to send, made of `base`, the id in its canonical spelling ("": of no id).

    `like` is what must be answered alike, id for id; None where only the rules for every answer
    hold. `label` is what it is, for the tally and for whoever reads a finding.
    """

    label: str
    sent: object
    base: str = ""
    like: "Value | None" = None
    must_fail: bool = True


def nobody(kind: Kind) -> str:
    """An id of this kind that names nothing anywhere."""
    if kind in UUIDS:
        return str(new_id())
    return f"nobody-{uuid4().hex}"


def values(
    me: Filled, others: list[Filled], *, slot: Slot, role: Role, missing: str, depth: Depth
) -> list[Value]:
    """What to try in a slot as one caller. `missing` is an id of nobody's, the same for all."""
    if slot.kind is Kind.LINK:
        return [Value("malformed", sent) for sent in (*NO_IDS, missing)]
    if slot.kind is Kind.CURSOR:
        return list(_cursors(me, others, role))
    tried = list(_strangers(others, slot, role, missing))
    tried += _own(me, slot, role, missing)
    # What is no id is turned away before anyone looks whose it is: one role is as good as another.
    if role is Role.OWNER and depth is Depth.THOROUGH:
        tried += _of_other_kinds(others[-1], slot, missing)
        tried += _spelled(others[0], slot, missing)
        tried += _malformed(slot)
    return tried


def page_values(
    me: Filled,
    others: list[Filled],
    *,
    slot: Slot,
    role: Role,
    missing: str,
    depth: Depth,
) -> list[Value]:
    """What to try in a slot of a page as one visitor. `role` is the key with the same reach."""
    if slot.kind is Kind.CURSOR:
        return [Value("malformed", sent, must_fail=False) for sent in (*NO_IDS, "-1", "10" * 30)]
    if slot.kind is Kind.MESSAGE:
        return list(_ignored(me, others, slot, missing))
    if depth is Depth.DOOR:
        sent = {"foreign": others[0].mine, "own, behind a closed door": me.mine}
        return [_alike(slot, what, ids[slot.kind], missing) for what, ids in sent.items()]
    tried = list(_strangers(others, slot, role, missing))
    tried += _own(me, slot, role, missing)
    if slot.kind is Kind.WHOLE_EXPORT:
        tried.append(_alike(slot, "own, of a person", me.mine[Kind.EXPORT], missing))
    if depth is Depth.THOROUGH:
        tried += _of_other_kinds(others[0], slot, missing)
        tried += _spelled(others[0], slot, missing)
        tried += _malformed(slot)
    return tried


def _ignored(me: Filled, others: list[Filled], slot: Slot, missing: str) -> Iterator[Value]:
    """A message that is not in the conversation changes nothing, whoever's it is."""
    for whose in (*[other.mine for other in others], me.siblings, me.deleted):
        theirs = whose[slot.kind]
        yield Value("foreign", theirs, theirs, Value("missing", missing, missing), must_fail=False)
    for sent in NO_IDS:
        yield Value("malformed", sent, must_fail=False)


def _cursors(me: Filled, others: list[Filled], role: Role) -> Iterator[Value]:
    """A cursor is a place in one's own list, whoever's it was: it never fails for being foreign."""
    for whose in (me, *others):
        yield Value("foreign cursor", whose.mine[Kind.CURSOR], must_fail=False)
    for sent in (*NO_IDS, *NO_PLACES) if role is Role.OWNER else ():
        yield Value("malformed", sent, must_fail=False)


def _strangers(others: list[Filled], slot: Slot, role: Role, missing: str) -> Iterator[Value]:
    if slot.kind is Kind.ORGANIZATION and role is Role.PLATFORM:
        return  # the directory is the operator's
    for other in others:
        every = (other.mine, other.siblings, other.deleted)
        for ids in every if role in {Role.OWNER, Role.BOUND} else every[:1]:
            if slot.kind in ids:
                yield _alike(slot, "foreign", ids[slot.kind], missing)


def _of_other_kinds(other: Filled, slot: Slot, missing: str) -> Iterator[Value]:
    for kind in UUIDS if slot.kind in UUIDS else ():
        if kind is not slot.kind:
            yield _alike(slot, "foreign, of another kind", other.mine[kind], missing)


def _own(me: Filled, slot: Slot, role: Role, missing: str) -> Iterator[Value]:
    """Of one's own: what is erased, what is of another kind, what one's key does not reach."""
    if slot.kind in MADE_BY_NAMING:
        return
    if slot.kind in me.deleted and not slot.known_after_deletion:
        yield _alike(slot, "own, deleted", me.deleted[slot.kind], missing)
    if role is Role.BOUND and me.siblings[slot.kind] != me.mine[slot.kind]:
        yield _alike(slot, "of someone else", me.siblings[slot.kind], missing)
    for kind in (Kind.MEMORY, Kind.ORGANIZATION) if slot.kind in UUIDS else ():
        if kind is not slot.kind and role in {Role.OWNER, Role.BOUND}:
            yield _alike(slot, "own, of another kind", me.mine[kind], missing)


def _spelled(other: Filled, slot: Slot, missing: str) -> Iterator[Value]:
    for how, spell in (SPELLINGS | (STRUCTURES if slot.where == "body" else {})).items():
        if how != "as it is":
            yield _alike(slot, f"foreign, {how}", other.mine[slot.kind], missing, spell)


def _malformed(slot: Slot) -> Iterator[Value]:
    for sent in (*NO_IDS, *(NO_TEXTS if slot.where == "body" else ())):
        unusable = sent in UNUSABLE and slot.where != "form"  # in a form, empty is left out
        yield Value("malformed", sent, must_fail=unusable or slot.kind in UUIDS)


def _alike(
    slot: Slot, label: str, theirs: str, missing: str, spell: Callable[[str], object] = str
) -> Value:
    like = Value("missing", spell(missing), missing)
    return Value(label, spell(theirs), theirs, like, must_fail=slot.kind not in MADE_BY_NAMING)
