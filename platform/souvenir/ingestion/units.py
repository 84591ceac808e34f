"""An upload taken apart into units that can each be kept in one short transaction.

The objects of an upload are written once, one after the other, into a file that can be read from
any place. A unit is a few of them; so an import that leaves off goes on where it was, without
reading the upload again.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from souvenir.portability.documents import ConversationDocument, ObjectRead, RawObject
from souvenir.portability.formats.registry import CODECS
from souvenir.portability.json_values import parse
from souvenir.portability.notices import NoticeLog
from tenants.ledger.items import Part

UNIT_OBJECTS = 25  # about half a second of one core
UNIT_BYTES = 1024 * 1024
UNIT_ASSETS = 20
ASSETS_OF = "assets"  # begins the name of a unit of files that came along
_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class TakenApart:
    """One object of an upload, and how it was understood."""

    raw: RawObject
    packed: bytes  # zlib, of the raw bytes
    codec: str  # "": it is no conversation
    conversation_id: str  # the provider's

    def conversation(self) -> ConversationDocument | None:
        """Read it again, as it was read when the upload was taken apart."""
        if not self.codec:
            return None
        value = parse(self.raw.body).value
        log = NoticeLog(self.conversation_id)
        return CODECS[self.codec].normalise(value, self.conversation_id, log)


def take_apart(
    objects: Iterable[ObjectRead], stream: BinaryIO, *, stretch: int = 0
) -> Iterator[Part]:
    """Write objects to `stream`, and give the units that they make.

    A unit's name is the stretch of the reading, and its place in what that has written.
    """
    place = begins = count = size = 0
    for item in objects:
        written = _write(item, stream)
        place, count, size = place + written, count + 1, size + len(item.raw.body)
        if count == UNIT_OBJECTS or size >= UNIT_BYTES:
            yield Part(name=f"{stretch}-{begins}", size=count)
            begins, count, size = place, 0, 0
    if count:
        yield Part(name=f"{stretch}-{begins}", size=count)


def list_assets(paths: Sequence[str], stream: BinaryIO, *, stretch: int = 0) -> Iterator[Part]:
    """Write down where files stand in an upload, after its objects; give the units they make."""
    begins = stream.tell()
    for first in range(0, len(paths), UNIT_ASSETS):
        group = paths[first : first + UNIT_ASSETS]
        written = _put(json.dumps(group).encode(), stream)
        yield Part(name=f"{ASSETS_OF}-{stretch}-{begins}", size=len(group))
        begins += written


def assets_of(stream: BinaryIO, *, begins: int, first: int, size: int) -> list[str]:
    """Where the files `first` to `first + size` of the unit that begins there stand."""
    stream.seek(begins)
    paths: list[str] = json.loads(_read_block(stream))
    return paths[first : first + size]


def place_of(name: str) -> tuple[int, int]:
    """The stretch, and the place in it, that a unit is called after."""
    *_, stretch, begins = name.split("-")
    return int(stretch), int(begins)


def objects_of(stream: BinaryIO, *, begins: int, first: int, size: int) -> Iterator[TakenApart]:
    """The objects `first` to `first + size` of the unit that begins at a place of `stream`."""
    stream.seek(begins)
    for number in range(first + size):
        head = json.loads(_read_block(stream))
        packed = _read_block(stream)
        if number >= first:
            raw = RawObject(head["kind"], head["path"], head["ordinal"], zlib.decompress(packed))
            yield TakenApart(raw, packed, head["codec"], head["conversation_id"])


def _write(item: ObjectRead, stream: BinaryIO) -> int:
    document = item.conversation
    head = {
        "kind": item.raw.kind,
        "path": item.raw.path,
        "ordinal": item.raw.ordinal,
        "codec": document.provider if document else "",
        "conversation_id": document.provider_id if document else "",
    }
    blocks = (json.dumps(head).encode(), zlib.compress(item.raw.body))
    return sum(_put(block, stream) for block in blocks)


def _put(block: bytes, stream: BinaryIO) -> int:
    return stream.write(len(block).to_bytes(_LENGTH_BYTES)) + stream.write(block)


def _read_block(stream: BinaryIO) -> bytes:
    return stream.read(int.from_bytes(stream.read(_LENGTH_BYTES)))
