"""Reads the many ways in which exports write an instant."""

from datetime import UTC, datetime

from souvenir.portability.documents import JsonValue

# Above each bound, a number can only be in a finer unit: 1e11 seconds is the year 5138.
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))  # (from, units in a second): ns, µs, ms


def read_instant(value: JsonValue) -> datetime | None:
    """The instant that `value` stands for, aware, in UTC; None if it stands for none.

    Numbers, also as text, are seconds since 1970, or finer by their size; 0 and less are no
    instant. Other text is ISO 8601, in UTC where it names no zone.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_number(value)
    if isinstance(value, str):
        return _from_text(value.strip())
    return None


def _from_number(number: float) -> datetime | None:
    if not 0 < number < 1e20:  # noqa: PLR2004 - nanoseconds of the year 5138
        return None
    scale = next((units for bound, units in _UNITS if number >= bound), 1.0)
    return datetime.fromtimestamp(number / scale, UTC)


def _from_text(text: str) -> datetime | None:
    try:
        return _from_number(float(text))
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
