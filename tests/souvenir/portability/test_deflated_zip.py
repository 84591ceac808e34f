"""Zips beyond 32 bits, read back by Python's own reader; what is large in them is a hole."""

import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import pytest

from souvenir.portability.deflated_zip import DeflatedZip

_GIB = 2**30
_HOLE = bytes(_GIB // 4)  # of zeros that nobody ever looks at
_RAW_DEFLATE = -15
_SAID = b"Une bouilloire, dit-elle. " * 40


class _Sparse(io.RawIOBase):
    """A file in which a hole takes no room."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, packed: object) -> int:
        assert isinstance(packed, bytes)
        if packed is _HOLE:
            self._file.seek(len(packed), os.SEEK_CUR)
        else:
            self._file.write(packed)
        return len(packed)


class _Forwards(io.RawIOBase):
    """A stream in which nobody can go back."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, packed: object) -> int:
        assert isinstance(packed, bytes | bytearray)
        self.written += packed
        return len(packed)

    def writable(self) -> bool:
        return True


def _deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=_RAW_DEFLATE)
    return packer.compress(body) + packer.flush()


def _add(archive: DeflatedZip, path: str, body: bytes) -> None:
    archive.begin(path)
    archive.write(_deflated(body))
    archive.end(crc=zlib.crc32(body), size_bytes=len(body))


def test_what_lies_beyond_four_gib_is_found_and_read(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    zeros = bytes(_GIB // 16)
    packer = zlib.compressobj(wbits=_RAW_DEFLATE)
    of_zeros = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    with path.open("wb") as file:
        archive = DeflatedZip(_Sparse(file))  # type: ignore[arg-type]  # it is only written to
        _add(archive, "first.jsonl", _SAID)
        archive.begin("large/packed")
        for _ in range(17):
            archive.write(_HOLE)
        archive.end(crc=7, size_bytes=5 * _GIB)
        archive.begin("large/plain")
        for _ in range(65):  # deflated one after the other, as pieces of parts are
            archive.write(of_zeros)
        archive.write(_deflated(b""))
        archive.end(crc=0, size_bytes=65 * len(zeros))
        _add(archive, "last.jsonl", _SAID)
        archive.close()
    assert path.stat().st_blocks * 512 < _GIB // 16, "the test fills no disk"

    with zipfile.ZipFile(path) as back:
        first, packed, plain, last = back.infolist()
        assert (packed.compress_size, packed.file_size, packed.CRC) == (17 * _GIB // 4, 5 * _GIB, 7)
        assert plain.compress_size < _GIB < 4 * _GIB < plain.file_size == 65 * _GIB // 16
        assert first.header_offset == 0
        assert 4 * _GIB < plain.header_offset < last.header_offset
        assert back.read(first) == back.read(last) == _SAID
        with back.open(plain) as stream:
            assert stream.read(len(_SAID)) == bytes(len(_SAID))


@pytest.mark.parametrize("count", [3, 65_536])
def test_the_bytes_are_those_of_python_s_own_writer_however_many_files(count: int) -> None:
    ours, theirs = _Forwards(), _Forwards()
    bodies = {f"raw/{place}": _SAID if place < 2 else b"" for place in range(count)}

    archive = DeflatedZip(ours)  # type: ignore[arg-type]  # it is only written to
    for name, body in bodies.items():
        _add(archive, name, body)
    archive.close()
    with zipfile.ZipFile(theirs, "w") as reference:
        for name, body in bodies.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with reference.open(entry, "w", force_zip64=True) as stream:
                stream.write(body)

    assert ours.written == theirs.written
    with zipfile.ZipFile(io.BytesIO(ours.written)) as back:
        assert back.namelist() == list(bodies)
        assert back.read(back.namelist()[-1]) == bodies[back.namelist()[-1]]


def test_the_most_files_of_an_ordinary_directory_are_read_back() -> None:
    ours = _Forwards()
    archive = DeflatedZip(ours)  # type: ignore[arg-type]  # it is only written to
    for place in range(65_535):
        _add(archive, f"raw/{place}", b"")
    archive.close()

    with zipfile.ZipFile(io.BytesIO(ours.written)) as back:
        assert len(back.namelist()) == 65_535
    assert b"PK\x06\x06" not in ours.written, "no directory of 64 bits"
