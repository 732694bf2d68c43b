"""Everything that changes the index of logs and entries, transaction by transaction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import apsw

from ccdashd.store.text import blocks, words
from ccdashd.store.text.blocks import Row
from ccdashd.store.text.connection import rows as rows_of
from ccdashd.store.text.entries import path_value


class LogState(NamedTuple):
    """How far a log is in the index; see the table ``logs``."""

    path: str
    parsed_to: int
    mtime_ns: int
    guard: bytes
    parser: int
    entries: int
    whole: bool


@dataclass
class Piece:
    """Entries of a log that follow each other, their rowids too."""

    state: LogState
    """Of the log with this piece."""
    first: int
    """Rowid of the first entry."""
    rows: list[Row]
    words: list[bytes]
    """Those of each row, as `words.pack` makes them."""
    anew: bool
    """Whether the log begins with this piece: what was indexed of it is of no use."""


@dataclass
class Batch:
    """What one transaction writes."""

    forgotten: list[str] = field(default_factory=list)
    """Paths of logs that the cache does not know any more."""
    moved: list[tuple[str, str]] = field(default_factory=list)
    """Logs that have another path now: the old one and the new one."""
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    """Names of tools and models that were not known, with their new ids."""
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0
    """Bytes of the logs that it brings into the index."""

    def __bool__(self) -> bool:
        return bool(self.forgotten or self.moved or self.pieces)


class Names:
    """Ids of tools and models; new ones are given out here and written with the next batch."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._ids: dict[tuple[str, str], int] = {
            (type, name): id for id, type, name in rows_of(connection, "SELECT id, type, name FROM names")
        }
        self._last = max(self._ids.values(), default=0)

    def id(self, type: str, name: str | None, new: dict[tuple[str, str], int]) -> int:
        """The id of a name, 0 for None; one that is given out now is put into `new`."""
        if name is None:
            return 0
        known = self._ids.get((type, name))
        if known is None:
            self._last += 1
            known = self._ids[type, name] = new[type, name] = self._last
        return known


def states(connection: apsw.Connection) -> dict[str, LogState]:
    """How far each log is in the index, by its path."""
    columns = "path, parsed_to, mtime_ns, guard, parser, entries, whole"
    found = {}
    for path, parsed_to, mtime_ns, guard, parser, entries, whole in rows_of(connection, f"SELECT {columns} FROM logs"):
        shown = os.fsdecode(path)
        found[shown] = LogState(shown, parsed_to, mtime_ns, guard, parser, entries, bool(whole))
    return found


def set_bulk(connection: apsw.Connection, on: bool) -> None:
    """Write much at once: each transaction becomes a segment of its own, and segments are joined by what is written later;
    the write-ahead log is copied by `checkpoint`. Off again, as it must be when the writer begins: the file remembers."""
    for name, value in (("automerge", 0 if on else 4), ("crisismerge", 1000 if on else 16)):
        connection.execute("INSERT INTO entries_text (entries_text, rank) VALUES (?, ?)", (name, value))
    connection.execute(f"PRAGMA wal_autocheckpoint = {0 if on else 4000}").fetchall()
    connection.execute(f"PRAGMA cache_size = -{64_000 if on else 16_000}").fetchall()


def checkpoint(connection: apsw.Connection, *, empty: bool = False) -> None:
    """Copy what is in the write-ahead log into the database, as far as readers allow; `empty`: and give back its space."""
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE if empty else apsw.SQLITE_CHECKPOINT_PASSIVE)


def write(connection: apsw.Connection, batch: Batch) -> None:
    """Write a batch: all of it, or, where this raises, nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for path in batch.forgotten:
            _forget(connection, path)
        _move(connection, batch.moved)
        for (type, name), id in batch.names.items():
            connection.execute("INSERT INTO names (id, type, name) VALUES (?, ?, ?)", (id, type, name))
        for piece in batch.pieces:
            if piece.anew:
                _forget(connection, piece.state.path)
        # In the order of rowids, and in one statement: else FTS5 would write a segment for each.
        ordered = sorted(batch.pieces, key=lambda piece: piece.first)
        words.write(connection, [entry for piece in ordered for entry in piece.words])
        for piece in batch.pieces:
            _store(connection, piece)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


_PUT_LOG = """
INSERT INTO logs (path, parsed_to, mtime_ns, guard, parser, entries, whole) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (path) DO UPDATE SET
  parsed_to = excluded.parsed_to, mtime_ns = excluded.mtime_ns, guard = excluded.guard, parser = excluded.parser,
  entries = excluded.entries, whole = excluded.whole
RETURNING id
"""
_LAST_BLOCK = "SELECT first, count, data FROM entry_blocks WHERE log = ? ORDER BY first DESC LIMIT 1"
_ADD_BLOCK = """
INSERT OR REPLACE INTO entry_blocks (first, count, log, earliest, latest, kinds, data) VALUES (?, ?, ?, ?, ?, ?, ?)
"""


def _store(connection: apsw.Connection, piece: Piece) -> None:
    state = piece.state
    ((log,),) = rows_of(connection, _PUT_LOG, (path_value(state.path), *state[1:-1], int(state.whole)))
    first, rows = piece.first, piece.rows
    for start, count, data in rows_of(connection, _LAST_BLOCK, (log,)):
        if rows and start + count == first and count < blocks.SIZE:
            # A log that grows by few entries at a time would else have a block for each of them.
            first, rows = start, [*blocks.unpack(data), *rows]
    for begin in range(0, len(rows), blocks.SIZE):
        part = rows[begin : begin + blocks.SIZE]
        times = [-1 if row.time is None else row.time for row in part]
        kinds = bytes(row.kind for row in part)
        connection.execute(_ADD_BLOCK, (first + begin, len(part), log, min(times), max(times), kinds, blocks.pack(part)))


def _move(connection: apsw.Connection, moved: Sequence[tuple[str, str]]) -> None:
    # Two logs may have exchanged their paths: all leave their old ones first. No path holds a NUL.
    aside = [(f"\0{number}", path_value(old)) for number, (old, _) in enumerate(moved)]
    connection.executemany("UPDATE logs SET path = ? WHERE path = ?", aside)
    there = [(path_value(new), f"\0{number}") for number, (_, new) in enumerate(moved)]
    connection.executemany("UPDATE logs SET path = ? WHERE path = ?", there)


def _forget(connection: apsw.Connection, path: str) -> None:
    """Delete a log with its entries, where there is one."""
    for (log,) in rows_of(connection, "SELECT id FROM logs WHERE path = ?", (path_value(path),)):
        for first, count in rows_of(connection, "SELECT first, count FROM entry_blocks WHERE log = ?", (log,)):
            connection.executemany("DELETE FROM entries_text WHERE rowid = ?", ((first + n,) for n in range(count)))
        connection.execute("DELETE FROM entry_blocks WHERE log = ?", (log,))
        connection.execute("DELETE FROM logs WHERE id = ?", (log,))
