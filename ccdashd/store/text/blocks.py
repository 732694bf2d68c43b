"""Entries as the index keeps them: where each stands in its log and what it is, up to `SIZE` of them in one row. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Final, NamedTuple

import zstandard

SIZE: Final = 256
"""Entries of one block."""

_COLUMNS: Final = "QIIBqIII"
"""Types of the columns, in the order of `Row` (https://docs.python.org/3/library/array.html)."""

_FIELDS: Final = [Struct(f"={code}") for code in _COLUMNS]
_WIDTHS: Final = [field.size for field in _FIELDS]
_BEFORE: Final = [sum(_WIDTHS[:number]) for number in range(len(_WIDTHS))]
"""Bytes of one entry in the columns before each column."""

_WIDTH: Final = sum(_WIDTHS)
_FEW: Final = 3
"""A part of a block that is smaller than this is read entry by entry."""

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


def unpack(data: bytes, numbers: Sequence[int] | None = None) -> list[Row]:
    """The entries of a stored block, or those with these numbers. Raises `zstandard.ZstdError` where it is damaged."""
    data = zstandard.ZstdDecompressor().decompress(data)
    count = len(data) // _WIDTH
    if numbers is not None and len(numbers) <= count // _FEW:
        places = [(field, before * count) for field, before in zip(_FIELDS, _BEFORE, strict=True)]
        return [
            _row([field.unpack_from(data, begin + number * field.size)[0] for field, begin in places]) for number in numbers
        ]
    begins = [before * count for before in _BEFORE]
    columns = [
        array(code, data[begin : begin + count * width])
        for code, width, begin in zip(_COLUMNS, _WIDTHS, begins, strict=True)
    ]
    rows = [_row(values) for values in zip(*columns, strict=True)]
    return rows if numbers is None else [rows[number] for number in numbers]


def times(data: bytes) -> list[int | None]:
    """The times of the entries of a stored block. Raises as `unpack`."""
    data = zstandard.ZstdDecompressor().decompress(data)
    column = _COLUMNS.index("q")
    count = len(data) // _WIDTH
    begin = _BEFORE[column] * count
    found = array("q", data[begin : begin + count * _WIDTHS[column]])
    return [None if time == _NO_TIME else time for time in found]


def _row(values: Sequence[int]) -> Row:
    row = Row(*values)
    return row._replace(time=None) if row.time == _NO_TIME else row
