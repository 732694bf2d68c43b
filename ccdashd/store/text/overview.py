"""All blocks of entries at a glance: which rowids are of which logs, of when, and of which kind. Read again when the index
changed."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter
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


class Piece(NamedTuple):
    """Entries of one block."""

    latest: int
    """The latest of their times in milliseconds since the epoch, -1 where none has one."""
    spans: list[Span]


class Overview:
    """The blocks of one moment, in the order of their rowids. For one thread; what is not asked for is not read."""

    def __init__(self, text: apsw.Connection) -> None:
        self._text = text
        self._version = -1

    def refresh(self) -> None:
        """Forget what was read if another connection changed the index since; within the transaction that searches."""
        next(self._text.execute(_LOGS), None)  # the transaction begins with what is read first
        version = int(self._text.pragma("data_version"))
        if version != self._version:
            for name in ("_rows", "_firsts", "_paths", "_newest_first"):
                self.__dict__.pop(name, None)
            self._version = version

    @cached_property
    def _rows(self) -> list[tuple[int, int, int, int, int, bytes]]:
        return list(self._text.execute(_BLOCKS))

    @cached_property
    def _firsts(self) -> list[int]:
        return [row[0] for row in self._rows]

    @cached_property
    def _paths(self) -> dict[int, str]:
        return {id: os.fsdecode(path) for id, path in self._text.execute(_LOGS)}

    @cached_property
    def _newest_first(self) -> list[Piece]:
        return sorted(self._pieces(None, Times(), None), reverse=True)

    def kind(self, rowid: int) -> int:
        """The kind of an entry that is in the index, by its place in `sources.model.KINDS`."""
        first, _, _, _, _, kinds = self._rows[bisect_right(self._firsts, rowid) - 1]
        return kinds[rowid - first]

    def allowed(self, has_log: Callable[[str], bool] | None, times: Times) -> list[Span]:
        """The rowids of entries of those logs, by default of all, and of that time; ascending, neighbours as one."""
        if has_log is None and times.everything:
            ends = entries.ends(self._text)
            return [] if ends is None else [ends]
        return entries.merged(span for piece in self._pieces(has_log, times, None) for span in piece.spans)

    def newest_first(
        self, has_log: Callable[[str], bool] | None, times: Times, until: int | None = None
    ) -> Sequence[Piece]:
        """The same in pieces, that with the newest entry first. With `until`, only what is no newer; what has no time is
        the oldest."""
        if has_log is None and times.everything and until is None:
            return self._newest_first
        return sorted(self._pieces(has_log, times, until), reverse=True)

    def by_block(self, rowids: Iterable[int], until: int | None = None) -> list[tuple[int, list[int]]]:
        """These entries, given with descending rowids, by block: its latest time, and those in it. The block with the
        newest entry comes first; those that are newer than `until` as a whole are left out."""
        found: list[tuple[int, list[int]]] = []
        place, inside = len(self._rows), 0
        members: list[int] = []
        for rowid in rowids:
            if rowid < inside or not members:
                place = bisect_right(self._firsts, rowid, 0, place) - 1
                inside, _, _, earliest, latest, _ = self._rows[place]
                members = []
                if until is None or earliest <= until:
                    found.append((latest, members))
            members.append(rowid)
        found.sort(key=itemgetter(0), reverse=True)
        return found

    def _pieces(self, has_log: Callable[[str], bool] | None, times: Times, until: int | None) -> Iterator[Piece]:
        wanted = None if has_log is None else {id for id, path in self._paths.items() if has_log(path)}
        for first, count, log, earliest, latest, _ in self._rows:
            if (wanted is not None and log not in wanted) or _outside(earliest, latest, times, until):
                continue
            if _inside(earliest, latest, times, until):
                yield Piece(latest, [Span(first, first + count - 1)])
            else:
                yield self._fitting(first, times, until)

    def _fitting(self, first: int, times: Times, until: int | None) -> Piece:
        """What of one block fits."""
        ((data,),) = self._text.execute(_DATA, (first,))
        spans, latest = [], -1
        for rowid, time in enumerate(blocks.times(data), first):
            if times.holds(time) and (until is None or time is None or time <= until):
                spans.append(Span(rowid, rowid))
                latest = max(latest, -1 if time is None else time)
        return Piece(latest, spans)


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
