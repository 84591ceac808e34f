"""Rows for COPY in its binary form, packed by numpy: a hundred times as fast as row by row."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_WIDE = {"uuid": "V16", "int2": ">i2", "int4": ">i4", "int8": ">i8", "bool": "?"}


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, PostgreSQL's name of its type, and what stands in it.

    `values` is an array with one element a row, or what all rows have.
    """

    name: str
    type: str
    values: np.ndarray | bytes | int


def packed(columns: list[Column], count: int) -> bytes:
    """A whole COPY of `count` rows. Each value of a column takes the same number of bytes."""
    fields: list[tuple[str, object]] = [("columns", ">i2")]
    for column in columns:
        fields += [(f"{column.name} bytes", ">i4"), (column.name, _dtype(column))]
    rows = np.empty(count, np.dtype(fields))
    rows["columns"] = len(columns)
    for column in columns:
        rows[f"{column.name} bytes"] = rows.dtype[column.name].itemsize
        _fill(rows, column)
    return _HEADER + rows.tobytes() + _TRAILER


def uuids(values: list[UUID]) -> np.ndarray:
    """uint8, shape (len(values), 16)."""
    return np.frombuffer(b"".join(value.bytes for value in values), np.uint8).reshape(-1, 16)


def ids_in_order(random: np.random.Generator, count: int, *, first_ms: int) -> np.ndarray:
    """Ids as souvenir.core.ids makes them, one each millisecond: uint8, shape (count, 16)."""
    ids = np.frombuffer(random.bytes(16 * count), np.uint8).reshape(-1, 16).copy()
    times = np.arange(first_ms, first_ms + count, dtype=">u8").view(np.uint8).reshape(-1, 8)
    ids[:, :6] = times[:, 2:]
    ids[:, 6] = ids[:, 6] & 0x0F | 0x70
    ids[:, 8] = ids[:, 8] & 0x3F | 0x80
    return ids


def _dtype(column: Column) -> object:
    if column.type == "halfvec":
        assert isinstance(column.values, np.ndarray)  # noqa: S101
        return np.dtype([("size", ">i2"), ("unused", ">i2"), ("of", ">f2", column.values.shape[1])])
    if column.type in _WIDE:
        return _WIDE[column.type]
    assert isinstance(column.values, bytes)  # noqa: S101
    return f"V{len(column.values)}"


def _fill(rows: np.ndarray, column: Column) -> None:
    values = column.values
    if column.type == "halfvec":
        assert isinstance(values, np.ndarray)  # noqa: S101
        cell = rows[column.name]
        cell["size"], cell["unused"], cell["of"] = values.shape[1], 0, values
    elif isinstance(values, np.ndarray) and column.type == "uuid":
        rows[column.name] = np.ascontiguousarray(values).view("V16").reshape(-1)
    elif isinstance(values, bytes):
        if values:
            rows[column.name] = np.void(values)
    else:
        rows[column.name] = values
