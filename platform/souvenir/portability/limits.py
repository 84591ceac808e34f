"""How much an upload may be. All limits in one place; what exceeds one is refused, never cut."""

from dataclasses import dataclass

MIB = 1024**2
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """What one upload may hold, counted on what it really unpacks to, not on what it declares."""

    entries: int = 100_000  # files and folders, in all archives together
    total_bytes: int = 20 * GIB  # unpacked, in all
    ratio: int = 100  # unpacked bytes for one packed byte
    ratio_from_bytes: int = 64 * MIB  # below, any ratio: repetitive JSON may pack a thousandfold
    nesting: int = 2  # archives around a file: a zip, and zips inside it
    object_bytes: int = 256 * MIB  # one conversation, which is held in memory whole
    object_depth: int = 200  # brackets inside brackets; deeper objects are kept, not read


DEFAULT_LIMITS = Limits()
