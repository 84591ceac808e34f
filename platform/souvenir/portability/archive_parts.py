"""A Souvenir archive written part by part, by whichever processes, and joined at the end.

A part holds pieces of the archive's files, deflated. Pieces of one file that stand one after the
other are that file: so joining packs nothing again, and gives the same bytes wherever the writing
was interrupted. Pure: it knows files and lines, not what stands in them.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from souvenir.core.canonical_json import canonical_json
from souvenir.portability.deflated_zip import DeflatedZip
from souvenir.portability.souvenir_archive import FORMAT, MANIFEST, VERSION, Line

_LENGTH_BYTES = 8
_CHUNK_BYTES = 1024 * 1024
_STATIC = Path(__file__).resolve().parent
_NAMED_BY_DIGEST = ("raw", "assets")  # folders whose files are named by their own SHA-256
_RAW_DEFLATE = -15
_LAST_BLOCK = b"\x03\x00"  # of a deflated file: an empty one, which says that it is the last
Opened = Callable[[], BinaryIO]  # a part, each time from its beginning; the caller closes it


class ContentMismatch(RuntimeError):
    """What was to be written is not what its digest says: storage lost or changed bytes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a part holds of one file."""

    path: str
    begins: int  # where in the part
    packed_bytes: int
    size_bytes: int
    crc: int
    sha256: str  # of the piece, hex
    lines: int = 0


class PartWriter:
    """Writes a part in one pass, in constant memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = 0
        self._pieces: list[Piece] = []

    def lines(self, path: str, rows: Iterable[Line]) -> int:
        """Write rows of a JSON Lines file, in the order given; says how many."""
        count = 0

        def encoded() -> Iterator[bytes]:
            nonlocal count
            for row in rows:
                count += 1
                yield canonical_json(row) + b"\n"

        piece = self._piece(path, encoded())
        self._pieces.append(replace(piece, lines=count))
        return count

    def file(self, path: str, chunks: Iterable[bytes]) -> None:
        """Write one whole file from its bytes.

        Raises:
            ContentMismatch: it is to be named by a digest that is not its own.
        """
        piece = self._piece(path, chunks)
        folder, name = PurePosixPath(path).parts[0], PurePosixPath(path).name
        if folder in _NAMED_BY_DIGEST and name != piece.sha256:
            msg = f"{path} holds bytes of another digest."
            raise ContentMismatch(msg)
        self._pieces.append(piece)

    def finish(self) -> None:
        """Write down what the part holds."""
        index = json.dumps([asdict(piece) for piece in self._pieces]).encode()
        self._stream.write(index + len(index).to_bytes(_LENGTH_BYTES))

    def _piece(self, path: str, chunks: Iterable[bytes]) -> Piece:
        begins, size, crc, digest = self._at, 0, 0, hashlib.sha256()
        packer = zlib.compressobj(wbits=_RAW_DEFLATE)
        for chunk in chunks:
            digest.update(chunk)
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
            self._put(packer.compress(chunk))
        # It ends at a byte, and what follows may not refer back to it: so it can be joined.
        self._put(packer.flush(zlib.Z_FULL_FLUSH))
        return Piece(path, begins, self._at - begins, size, crc, digest.hexdigest())

    def _put(self, packed: bytes) -> None:
        self._stream.write(packed)
        self._at += len(packed)


class Joining:
    """Joins parts into an archive, in one pass over each file. `close` makes it whole."""

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = DeflatedZip(stream)
        self._files: list[Line] = []

    def lines(self, path: str, parts: Iterable[Opened]) -> int:
        """Write the JSON Lines file that is in pieces in some parts, in order; says how many."""
        self._zip.begin(path)
        size, crc, count, digest = 0, 0, 0, hashlib.sha256()
        for opened in parts:
            with opened() as part:
                for piece in _pieces(part):
                    if piece.path == path:
                        unpacker = zlib.decompressobj(wbits=_RAW_DEFLATE)
                        for packed in _packed(part, piece):
                            self._zip.write(packed)
                            plain = unpacker.decompress(packed)
                            digest.update(plain)
                            size, crc = size + len(plain), zlib.crc32(plain, crc)
                        count += piece.lines
        self._end(path, crc, size, digest.hexdigest())
        return count

    def files(self, parts: Iterable[Opened]) -> None:
        """Write the whole files that some parts hold, in order."""
        for opened in parts:
            with opened() as part:
                for piece in _pieces(part):
                    self._zip.begin(piece.path)
                    for packed in _packed(part, piece):
                        self._zip.write(packed)
                    self._end(piece.path, piece.crc, piece.size_bytes, piece.sha256)

    def close(self, facts: Line) -> None:
        """Write what explains the archive, then the manifest over everything."""
        for path in sorted((_STATIC / "archive_readme").iterdir()):
            self._write(path.name, path.read_bytes())
        for path in sorted((_STATIC / "schemas").iterdir()):
            self._write(f"schemas/{path.name}", path.read_bytes())
        manifest = {**facts, "format": FORMAT, "version": VERSION, "files": self._files}
        self._write(MANIFEST, canonical_json(manifest) + b"\n")
        self._zip.close()

    def _write(self, path: str, body: bytes) -> None:
        packer = zlib.compressobj(wbits=_RAW_DEFLATE)
        self._zip.begin(path)
        self._zip.write(packer.compress(body) + packer.flush(zlib.Z_FULL_FLUSH))
        self._end(path, zlib.crc32(body), len(body), hashlib.sha256(body).hexdigest())

    def _end(self, path: str, crc: int, size: int, sha256: str) -> None:
        self._zip.write(_LAST_BLOCK)
        self._zip.end(crc=crc, size_bytes=size)
        self._files.append({"path": path, "bytes": size, "sha256": sha256})


def _pieces(part: BinaryIO) -> list[Piece]:
    end = part.seek(-_LENGTH_BYTES, 2)
    length = int.from_bytes(part.read(_LENGTH_BYTES))
    part.seek(end - length)
    return [Piece(**piece) for piece in json.loads(part.read(length))]


def _packed(part: BinaryIO, piece: Piece) -> Iterator[bytes]:
    part.seek(piece.begins)
    left = piece.packed_bytes
    while left:
        chunk = part.read(min(left, _CHUNK_BYTES))
        if not chunk:
            msg = f"A part ends before its piece of {piece.path}."
            raise ContentMismatch(msg)
        left -= len(chunk)
        yield chunk
