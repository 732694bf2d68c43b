"""All blocks of entries at a glance: which rowids are of which logs, of when, and of which kind. Read again when the index
changed."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import apsw

from ccdashd.store.text import blocks, entries
from ccdashd.store.text.entries import Span

_BLOCKS = "SELECT first, count, log, earliest, latest, kinds FROM entry_blocks ORDER BY first"
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
        self._rows: list[tuple[int, int, int, int, int, bytes]] = []
        self._paths: dict[int, str] = {}
        self._firsts: list[int] = []
        self._ceilings: list[int] = []

    def refresh(self) -> None:
        """Read the blocks again if another connection changed the index; within the transaction that searches."""
        next(self._text.execute(_LOGS), None)  # the transaction begins with what is read first
        version = int(self._text.pragma("data_version"))
        if version == self._version:
            return
        self._rows = list(self._text.execute(_BLOCKS))
        self._paths = {id: os.fsdecode(path) for id, path in self._text.execute(_LOGS)}
        self._firsts = [row[0] for row in self._rows]
        self._ceilings = list(accumulate((row[4] for row in self._rows), max))
        self._version = version

    def kind(self, rowid: int) -> int:
        """The kind of an entry that is in the index, by its place in `sources.model.KINDS`."""
        first, _, _, _, _, kinds = self._rows[bisect_right(self._firsts, rowid) - 1]
        return kinds[rowid - first]

    def latest_below(self, rowid: int) -> int:
        """No entry with a lower rowid is newer than this; -1 where none has a time."""
        place = bisect_left(self._firsts, rowid)
        return self._ceilings[place - 1] if place else -1

    def allowed(self, has_log: Callable[[str], bool] | None, times: Times, until: int | None = None) -> list[Span]:
        """The rowids of entries of those logs, by default of all, and of that time; ascending, neighbours as one.

        With `until`, of those the ones that are no newer; what has no time is the oldest.
        """
        if has_log is None and times.everything and until is None:
            return [Span(self._firsts[0], self._rows[-1][0] + self._rows[-1][1] - 1)] if self._rows else []
        wanted = None if has_log is None else {id for id, path in self._paths.items() if has_log(path)}
        found: list[Span] = []
        for first, count, log, earliest, latest, _ in self._rows:
            if wanted is not None and log not in wanted:
                continue
            if _outside(earliest, latest, times, until):
                continue
            if _inside(earliest, latest, times, until):
                found.append(Span(first, first + count - 1))
            else:
                found += self._fitting(first, times, until)
        return entries.merged(found)

    def _fitting(self, first: int, times: Times, until: int | None) -> list[Span]:
        """The rowids of that time in one block."""
        ((data,),) = self._text.execute(_DATA, (first,))
        return [
            Span(rowid, rowid)
            for rowid, row in enumerate(blocks.unpack(data), first)
            if times.holds(row.time) and (until is None or row.time is None or row.time <= until)
        ]


def _outside(earliest: int, latest: int, times: Times, until: int | None) -> bool:
    """Whether nothing of a block fits. Its `earliest` is -1 where an entry has no time, `latest` where none has."""
    return (
        (times.begin is not None and latest < times.begin)
        or (times.end is not None and (earliest >= times.end or latest < 0))
        or (until is not None and earliest > until)
    )


def _inside(earliest: int, latest: int, times: Times, until: int | None) -> bool:
    """Whether all of a block fits."""
    dated = earliest >= 0 and times.holds(earliest) and times.holds(latest)
    return (times.everything or dated) and (until is None or latest <= until)
