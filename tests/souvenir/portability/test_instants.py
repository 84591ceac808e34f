"""The many ways to write an instant."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souvenir.portability.documents import JsonValue
from souvenir.portability.instants import read_instant

NOON = datetime(2025, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        1740830400.25,
        "1740830400.25",
        1740830400250,
        1740830400250000,
        1740830400250000000,
        "2025-03-01T12:00:00.250000Z",
        "2025-03-01T20:00:00.25+08:00",
        "2025-03-01T12:00:00.25",
        " 2025-03-01 12:00:00.250Z ",
    ],
)
def test_an_instant_is_read(written: JsonValue) -> None:
    read = read_instant(written)

    assert read is not None
    assert abs((read - NOON).total_seconds()) < 1e-6


@pytest.mark.parametrize(
    "written",
    [
        None,
        0,
        -1,
        0.0,
        "",
        "soon",
        True,
        [],
        {},
        "nan",
        "inf",
        1e300,
        10**400,
        "9" * 400,
        "2025-13-01",
    ],
)
def test_what_is_no_instant_is_none(written: JsonValue) -> None:
    assert read_instant(written) is None


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_anything_is_an_instant_in_utc_or_none(written: JsonValue) -> None:
    read = read_instant(written)

    assert read is None or read.utcoffset() == UTC.utcoffset(None)
