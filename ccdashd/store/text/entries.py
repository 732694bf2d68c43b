"""What the index knows of entries: rows by rowid, and the rowids of logs. What fits an expression is told by `matches`."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import apsw

from ccdashd.store.text import blocks

_KEYS = 500
"""Keys that one statement asks for."""


class Found(NamedTuple):
    """An entry of a log, as `sources.model.Entry` has it."""

    rowid: int
    path: str
    """Of the log; that of an earlier version in the archive is ``<path>#<version>``."""
    offset: int
    length: int
    block: int
    kind: int
    """Place in `sources.model.KINDS`."""
    time: int | None
    tool: str | None
    model: str | None
    key: int
    """The same in copies of the record, which forks of a session hold; 0 where the record has no uuid."""


class Span(NamedTuple):
    """Rowids from `first` to `last`, both among them."""

    first: int
    last: int


_BLOCKS = "SELECT b.first, b.count, l.path, b.data FROM entry_blocks b JOIN logs l ON l.id = b.log"
_AT = f"{_BLOCKS} WHERE b.first <= ? ORDER BY b.first DESC LIMIT 1"
_SPANS = "SELECT first, first + count - 1 FROM entry_blocks WHERE log = ? ORDER BY first"
_ENDS = "SELECT MIN(first), (SELECT first + count - 1 FROM entry_blocks ORDER BY first DESC LIMIT 1) FROM entry_blocks"


def entries(text: apsw.Connection, rowids: Sequence[int]) -> list[Found]:
    """The entries with these rowids, in their order; those that are gone meanwhile are left out."""
    names = dict(text.execute("SELECT id, name FROM names"))
    found: dict[int, Found] = {}
    wanted = sorted(set(rowids), reverse=True)
    position = 0
    while position < len(wanted):
        block = next(iter(text.execute(_AT, (wanted[position],))), None)
        if block is None:
            break
        first, count, path, data = block
        # All that stand in the same block: wanted ones are sorted, the highest first.
        end = position
        while end < len(wanted) and wanted[end] >= first:
            end += 1
        inside = [rowid for rowid in wanted[position:end] if rowid < first + count]
        rows = blocks.unpack(data, [rowid - first for rowid in inside])
        for rowid, row in zip(inside, rows, strict=True):
            found[rowid] = Found(
                rowid,
                os.fsdecode(path),
                *row[:5],
                names.get(row.tool),
                names.get(row.model),
                row.key,
            )
        position = end
    return [found[rowid] for rowid in rowids if rowid in found]


def spans(text: apsw.Connection, paths: Iterable[str]) -> list[Span]:
    """The rowids of the entries of these logs, ascending; those that follow each other are one span."""
    found: list[Span] = []
    for id in ids(text, paths).values():
        found += [Span(first, last) for first, last in text.execute(_SPANS, (id,))]
    return merged(found)


def merged(found: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, ascending; those that follow each other as one."""
    joined: list[Span] = []
    for span in sorted(found):
        if joined and span.first <= joined[-1].last + 1:
            joined[-1] = Span(joined[-1].first, max(joined[-1].last, span.last))
        else:
            joined.append(span)
    return joined


def ends(text: apsw.Connection) -> Span | None:
    """The lowest and the highest rowid; None where there is no entry."""
    ((first, last),) = text.execute(_ENDS)
    return Span(first, last) if first is not None else None


def contains(allowed: Sequence[Span], rowid: int) -> bool:
    """Whether a rowid is in one of these spans (see `merged`)."""
    place = bisect_right(allowed, (rowid, 2**63)) - 1
    return place >= 0 and rowid <= allowed[place].last


def ids(text: apsw.Connection, paths: Iterable[str]) -> dict[str, int]:
    """The ids of those of these logs that are in the index."""
    stored = {path_value(path): path for path in paths}
    wanted = list(stored)
    found: dict[str, int] = {}
    for begin in range(0, len(wanted), _KEYS):
        part = wanted[begin : begin + _KEYS]
        query = f"SELECT path, id FROM logs WHERE path IN ({', '.join('?' * len(part))})"
        found |= {stored[path]: id for path, id in text.execute(query, part)}
    return found


def names(text: apsw.Connection, type: Literal["tool", "model"]) -> dict[str, int]:
    """The tools, or models, that entries have, with their ids: see `tags`."""
    return dict(text.execute("SELECT name, id FROM names WHERE type = ?", (type,)))


def path_value(path: str) -> str | bytes:
    """A path as it is stored: text, or its bytes where the name is not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path
