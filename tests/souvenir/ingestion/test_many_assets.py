"""An upload of many files: each is read a few times, however many there are."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from souvenir.ingestion.models import Asset
from souvenir.portability import archive
from souvenir.portability.documents import AssetRead
from souvenir.portability.errors import DamagedArchive
from souvenir.portability.limits import DEFAULT_LIMITS
from souvenir.portability.reading import assets_at, inspect, read
from souvenir.portability.upload import members_at
from tenants.isolation.scope import tenant_scope
from tenants.ledger import job_items
from tests.builders import Tenant, chatgpt_export, import_bytes

_FILES = 120


def _photo(number: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + number.to_bytes(4) * 20


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, body in files.items():
            made.writestr(name, body)
    return buffer.getvalue()


def _upload() -> bytes:
    photos = {f"file-{number:04}-photo.png": _photo(number) for number in range(_FILES)}
    return _zip({"conversations.json": chatgpt_export("Bonjour"), **photos})


def test_each_file_is_opened_a_few_times_however_many_there_are(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Any] = archive.open_file
    opened: list[str] = []

    def counting(zipped: Any, entry: Any, path: str, meter: Any) -> Any:
        opened.append(path)
        return real(zipped, entry, path, meter)

    monkeypatch.setattr("souvenir.portability.upload.open_file", counting)

    record = import_bytes(acme, _upload(), name="export.zip")

    assert len(opened) < 8 * _FILES, "twice to look at it and to take it apart, then once"
    with tenant_scope(acme.id):
        assert Asset.objects.count() == _FILES
        assert record.job_id is not None
        names = list(job_items(job_id=record.job_id).values_list("name", flat=True))
    assert sum(name.startswith("assets-") for name in names) == _FILES / 20
    assert record.report is not None
    assert record.report["complete"]


def test_files_of_zips_within_are_found_again_by_their_paths(tmp_path: Path) -> None:
    inner = _zip(
        {"conversations.json": chatgpt_export("Salut"), "a!b.png": _photo(1), "c.png": _photo(2)}
    )
    path = tmp_path / "outer.zip"
    path.write_bytes(_zip({"part-1.zip": inner, "d.png": _photo(3), "e!f.png": _photo(4)}))
    inspect(path)
    read_first = {}
    for item in read(path):
        if isinstance(item, AssetRead):
            with item.open() as stream:
                read_first[item.path] = stream.read()

    again = {}
    for asset in assets_at(path, list(read_first)):
        with asset.open() as stream:
            again[asset.path] = stream.read()

    assert again == read_first
    assert set(again) == {"part-1.zip!a!b.png", "part-1.zip!c.png", "d.png", "e!f.png"}


def test_a_path_that_leads_nowhere_is_a_damaged_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(_upload())

    with pytest.raises(DamagedArchive):
        list(members_at(path, ["nothing.png"], DEFAULT_LIMITS))
