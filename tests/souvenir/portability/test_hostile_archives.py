"""An archive that means harm, or met some: an error of ours each time, never a crash."""

import random
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from souvenir.core.errors import Invalid
from souvenir.portability.archive_parts import ContentMismatch
from souvenir.portability.errors import AlteredArchive, ObjectTooLarge
from souvenir.portability.limits import Limits
from souvenir.portability.souvenir_archive import is_souvenir_archive, reading_archive
from tests.archives import writing_archive


def _zip(path: Path, manifest: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest)
    return path


def test_bytes_that_are_not_what_their_digest_says_are_never_written(tmp_path: Path) -> None:
    name = sha256(b"what was kept").hexdigest()

    with (
        pytest.raises(ContentMismatch),
        (tmp_path / "a.zip").open("wb") as stream,
        writing_archive(stream) as archive,
    ):
        archive.file(f"assets/{name}", [b"what the disk gave back"])


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"format":"another","version":1,"files":[]}',
        b'{"format":"souvenir-archive","version":0,"files":[]}',
        b'{"format":"souvenir-archive","version":true,"files":[]}',
        b'{"format":"souvenir-archive","version":"1","files":[]}',
        b'{"format":"souvenir-archive","version":1,"files":5}',
        b'{"format":"souvenir-archive","version":1,"files":[5]}',
        b'{"format":"souvenir-archive","version":1,"files":[{"path":"a"}]}',
    ],
)
def test_a_manifest_that_is_not_one_is_refused(tmp_path: Path, manifest: bytes) -> None:
    with pytest.raises(AlteredArchive), reading_archive(_zip(tmp_path / "a.zip", manifest)):
        pass


def test_a_line_longer_than_any_object_may_be_is_not_taken_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("souvenir.portability.souvenir_archive._LIMITS", Limits(object_bytes=2000))
    path = tmp_path / "a.zip"
    with path.open("wb") as stream, writing_archive(stream) as archive:
        archive.lines("people.jsonl", [{"display_name": "x" * 3000}])
        archive.close({})

    with reading_archive(path) as archive, pytest.raises(ObjectTooLarge):
        list(archive.lines("people.jsonl"))


def test_a_damaged_archive_is_never_a_crash(tmp_path: Path) -> None:
    """Bytes cut off, and bytes changed where zipfile reads the directory and elsewhere."""
    path, chance = tmp_path / "a.zip", random.Random(7)  # noqa: S311 — no secret
    with path.open("wb") as stream, writing_archive(stream) as archive:
        archive.lines("people.jsonl", [{"external_id": "alice"}])
        archive.close({"scope": "person"})
    sound = path.read_bytes()
    codes = set()

    for turn in range(600):
        body = bytearray(sound)
        if turn % 3 == 0:
            del body[chance.randrange(len(body)) :]
        else:
            start = len(body) - 1500 if turn % 3 == 1 else 0
            for _ in range(3):
                body[chance.randrange(start, len(body))] = chance.randrange(256)
        path.write_bytes(body)
        for look in (is_souvenir_archive, _read_whole):
            try:
                look(path)
            except Invalid as error:
                codes.add(error.code.partition("-")[0])

    assert codes == {"archive"}


def _read_whole(path: Path) -> None:
    with reading_archive(path):
        pass
