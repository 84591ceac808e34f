"""Zips made to do harm, too heavy for tests/samples: each is refused, and in good time."""

import io
import json
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from souvenir.core.errors import Invalid
from souvenir.portability.archive import is_safe_path
from souvenir.portability.documents import AssetRead, JsonObject
from souvenir.portability.errors import (
    DamagedArchive,
    NestedArchive,
    TooDense,
    TooLarge,
    TooManyFiles,
)
from souvenir.portability.limits import DEFAULT_LIMITS, MIB
from souvenir.portability.reading import inspect, read

SAMPLES = Path(__file__).parents[2] / "samples"
CHAT = json.dumps(
    [{"id": "c", "title": "T", "mapping": {"a": {"message": {"content": None}, "parent": None}}}]
)


def zipped(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The files by name, in a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return packed.getvalue()


def saved(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "upload.zip"
    path.write_bytes(body)
    return path


def test_a_bomb_in_one_file_is_refused(tmp_path: Path) -> None:
    bomb = saved(tmp_path, zipped({"conversations.json": CHAT, "zeros": bytes(70 * MIB)}))

    with pytest.raises(TooDense):
        inspect(bomb)


def test_a_bomb_in_many_files_is_refused(tmp_path: Path) -> None:
    many = {f"zeros-{number}": bytes(8 * MIB) for number in range(9)}

    with pytest.raises(TooDense):
        inspect(saved(tmp_path, zipped({"conversations.json": CHAT, **many})))


def test_a_bomb_in_an_inner_zip_is_refused(tmp_path: Path) -> None:
    inner = zipped({"conversations.json": CHAT, "zeros": bytes(70 * MIB)})

    with pytest.raises(TooDense):
        inspect(saved(tmp_path, zipped({"inner.zip": inner}, zipfile.ZIP_STORED)))


def test_a_bomb_made_of_one_piece_listed_many_times_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", CHAT)
        archive.writestr("piece", bytes(MIB))
        (piece,) = (entry for entry in archive.infolist() if entry.filename == "piece")
        for number in range(80):
            copy = zipfile.ZipInfo("piece")
            copy.CRC, copy.compress_size = piece.CRC, piece.compress_size
            copy.file_size, copy.compress_type = piece.file_size, piece.compress_type
            copy.header_offset = piece.header_offset
            copy.filename = f"piece{number}"
            archive.filelist.append(copy)

    with pytest.raises((TooDense, DamagedArchive)):
        inspect(saved(tmp_path, packed.getvalue()))


def test_a_file_that_declares_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    body = zipped({"conversations.json": CHAT, "photo": b"a" * 1000})
    declared = (1000).to_bytes(4, "little")

    with pytest.raises(DamagedArchive):
        inspect(saved(tmp_path, body.replace(declared, (10).to_bytes(4, "little"))))


def test_repetitive_json_of_some_megabytes_is_no_bomb(tmp_path: Path) -> None:
    body = json.dumps([{"title": "T", "mapping": {}, "note": "a" * (10 * MIB)}])
    path = saved(tmp_path, zipped({"conversations.json": body}))

    assert path.stat().st_size * 100 < len(body)
    assert inspect(path).conversations == 1


def test_more_than_the_total_is_refused_by_what_is_unpacked(tmp_path: Path) -> None:
    path = saved(tmp_path, zipped({"conversations.json": CHAT, "photo": bytes(3 * MIB)}))

    with pytest.raises(TooLarge):
        inspect(path, limits=replace(DEFAULT_LIMITS, total_bytes=2 * MIB))


def test_more_than_the_allowed_files_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {f"photo-{number}": b"" for number in range(50)}
    path = saved(tmp_path, zipped(files))

    with pytest.raises(TooManyFiles):
        inspect(path, limits=replace(DEFAULT_LIMITS, entries=49))


def test_files_are_counted_over_all_inner_zips_together(tmp_path: Path) -> None:
    inner = {
        f"{number}.zip": zipped({"conversations.json": CHAT, "a": b"", "b": b""})
        for number in range(4)
    }
    path = saved(tmp_path, zipped({**inner}))

    assert inspect(path).conversations == 4
    with pytest.raises(TooManyFiles):
        inspect(path, limits=replace(DEFAULT_LIMITS, entries=15))


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_zips_too_deep_in_zips_are_refused(tmp_path: Path, depth: int) -> None:
    body = zipped({"conversations.json": CHAT})
    for _ in range(depth - 1):
        body = zipped({"inner.zip": body}, zipfile.ZIP_STORED)

    with pytest.raises(NestedArchive):
        inspect(saved(tmp_path, body))


def test_an_unsafe_inner_zip_of_an_export_refuses_the_whole(tmp_path: Path) -> None:
    inner = zipped({"conversations.json": CHAT, "../outside": b"x"})
    path = saved(tmp_path, zipped({"conversations.json": CHAT, "inner.zip": inner}))

    with pytest.raises(Invalid) as refusal:
        inspect(path)

    assert refusal.value.code == "archive-unsafe-path"


def test_a_document_that_a_person_attached_is_one_file(tmp_path: Path) -> None:
    document = zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"})
    path = saved(tmp_path, zipped({"conversations.json": CHAT, "report.docx": document}))

    assets = []
    for item in read(path):
        if isinstance(item, AssetRead):
            with item.open() as stream:
                assets.append((item.path, item.bytes_size, stream.read()))

    assert assets == [("report.docx", len(document), document)]
    assert inspect(path).assets == 1


def test_a_ten_megabyte_message_comes_in_whole(tmp_path: Path) -> None:
    text = 'é\\"\n' * (10 * MIB // 5)
    message: JsonObject = {"content": {"content_type": "text", "parts": [text]}}
    chat = [{"id": "c", "mapping": {"a": {"message": message, "parent": None}}}]
    path = saved(tmp_path, zipped({"conversations.json": json.dumps(chat)}))

    (item,) = read(path)

    assert not isinstance(item, AssetRead)
    assert item.conversation is not None
    assert item.conversation.messages[0].blocks[0].text == text


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_read_too(tmp_path: Path, compression: int) -> None:
    path = saved(tmp_path, zipped({"conversations.json": CHAT}, compression))

    assert inspect(path).messages == 1


@pytest.mark.parametrize(
    ("path", "is_safe"),
    [
        ("conversations.json", True),
        ("a/b..c/…", True),
        ("notes: été.md", True),
        ("../a", False),
        ("a/../b", False),
        ("a/..", False),
        ("/a", False),
        ("a\\b", False),
        ("C:a", False),
        ("a\x00b", False),
        ("", False),
        ("a" * 5000, False),
    ],
)
def test_a_path_is_safe_if_it_stays_below_its_folder(path: str, is_safe: bool) -> None:  # noqa: FBT001
    assert is_safe_path(path) is is_safe


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["chatgpt-nested.zip", "claude-2026-split.zip", "chatgpt-classic.zip"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    cut=st.floats(0.5, 1),
)
def test_a_zip_damaged_anywhere_is_read_or_refused(
    tmp_path: Path, name: str, changes: list[tuple[float, int]], cut: float
) -> None:
    body = bytearray((SAMPLES / "good" / name).read_bytes())
    for place, byte in changes:
        body[int(place * len(body))] = byte
    path = saved(tmp_path, bytes(body[: int(cut * len(body))]))

    with suppress(Invalid):
        inspection = inspect(path)
        assert sum(1 for _ in read(path)) == inspection.objects + inspection.assets
