"""Objects of a tenant that are too large for a row: uploads, assets, finished exports. A folder.

Names are `<kind>/<id>`; a tenant's objects stand under a folder of its own, so that no name can
reach another's. Writing is atomic: a file is there whole, or not at all.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from tenants.isolation.scope import current_tenant

_DRAFT = ".draft-"  # begins the name of a file that is being written


def _folder(tenant_id: UUID) -> Path:
    return Path(settings.SOUVENIR_OBJECTS_DIR) / tenant_id.hex


def _path(kind: str, name: str) -> Path:
    if not kind.isalpha() or not name.replace("-", "").isalnum():
        msg = "An object's kind is letters, its name letters, digits and dashes."
        raise ValueError(msg)
    return _folder(current_tenant()) / kind / name


@contextmanager
def writing(kind: str, name: str) -> Iterator[BinaryIO]:
    """Write one object; it appears under its name when the body ends without an error."""
    path = _path(kind, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=_DRAFT)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)  # it is there only where it was not finished


def store(kind: str, name: str, chunks: Iterable[bytes]) -> int:
    """Write chunks as one object and give its size in bytes."""
    size = 0
    with writing(kind, name) as stream:
        for chunk in chunks:
            size += stream.write(chunk)
    return size


def object_path(kind: str, name: str) -> Path:
    """Where an object is, to read it. It need not exist."""
    return _path(kind, name)


def rename(kind: str, name: str, *, to: str) -> None:
    """Give an object another name of its kind, in place of what had that name."""
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


def names(kind: str) -> list[str]:
    """The names of all objects of a kind, sorted."""
    folder = _folder(current_tenant()) / kind
    if not folder.exists():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
