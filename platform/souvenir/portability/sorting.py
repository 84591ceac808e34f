"""Decides, file by file, what of an upload is read, what is kept as it is, what is left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from souvenir.core.errors import Invalid
from souvenir.portability.detection import Content, Kind, kind_of_head, sniff
from souvenir.portability.errors import (
    DocumentUploaded,
    EmptyImport,
    HtmlUploaded,
    ImageUploaded,
    NotJson,
    NotUtf8,
    ObjectTooLarge,
    TruncatedJson,
    UnsupportedArchive,
    UnsupportedFormat,
)
from souvenir.portability.limits import Limits
from souvenir.portability.objects import parsed_objects
from souvenir.portability.stored_file import StoredFile
from souvenir.portability.upload import Member, members

Use = Literal["objects", "chat", "asset", "left-out"]

# Names are believed only where what is at stake is to keep a file whole, or not at all.
_SECRET = re.compile(r"login_history.*\.json|prod-mc-(auth|billing).*", re.IGNORECASE)
_OF_A_SYSTEM = re.compile(r"\._.*|\.DS_Store|Thumbs\.db|desktop\.ini", re.IGNORECASE)
_UPLOADED = re.compile(r"file[-_][0-9A-Za-z]{8,}.*")  # by the person, to ChatGPT
_LIST_OF_OTHER_THINGS = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*[^\s{\]]")

_REFUSED: dict[Content, type[Invalid]] = {
    "html": HtmlUploaded,
    "archive": UnsupportedArchive,
    "media": ImageUploaded,
    "document": DocumentUploaded,
    "utf-16": NotUtf8,
    "empty": EmptyImport,
}


@dataclass(frozen=True, slots=True)
class SortedFile:
    """A file of an upload, and what becomes of it."""

    member: Member
    use: Use
    content: Content
    kind: Kind  # of its first object
    notice: str = ""  # the code of what a person should know about it
    problem: Invalid | None = None  # why a file that looks like JSON is kept unread


def sorted_files(upload: StoredFile, limits: Limits, name: str = "") -> Iterator[SortedFile]:
    """Every file of an upload, each to be used before the next one is asked for.

    Raises:
        Invalid: a bare file that is no history, or an archive that is not safe.
    """
    for member in members(upload, limits, name):
        head = member.head()
        content, kind = sniff(head), kind_of_head(head)
        if member.level == 0:
            _check_bare(content, kind, member.path)
            yield SortedFile(member, _read_as(kind), content, kind)
        else:
            yield _sorted(member, content, kind, limits)


def _check_bare(content: Content, kind: Kind, name: str) -> None:
    """A bare file is read or refused: there is nothing else in the upload."""
    if content != "json":
        if refused := _REFUSED.get(content):
            raise refused
        raise NotJson(path=name, position=0)
    if kind.foreign:
        raise UnsupportedFormat(format=kind.foreign)


def _read_as(kind: Kind) -> Use:
    return "chat" if kind.kind == "message" else "objects"


def _sorted(member: Member, content: Content, kind: Kind, limits: Limits) -> SortedFile:
    if notice := _why_left_out(member, content):
        return SortedFile(member, "left-out", content, kind, notice)
    if content == "zip":
        return SortedFile(member, "asset", content, kind, _notice_of_zip(member))
    if content != "json" or _UPLOADED.fullmatch(member.name):
        return SortedFile(member, "asset", content, kind)
    if kind.provider:
        return SortedFile(member, _read_as(kind), content, kind)
    return _sorted_json(member, kind, limits)


def _notice_of_zip(member: Member) -> str:
    return "archive-not-opened" if member.name.lower().endswith(".zip") else ""


def _why_left_out(member: Member, content: Content) -> str:
    if _SECRET.fullmatch(member.name):
        return "secret-left-out"
    if _OF_A_SYSTEM.fullmatch(member.name) or "__MACOSX/" in member.path:
        return "system-file-left-out"
    if content == "html" and member.name == "chat.html":
        return "copy-left-out"
    return ""


def _sorted_json(member: Member, kind: Kind, limits: Limits) -> SortedFile:
    """A file that begins like JSON, and not like any that is known: read if it can be, whole.

    It may be anything that a person uploaded, so that it does not stop the import.
    """
    if _LIST_OF_OTHER_THINGS.match(member.head()):
        return SortedFile(member, "asset", "json", kind)
    try:
        for _ in parsed_objects(member, limits):
            pass
    except (NotJson, TruncatedJson, ObjectTooLarge) as problem:
        return SortedFile(member, "asset", "json", kind, "json-not-read", problem)
    return SortedFile(member, "objects", "json", kind)
