"""Souvenir archives of whatever lines and files a test wants, written in one go."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from souvenir.portability.archive_parts import Joining, PartWriter
from souvenir.portability.souvenir_archive import Line


class ArchiveWriter(PartWriter):
    """A part that is joined with nothing else."""

    def __init__(self, stream: BinaryIO) -> None:
        self._part = BytesIO()
        super().__init__(self._part)
        self._joining = Joining(stream)

    def close(self, facts: Line) -> None:
        """Make the archive whole."""
        self.finish()
        self._joining.files([lambda: BytesIO(self._part.getvalue())])
        self._joining.close(facts)


@contextmanager
def writing_archive(stream: BinaryIO) -> Iterator[ArchiveWriter]:
    """Write an archive to a file. It is whole once `close` was called."""
    yield ArchiveWriter(stream)
