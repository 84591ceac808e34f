"""Reads an upload, of whatever provider: first a look at the whole of it, then its objects.

`inspect` first, always: it refuses what cannot be read whole before anything is stored. `read`
then gives every object and file, one at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from souvenir.portability.census import Census
from souvenir.portability.detection import UNKNOWN
from souvenir.portability.documents import AssetRead, Inspection, ItemRead, ObjectRead
from souvenir.portability.formats.registry import CODECS
from souvenir.portability.json_stream import Bookmark
from souvenir.portability.limits import DEFAULT_LIMITS, Limits
from souvenir.portability.naming import name_from_bytes
from souvenir.portability.notices import NoticeLog
from souvenir.portability.objects import ParsedObject, parsed_chat, parsed_objects
from souvenir.portability.sorting import SortedFile, sorted_files
from souvenir.portability.stored_file import StoredFile
from souvenir.portability.upload import members_at

_NOT_READ = {"not-an-object", "object-too-deep"}  # notices that say enough


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an upload, from which it can be read on by another process."""

    file: int = 0  # its number, in the upload's order
    is_begun: bool = False  # the file itself was given already
    after: Bookmark | None = None  # the place in the file; None: its beginning


def inspect(upload: StoredFile, *, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """Go once through the whole upload, unpack all of it, parse all that will be read, and count.

    `name` is what a bare file is called, where that is not its name on disk.

    Raises:
        Invalid: an `import-…` or `archive-…` error; then nothing of the upload can be used.
    """
    census = Census(limits)
    for _ in inspect_on(census, upload, name=name, limits=limits):
        pass
    return census.result()


def inspect_on(
    census: Census,
    upload: StoredFile,
    *,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    start: Position = Position(),
) -> Iterator[Position]:
    """Count from a place on, and tell after each thing where that is: one may stop there.

    Raises:
        Invalid: as `inspect`.
    """
    for file, item, position in _walk(upload, name, limits, start):
        if item is None:
            census.count_file(file)
        else:
            census.count_object(item)
        yield position


def read(
    upload: StoredFile, *, name: str = "", limits: Limits = DEFAULT_LIMITS
) -> Iterator[ItemRead]:
    """Give every object and every other file of an upload that `inspect` accepted, in its order.

    An asset is to be opened before the next item is asked for. A conversation that stands twice
    in the upload comes twice: merging is the caller's.

    Raises:
        Invalid: as `inspect`, if the file has changed since.
    """
    for item, _ in read_on(upload, name=name, limits=limits):
        yield item


def read_on(
    upload: StoredFile,
    *,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    start: Position = Position(),
) -> Iterator[tuple[ItemRead, Position]]:
    """As `read`, from a place on, each with the place after it."""
    for file, item, position in _walk(upload, name, limits, start):
        member = file.member
        if item is not None:
            is_in_history = bool(file.kind.codec) or member.level == 0
            yield _understood(item, is_in_history=is_in_history), position
        elif file.use == "asset":
            yield AssetRead(member.path, member.bytes_size, member.open), position


def _walk(
    upload: StoredFile, name: str, limits: Limits, start: Position
) -> Iterator[tuple[SortedFile, ParsedObject | None, Position]]:
    """Each file, then the objects that it holds, each with the place after it."""
    for number, file in enumerate(sorted_files(upload, limits, name)):
        if number < start.file:
            continue
        here = start if number == start.file else Position(number)
        if not here.is_begun:
            yield file, None, Position(number, is_begun=True)
        for item in _objects(file, limits, here.after):
            is_last = item.end is None
            after = (
                Position(number + 1) if is_last else Position(number, is_begun=True, after=item.end)
            )
            yield file, item, after


def assets_at(
    upload: StoredFile, paths: Sequence[str], *, limits: Limits = DEFAULT_LIMITS
) -> Iterator[AssetRead]:
    """Give the files at some paths of a zip again, as `read` gave them, and read no other.

    Each is to be opened before the next one is asked for.

    Raises:
        Invalid: an `archive-…` error, if the file has changed since.
    """
    for member in members_at(upload, paths, limits):
        yield AssetRead(member.path, member.bytes_size, member.open)


def _objects(
    file: SortedFile, limits: Limits, after: Bookmark | None = None
) -> Iterator[ParsedObject]:
    if file.use == "objects":
        yield from parsed_objects(file.member, limits, after=after)
    elif file.use == "chat":
        yield parsed_chat(file.member, limits)


def _understood(item: ParsedObject, *, is_in_history: bool) -> ObjectRead:
    """`item` as a conversation if it is one; what else stands among conversations is noted."""
    codec = CODECS.get(item.kind.codec)
    told_id = codec.conversation_id(item.value) if codec else ""
    log = NoticeLog(told_id or f"{item.raw.path}#{item.raw.ordinal}")
    for code in sorted(item.oddities):
        log.add(code)
    if item.kind.foreign:
        log.add("format-not-read")
    elif is_in_history and item.kind == UNKNOWN and not item.oddities & _NOT_READ:
        log.add("object-unknown")
    if codec is None or not codec.is_readable(item.value):
        if item.raw.kind == "conversation":
            log.add("conversation-malformed")
        return ObjectRead(raw=item.raw, notices=log.taken())
    if not told_id:
        log.add("conversation-without-id")
    name = told_id or name_from_bytes(item.raw.body)
    conversation = codec.normalise(item.value, name, log)
    return ObjectRead(raw=item.raw, conversation=conversation, notices=log.taken())
