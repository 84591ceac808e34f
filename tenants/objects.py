"""Objects of a tenant that are too large for a row: uploads, assets, finished exports. A folder.

Names are `<kind>/<id>`, or `<kind>/<id>-<attempt>` while it is written; a tenant's objects stand
under a folder of its own, so that no name can reach another's. Writing is atomic: a file is there
whole, or not at all. All of them are sealed for the subjects that the writer names.

A folder has no transactions: who is killed between writing an object and committing its row leaves
an orphan. So whoever writes one in a transaction holds its id until that ends; what nobody holds,
and no row names, can go.
"""

import hashlib
import io
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection

from souvenir.core.sealed_streams import LONGEST_HEAD, SealedReader, SealingWriter
from souvenir.core.sealing import SALT_BYTES, Place, subjects_of
from tenants.isolation.scope import current_tenant, has_transaction
from tenants.keyring.services import opening_secrets, sealing_secrets

_DRAFT = ".draft-"  # begins the name of a file that is being written
_ID_CHARACTERS = 36  # the id that an object is bound to; what follows may change
_COPY_BYTES = 1024 * 1024


class ObjectRemoved(RuntimeError):
    """What was being sealed again was removed meanwhile."""


@dataclass(frozen=True, slots=True)
class ObjectSize:
    """As `os.stat_result` names it, for whoever also reads plain files."""

    st_size: int  # bytes


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object, to be read. It need not be there."""

    path: Path
    place: Place

    @property
    def name(self) -> str:
        return self.path.name

    def stat(self) -> ObjectSize:
        """How long what was written is, which is not the file."""
        with self._opened() as stream:
            return ObjectSize(stream.size_bytes)

    def exists(self) -> bool:
        return self.path.exists()

    def open(self, mode: Literal["rb"] = "rb") -> BinaryIO:
        """Read it, from any place in it.

        Raises:
            ContentGone, SealBroken, KeystoreUnavailable, KeyRefused
        """
        del mode
        return io.BufferedReader(self._opened())

    def subjects(self) -> tuple[tuple[UUID, int], ...]:
        """Whose keys open it, and their versions."""
        with self.path.open("rb") as stream:
            return subjects_of(stream.read(LONGEST_HEAD))

    def _opened(self) -> SealedReader:
        with ExitStack() as unless_opened:
            stream = unless_opened.enter_context(self.path.open("rb"))
            reader = SealedReader(
                stream,
                place=self.place,
                find_secrets=lambda head: opening_secrets(
                    subjects_of(head), tenant_id=self.place.tenant_id
                ),
            )
            unless_opened.pop_all()  # the reader closes it from here on
        return reader


def _folder(tenant_id: UUID) -> Path:
    return Path(settings.SOUVENIR_OBJECTS_DIR) / tenant_id.hex


def _path(kind: str, name: str) -> Path:
    if not kind.isalpha() or not name.replace("-", "").isalnum():
        msg = "An object's kind is letters, its name letters, digits and dashes."
        raise ValueError(msg)
    return _folder(current_tenant()) / kind / name


def _place(kind: str, name: str) -> Place:
    return Place(current_tenant(), "objects", kind, name[:_ID_CHARACTERS])


@contextmanager
def writing(kind: str, name: str, *, sealed_for: Sequence[UUID]) -> Iterator[BinaryIO]:
    """Write one object; it appears under its name when the body ends without an error."""
    path = _path(kind, name)
    if has_transaction():
        _ask_for_lock("SELECT pg_advisory_xact_lock_shared(%s)", name)
    keys = sealing_secrets(sealed_for)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=_DRAFT)
    try:
        with os.fdopen(handle, "wb") as file:
            writer = SealingWriter(
                file, place=_place(kind, name), secrets=keys, salt=secrets.token_bytes(SALT_BYTES)
            )
            yield writer  # type: ignore[misc]  # a RawIOBase with all that BinaryIO asks here
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)  # it is there only where it was not finished


def store(kind: str, name: str, chunks: Iterable[bytes], *, sealed_for: Sequence[UUID]) -> int:
    """Write chunks as one object and give its size in bytes."""
    size = 0
    with writing(kind, name, sealed_for=sealed_for) as stream:
        for chunk in chunks:
            size += stream.write(chunk)
    return size


def stored(kind: str, name: str) -> StoredObject:
    """An object, to read it. It need not be there."""
    return StoredObject(_path(kind, name), _place(kind, name))


def seal_again(kind: str, name: str) -> bool:
    """Seal an object with the newest keys of its subjects. False: it is, or it is not there.

    Raises:
        ObjectRemoved: it stays removed.
    """
    found = stored(kind, name)
    if not found.exists():
        return False
    entries = found.subjects()
    newest = sealing_secrets([subject_id for subject_id, _ in entries])
    if {(secret.subject_id, secret.version) for secret in newest} == set(entries):
        return False
    with (
        found.open() as stream,
        writing(kind, name, sealed_for=[subject_id for subject_id, _ in entries]) as again,
    ):
        shutil.copyfileobj(stream, again, _COPY_BYTES)
        if not found.exists():  # removed meanwhile: it must not come back
            raise ObjectRemoved
    return True


def rename(kind: str, name: str, *, to: str) -> None:
    """Give an object another name of the same id, in place of what had that name."""
    if name[:_ID_CHARACTERS] != to[:_ID_CHARACTERS]:
        msg = "An object is bound to its id: it cannot be given another."
        raise ValueError(msg)
    _path(kind, name).replace(_path(kind, to))


def remove(kind: str, name: str) -> bool:
    """Remove one object; says whether it was there."""
    path = _path(kind, name)
    if not path.exists():
        return False
    path.unlink()
    return True


def remove_all() -> int:
    """Remove every object of the organization in scope; gives how many there were."""
    folder = _folder(current_tenant())
    count = sum(1 for path in folder.rglob("*") if path.is_file())
    if folder.exists():
        shutil.rmtree(folder)
    return count


def remove_abandoned_drafts(*, older_than_seconds: float) -> int:
    """Remove what a killed process had begun to write, in any kind; gives how many there were."""
    limit = time.time() - older_than_seconds
    drafts = [path for path in _folder(current_tenant()).glob(f"*/{_DRAFT}*") if path.is_file()]
    old = [path for path in drafts if path.stat().st_mtime < limit]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def nobody_holds(name: str) -> bool:
    """Whether no open transaction has written an object of this id. Needs a tenant scope."""
    return bool(_ask_for_lock("SELECT pg_try_advisory_xact_lock(%s)", name))


def _ask_for_lock(question: str, name: str) -> object:
    digest = hashlib.sha256(f"souvenir object {name[:_ID_CHARACTERS]}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(question, [int.from_bytes(digest[:8], signed=True)])
        return cursor.fetchone()[0]


def kinds() -> list[str]:
    """The kinds of objects that the organization has, sorted."""
    folder = _folder(current_tenant())
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def names(kind: str) -> list[str]:
    """The names of all objects of a kind, sorted."""
    folder = _folder(current_tenant()) / kind
    if not folder.exists():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def names_written_before(kind: str, seconds: float) -> list[str]:
    """The names of the objects of a kind that were written so long ago, sorted."""
    limit = time.time() - seconds
    found = []
    for name in names(kind):
        with suppress(FileNotFoundError):  # removed meanwhile
            if _path(kind, name).stat().st_mtime <= limit:
                found.append(name)
    return found
