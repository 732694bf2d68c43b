"""All blocks of entries at a glance: which rowids are of which logs, and of when. Read again when the index changed."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import apsw

from ccdashd.store.text import blocks, entries
from ccdashd.store.text.entries import Span

_BLOCKS = "SELECT first, count, log, earliest, latest FROM entry_blocks ORDER BY first"
_LOGS = "SELECT id, path FROM logs"
_DATA = "SELECT data FROM entry_blocks WHERE first = ?"


class Times(NamedTuple):
    """From `begin` until before `end`, in milliseconds since the epoch; None: open."""

    begin: int | None = None
    end: int | None = None

    @property
    def everything(self) -> bool:
        """Whether all is meant, also what has no time."""
        return self.begin is None and self.end is None

    def holds(self, time: int | None) -> bool:
        """Whether that time is meant."""
        if time is None:
            return self.everything
        return (self.begin is None or time >= self.begin) and (self.end is None or time < self.end)


class Overview:
    """The blocks of one moment, in the order of their rowids. For one thread."""

    def __init__(self, text: apsw.Connection) -> None:
        self._text = text
        self._version = -1
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._paths: dict[int, str] = {}
        self._firsts: list[int] = []
        self._ceilings: list[int] = []
        self.entries = 0
        """Entries in the index."""

    def refresh(self) -> None:
        """Read the blocks again if another connection changed the index; within the transaction that searches."""
        version = int(self._text.pragma("data_version"))
        if version == self._version:
            return
        self._rows = list(self._text.execute(_BLOCKS))
        self._paths = {id: os.fsdecode(path) for id, path in self._text.execute(_LOGS)}
        self._firsts = [row[0] for row in self._rows]
        self._ceilings = list(accumulate((row[4] for row in self._rows), max))
        self.entries = sum(row[1] for row in self._rows)
        self._version = version

    def latest_below(self, rowid: int) -> int:
        """No entry with a lower rowid is newer than this; -1 where none has a time."""
        place = bisect_left(self._firsts, rowid)
        return self._ceilings[place - 1] if place else -1

    def allowed(self, has_log: Callable[[str], bool] | None, times: Times) -> list[Span]:
        """The rowids of entries of those logs, by default of all, and of that time; ascending, neighbours as one."""
        wanted = None if has_log is None else {id for id, path in self._paths.items() if has_log(path)}
        found: list[Span] = []
        for first, count, log, earliest, latest in self._rows:
            if wanted is not None and log not in wanted:
                continue
            if times.everything or (earliest >= 0 and times.holds(earliest) and times.holds(latest)):
                found.append(Span(first, first + count - 1))
            elif latest >= (times.begin or 0) and (times.end is None or earliest < times.end):
                found += self._during(first, times)
        return entries.merged(found)

    def _during(self, first: int, times: Times) -> list[Span]:
        """The rowids of that time in one block."""
        ((data,),) = self._text.execute(_DATA, (first,))
        rows = enumerate(blocks.unpack(data), first)
        return [Span(rowid, rowid) for rowid, row in rows if times.holds(row.time)]
