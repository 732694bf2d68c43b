"""Reads logs for the index of texts: which entries there are is told by the cache, what they say by the log or its copy."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from ccdashd.archive.archive import Archive
from ccdashd.logfile import guard
from ccdashd.search.differences import Behind, Differences
from ccdashd.search.tokens import prepare_bytes
from ccdashd.sources.texts import Text, texts
from ccdashd.store.text import cache, tags
from ccdashd.store.text.blocks import Row
from ccdashd.store.text.cache import CachedEntry, CachedLog
from ccdashd.store.text.words import pack
from ccdashd.store.text.writer import Batch, LogState, Names, Piece

BATCH = 32 * 1024 * 1024
"""Bytes of words after which a batch is given away."""

FIRST_BATCH = 2 * 1024 * 1024
"""The same of the first one, so that the newest logs are found at once."""

WINDOW = 256 * 1024
"""Bytes that are read of a log at a time, few enough to stay in the processor's cache; a longer record is read whole."""


class Place(NamedTuple):
    """Where in the index a log is to stand."""

    behind: Behind
    first: int
    """Rowid of the first entry that is missing."""
    room: int
    """Entries that there is room for; more are left to the next time."""


class Extraction:
    """Makes batches of what the index lacks. For one thread."""

    def __init__(self, connection: sqlite3.Connection, archive: Archive, names: Names, cap: int) -> None:
        self._cache = connection
        self._archive = archive
        self._names = names
        self._cap = cap
        self._marks: dict[tuple[int, str | None, str | None], tuple[bytes, int, int]] = {}

    def batches(self, differences: Differences, places: Sequence[Place]) -> Iterator[Batch]:
        """One after the other.

        A log that cannot be read, or is no longer what the cache knows, is left to the next time. Raises `sqlite3.Error`
        where the cache cannot be read, and other errors where what it holds is damaged.
        """
        filling = _Filling(Batch(differences.forgotten, differences.moved), FIRST_BATCH)
        for place in places:
            for full in self._log(place, filling):
                yield full
                filling.begin(Batch(), BATCH)
        if filling.batch:
            yield filling.batch

    def _log(self, place: Place, filling: _Filling) -> Iterator[Batch]:
        """Fill in a log, and give the batch away each time that it is full."""
        state = place.behind.state
        found = cache.entries(self._cache, place.behind.log.path, place.behind.start)
        fd = self._open(found[0]) if found is not None else None
        try:
            if state is not None and (fd is None or guard(fd, state.parsed_to) != state.guard):
                # It does not begin as it did, or nobody can tell: what is in the index of it is of no use. The next
                # comparison finds it missing, and makes room for all of it.
                filling.batch.forgotten.append(state.path)
                return
            if found is not None and (fd is not None or found[0].state != "ok"):
                yield from self._pieces(*found, state, place, fd, filling)
        finally:
            if fd is not None:
                os.close(fd)

    def _open(self, log: CachedLog) -> int | None:
        """The log, or its copy, open for reading; None where neither is what the cache knows."""
        with suppress(OSError), open(log.path, "rb", buffering=0) as file:
            if guard(file.fileno(), log.parsed_to) == log.guard:
                return os.dup(file.fileno())
        with suppress(OSError):
            source = self._archive.source(log.path)
            if source is not None:
                with tempfile.TemporaryFile() as copy:
                    self._archive.restore(source.version, copy.fileno())
                    if guard(copy.fileno(), log.parsed_to) == log.guard:
                        return os.dup(copy.fileno())
        return None

    def _pieces(
        self,
        log: CachedLog,
        entries: list[CachedEntry],
        state: LogState | None,
        place: Place,
        fd: int | None,
        filling: _Filling,
    ) -> Iterator[Batch]:
        """Fill in these entries, which follow those of `state`."""
        known = state.entries if state is not None else 0
        reached = state.parsed_to if state is not None else 0
        position = 0
        end = _between_records(entries, place.room)
        if entries and not end:
            return
        while True:
            # What the cache keeps of a log is little, and is not to be mixed with what the log says.
            room = filling.room if fd is not None else sys.maxsize
            first = place.first + position
            rows, words, size = self._read(fd, entries, position, end, first, room, filling.batch.names)
            position += len(rows)
            whole = position == len(entries)
            if fd is not None and guard(fd, log.parsed_to) != log.guard:
                return  # it was rewritten meanwhile
            parsed_to = log.parsed_to if whole else entries[position - 1].offset + entries[position - 1].length
            after = LogState(
                log.path,
                parsed_to,
                log.mtime_ns if whole else 0,
                log.guard if whole or fd is None else guard(fd, parsed_to),
                log.parser,
                known + position,
                fd is not None,
            )
            anew = state is None and first == place.first
            filling.add(Piece(after, first, rows, words, anew), size, parsed_to - reached)
            reached = parsed_to
            if filling.room <= 0:
                yield filling.batch
            if position == end:
                return

    def _read(
        self,
        fd: int | None,
        entries: list[CachedEntry],
        start: int,
        end: int,
        first: int,
        room: int,
        new: dict[tuple[str, str], int],
    ) -> tuple[list[Row], list[bytes], int]:
        """Entries from number `start` until there is no more room, at most until before `end`: as the index has them, their
        words, and how many bytes those are."""
        rows: list[Row] = []
        words: list[bytes] = []
        data = b""
        begin = size = 0
        view = memoryview(data)
        marks_of, cap = self._marks, self._cap
        while start < end and size < room:
            entry = entries[start]
            offset, length = entry.offset, entry.length
            stop = start + 1
            while stop < end and entries[stop].offset == offset:
                stop += 1
            record = entries[start:stop]
            start = stop
            if fd is None:
                said = [Text(entry.text) for entry in record]
            else:
                at = offset - begin
                if at < 0 or at + length > len(data):
                    data, begin, at = os.pread(fd, max(WINDOW, length), offset), offset, 0
                    view = memoryview(data)
                said = texts(view[at : at + length], [entry.block for entry in record])
            for entry, (text, path) in zip(record, said, strict=True):
                marks, tool, model = marks_of.get((entry.kind, entry.tool, entry.model)) or self._mark(entry, new)
                encoded, parts = prepare_bytes(text, cap)
                packed = pack(first + len(rows), encoded, parts, path.encode(), marks)
                words.append(packed)
                size += len(packed)
                key = zlib.crc32(entry.uuid.encode()) if entry.uuid else 0
                rows.append(Row(offset, length, entry.block, entry.kind, entry.time, tool, model, key))
        return rows, words, size

    def _mark(self, entry: CachedEntry, new: dict[tuple[str, str], int]) -> tuple[bytes, int, int]:
        """The words that tell what an entry is, and the ids of its tool and its model."""
        tool = self._names.id("tool", entry.tool, new)
        model = self._names.id("model", entry.model, new)
        marks = self._marks[entry.kind, entry.tool, entry.model] = (tags.of(entry.kind, tool, model).encode(), tool, model)
        return marks


class _Filling:
    """The batch that is being filled."""

    def __init__(self, batch: Batch, room: int) -> None:
        self.begin(batch, room)

    def begin(self, batch: Batch, room: int) -> None:
        """Begin another one."""
        self.batch = batch
        self.room = room
        """Bytes of words that it has room for; negative when it has too many."""

    def add(self, piece: Piece, taken: int, size: int) -> None:
        """Add a piece, whose words are `taken` bytes; `size` is that of the records in the log."""
        self.batch.pieces.append(piece)
        self.batch.size += size
        self.room -= taken


def _between_records(entries: Sequence[CachedEntry], count: int) -> int:
    """`count`, or fewer, so that the entries of one record stay together."""
    if count >= len(entries):
        return len(entries)
    while count and entries[count].offset == entries[count - 1].offset:
        count -= 1
    return count
