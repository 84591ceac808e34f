"""Reads an upload, of whatever provider: first a look at the whole of it, then its objects.

`inspect` first, always: it refuses what cannot be read whole before anything is stored. `read`
then gives every object and file, one at a time.
"""

from collections.abc import Iterator

from souvenir.portability.census import Census
from souvenir.portability.detection import UNKNOWN
from souvenir.portability.documents import AssetRead, Inspection, ItemRead, ObjectRead
from souvenir.portability.formats.registry import CODECS
from souvenir.portability.limits import DEFAULT_LIMITS, Limits
from souvenir.portability.naming import name_from_bytes
from souvenir.portability.notices import NoticeLog
from souvenir.portability.objects import ParsedObject, parsed_chat, parsed_objects
from souvenir.portability.sorting import SortedFile, sorted_files
from souvenir.portability.stored_file import StoredFile

_NOT_READ = {"not-an-object", "object-too-deep"}  # notices that say enough


def inspect(upload: StoredFile, *, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """Go once through the whole upload, unpack all of it, parse all that will be read, and count.

    `name` is what a bare file is called, where that is not its name on disk.

    Raises:
        Invalid: an `import-…` or `archive-…` error; then nothing of the upload can be used.
    """
    census = Census(limits)
    for file in sorted_files(upload, limits, name):
        census.count_file(file)
        for item in _objects(file, limits):
            census.count_object(item)
    return census.result()


def read(
    upload: StoredFile, *, name: str = "", limits: Limits = DEFAULT_LIMITS
) -> Iterator[ItemRead]:
    """Give every object and every other file of an upload that `inspect` accepted, in its order.

    An asset is to be opened before the next item is asked for. A conversation that stands twice
    in the upload comes twice: merging is the caller's.

    Raises:
        Invalid: as `inspect`, if the file has changed since.
    """
    for file in sorted_files(upload, limits, name):
        if file.use == "asset":
            yield AssetRead(file.member.path, file.member.bytes_size, file.member.open)
        for item in _objects(file, limits):
            is_in_history = bool(file.kind.codec) or file.member.level == 0
            yield _understood(item, is_in_history=is_in_history)


def assets(
    upload: StoredFile, *, name: str = "", limits: Limits = DEFAULT_LIMITS
) -> Iterator[AssetRead]:
    """Give every other file of an upload that `inspect` accepted, in its order, and no object.

    Each is to be opened before the next one is asked for.

    Raises:
        Invalid: as `inspect`, if the file has changed since.
    """
    for file in sorted_files(upload, limits, name):
        if file.use == "asset":
            yield AssetRead(file.member.path, file.member.bytes_size, file.member.open)


def _objects(file: SortedFile, limits: Limits) -> Iterator[ParsedObject]:
    if file.use == "objects":
        yield from parsed_objects(file.member, limits)
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
