"""An archive is written the same each time, and read only if it is as it was written."""

import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from souvenir.core.canonical_json import canonical_json
from souvenir.portability.errors import AlteredArchive, DamagedArchive, NewerArchive, UnsafePath
from souvenir.portability.souvenir_archive import VERSION, is_souvenir_archive, reading_archive
from tests.archives import writing_archive

RAW = '{"une":"pensée 🦔"}'.encode()
PEOPLE = [{"external_id": "alice", "display_name": "Alice É. 🦔"}]
FACTS = {"scope": "person", "created_at": "2026-01-02T03:04:05.000000Z"}


def _written(path: Path, *, raws: int = 1) -> Path:
    with path.open("wb") as stream, writing_archive(stream) as archive:
        archive.lines("people.jsonl", PEOPLE)
        for number in range(raws):
            body = RAW + b"\n" * number
            archive.file(f"raw/{sha256(body).hexdigest()}", [body[:3], body[3:]])
        archive.close({**FACTS, "software": "souvenir test", "counts": {"people": 1}})
    return path


def _rewritten(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The same zip, sound as a zip, after `change` was made to its files."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


def _manifest(**facts: object) -> Callable[[dict[str, bytes]], object]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = canonical_json({**json.loads(files["manifest.json"]), **facts})

    return change


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.zip")

    with reading_archive(path) as archive:
        assert list(archive.lines("people.jsonl")) == PEOPLE
        with archive.open(f"raw/{sha256(RAW).hexdigest()}") as stream:
            assert stream.read() == RAW


def test_the_same_content_gives_the_same_zip_byte_for_byte(tmp_path: Path) -> None:
    first, second = _written(tmp_path / "a.zip"), _written(tmp_path / "b.zip")

    assert first.read_bytes() == second.read_bytes()


def test_the_manifest_stands_last_and_holds_the_hash_and_the_size_of_every_other_file(
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(_written(tmp_path / "a.zip")) as archive:
        names = archive.namelist()
        listed = json.loads(archive.read("manifest.json"))["files"]
        found = [
            {"path": name, "bytes": len(body), "sha256": sha256(body).hexdigest()}
            for name in names[:-1]
            for body in [archive.read(name)]
        ]

    assert names[-1] == "manifest.json"
    assert listed == found


def test_a_single_changed_byte_is_found(tmp_path: Path) -> None:
    name = f"raw/{sha256(RAW).hexdigest()}"
    path = _rewritten(
        _written(tmp_path / "a.zip"),
        lambda files: files.update({name: RAW.replace(b"une", b"uns")}),
    )

    with pytest.raises(AlteredArchive) as error, reading_archive(path):
        pass

    assert error.value.params == {"path": name}


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    path = _rewritten(_written(tmp_path / "a.zip"), lambda files: files.pop("people.jsonl"))

    with pytest.raises(AlteredArchive) as error, reading_archive(path):
        pass

    assert error.value.params == {"path": "people.jsonl"}


def test_a_file_that_the_manifest_does_not_name_is_refused(tmp_path: Path) -> None:
    path = _rewritten(_written(tmp_path / "a.zip"), lambda files: files.update({"more": b"x"}))

    with pytest.raises(AlteredArchive) as error, reading_archive(path):
        pass

    assert error.value.params == {"path": "more"}


def test_a_path_that_leads_out_of_the_zip_is_refused_though_its_hash_is_right(
    tmp_path: Path,
) -> None:
    outside = {"path": "../away", "bytes": 1, "sha256": sha256(b"x").hexdigest()}
    path = _rewritten(_written(tmp_path / "a.zip"), _manifest(files=[outside]))
    _rewritten(path, lambda files: files.update({"../away": b"x"}))

    with pytest.raises(UnsafePath), reading_archive(path):
        pass


def test_a_newer_version_says_which_versions_can_be_read(tmp_path: Path) -> None:
    path = _rewritten(_written(tmp_path / "a.zip"), _manifest(version=VERSION + 1))

    with pytest.raises(NewerArchive) as error, reading_archive(path):
        pass

    assert error.value.params == {"version": VERSION + 1, "known": VERSION}


def test_a_zip_that_was_cut_short_is_damaged(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(DamagedArchive), reading_archive(path):
        pass


def test_an_archive_is_known_by_its_manifest_and_not_by_its_name(tmp_path: Path) -> None:
    ours = _written(tmp_path / "holiday.png")
    theirs = tmp_path / "souvenir.zip"
    with zipfile.ZipFile(theirs, "w") as archive:
        archive.writestr("manifest.json", '{"format":"another"}')
    neither = tmp_path / "souvenir-archive.json"
    neither.write_text('{"format":"souvenir-archive"}')

    assert is_souvenir_archive(ours)
    assert not is_souvenir_archive(theirs)
    assert not is_souvenir_archive(neither)


def test_an_archive_of_ten_thousand_files_is_still_known(tmp_path: Path) -> None:
    """In the manifest the list of files stands before the format: over a megabyte of it here."""
    path = _written(tmp_path / "a.zip", raws=10_000)

    assert is_souvenir_archive(path)
