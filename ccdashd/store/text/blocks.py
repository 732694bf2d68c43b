"""Entries as the index keeps them: where each stands in its log and what it is, up to `SIZE` of them in one row. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final, NamedTuple

import zstandard

SIZE: Final = 256
"""Entries of one block."""

_COLUMNS: Final = "QIHBqHHI"
"""Types of the columns, in the order of `Row` (https://docs.python.org/3/library/array.html)."""

_WIDTH: Final = sum(array(code).itemsize for code in _COLUMNS)
_NO_TIME: Final = -(2**63)


class Row(NamedTuple):
    """An entry, as `sources.model.Entry` has it."""

    offset: int
    length: int
    block: int
    kind: int
    time: int | None
    tool: int
    """Id in the table ``names``, 0 where there is none."""
    model: int
    """The same."""
    key: int
    """Four bytes of the hash of the record's uuid, the same in copies of the record; 0 where it has none."""


def pack(rows: Iterable[Row]) -> bytes:
    """A block as it is stored: column by column, compressed. It is read on the machine that wrote it."""
    columns = list(zip(*rows, strict=True))
    columns[4] = tuple(_NO_TIME if time is None else time for time in columns[4])
    data = b"".join(array(code, column).tobytes() for code, column in zip(_COLUMNS, columns, strict=True))
    return zstandard.ZstdCompressor(level=1).compress(data)


def unpack(data: bytes, numbers: Iterable[int] | None = None) -> list[Row]:
    """The entries of a stored block, or those with these numbers. Raises `zstandard.ZstdError` where it is damaged."""
    data = zstandard.ZstdDecompressor().decompress(data)
    count = len(data) // _WIDTH
    columns = []
    start = 0
    for code in _COLUMNS:
        column = array(code)
        end = start + count * column.itemsize
        column.frombytes(data[start:end])
        columns.append(column)
        start = end
    rows = []
    for number in range(count) if numbers is None else numbers:
        row = Row(*(column[number] for column in columns))
        rows.append(row._replace(time=None) if row.time == _NO_TIME else row)
    return rows
