"""Reading an upload a stretch at a time: first a look at all of it, then it is taken apart.

Where a stretch ends, all that the next one needs is written down, sealed, so that another process
can go on from there. The time that finding the place again takes is made up for by the stretch.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from souvenir.portability.census import Census
from souvenir.portability.documents import Inspection, Notice, ObjectRead
from souvenir.portability.fidelity import Fidelity
from souvenir.portability.json_stream import Around, Bookmark
from souvenir.portability.limits import DEFAULT_LIMITS
from souvenir.portability.reading import Position, inspect_on, read_on
from souvenir.portability.stored_file import StoredFile
from tenants.ledger import Lease

LONGEST_SECONDS = 30.0  # of a stretch
_WORTH = 4.0  # a stretch is so much longer than it took to find its place
_HEAD_ENCODING = "latin-1"  # any bytes, one character each


class Clock(Protocol):
    """Says, after each thing, whether the stretch is over."""

    def is_over(self) -> bool: ...


class TurnClock:
    """When a stretch is over: with the turn, but not before it was worth the way there."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._began = time.monotonic()
        self._there: float | None = None  # when the first thing came

    def is_over(self) -> bool:
        """Ask after each thing."""
        now = time.monotonic()
        if self._there is None:
            self._there = now
        on_the_way, since = self._there - self._began, now - self._there
        if since < min(_WORTH * on_the_way, LONGEST_SECONDS):
            return False
        return self._lease.turn_is_over or since >= LONGEST_SECONDS


@dataclass
class Looking:
    """How far an upload has been read. `inspection` is None until all of it was looked at."""

    position: Position = field(default_factory=Position)
    census: Census = field(default_factory=lambda: Census(DEFAULT_LIMITS))
    inspection: Inspection | None = None
    fidelity: Fidelity | None = None
    items: int = 0  # of the job, planned so far
    assets: list[str] = field(default_factory=list)  # of this stretch: where they stand
    is_done: bool = False

    def look(self, upload: StoredFile, *, name: str, clock: Clock) -> bool:
        """Count on. False: the stretch is over.

        Raises:
            Invalid: nothing of the upload can be used.
        """
        places = inspect_on(self.census, upload, name=name, start=self.position)
        for self.position in places:
            if clock.is_over():
                return False
        self.inspection = self.census.result()
        self.fidelity, self.position = Fidelity(self.inspection), Position()
        return True

    def objects(self, upload: StoredFile, *, name: str, clock: Clock) -> Iterator[ObjectRead]:
        """The objects of the next stretch, each added up. Then `is_done` says if these were all,
        and `assets` which files stand between them.
        """
        items = read_on(upload, name=name, start=self.position)
        for item, self.position in items:
            if self.fidelity is not None:
                self.fidelity.add(item)
            if isinstance(item, ObjectRead):
                yield item
            else:
                self.assets.append(item.path)
            if clock.is_over():
                return
        self.is_done = True

    def to_bytes(self) -> bytes:
        """All of it, for the next stretch."""
        return json.dumps(
            {
                "position": _told(self.position),
                "census": None if self.inspection else self.census.as_json(),
                "inspection": asdict(self.inspection) if self.inspection else None,
                "fidelity": self.fidelity.counted() if self.fidelity else None,
                "items": self.items,
            }
        ).encode()

    @classmethod
    def from_bytes(cls, written: bytes) -> "Looking":
        told = json.loads(written)
        looking = cls(position=_position(told["position"]), items=told["items"])
        if told["inspection"] is None:
            looking.census = Census.from_json(told["census"], DEFAULT_LIMITS)
            return looking
        notices = tuple(Notice(**notice) for notice in told["inspection"].pop("notices"))
        looking.inspection = Inspection(**told["inspection"], notices=notices)
        looking.fidelity = Fidelity(looking.inspection)
        looking.fidelity.go_on(told["fidelity"])
        return looking


def _told(position: Position) -> dict[str, Any]:
    told = asdict(position)
    if position.after is not None and (around := position.after.around) is not None:
        told["after"]["around"]["head"] = around.head.decode(_HEAD_ENCODING)
    return told


def _position(told: dict[str, Any]) -> Position:
    after = None
    if (mark := told["after"]) is not None:
        if (around := mark["around"]) is not None:
            around = Around(**around | {"head": around["head"].encode(_HEAD_ENCODING)})
        after = Bookmark(mark["offset"], mark["ordinal"], around)
    return Position(told["file"], told["is_begun"], after)
