"""What a reader is given: a file on a disk, or one that is sealed somewhere else."""

from typing import BinaryIO, Literal, Protocol


class Size(Protocol):
    """What is asked of a file's facts."""

    @property
    def st_size(self) -> int:
        """How long it is, in bytes."""


class StoredFile(Protocol):
    """A whole file that may be opened again and again, and read from any place in it.

    A `Path` is one.
    """

    @property
    def name(self) -> str:
        """What it is called where it stands; not what a person calls it."""

    def stat(self) -> Size:
        """Its facts."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """Open it, at its beginning. The caller closes it."""
