"""What ``cache.db`` knows of logs and their entries, on a connection of its own, which whoever builds the index has: the
daemon on a thread, or a process beside it. Needs no SQLAlchemy, so that the process starts fast."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard
from msgspec import Raw

from ccdashd.sources.model import PAGE
from ccdashd.store.text.entries import path_value

_COLUMNS = "id, path, state, size, parsed_to, mtime_ns, guard, parser"
_KEYS = 500
"""Keys that one statement asks for."""


class CachedLog(NamedTuple):
    """A log as the cache knows it; see `store.schema.sync_state`."""

    id: int
    path: str
    state: str
    size: int
    parsed_to: int
    mtime_ns: int
    guard: bytes
    parser: int


class CachedEntry(msgspec.Struct, array_like=True, gc=False):
    """The first fields of a stored `sources.model.Entry`; what is rarely needed stays encoded."""

    offset: int
    length: int
    block: int
    kind: int
    time: int | None
    uuid: str | None
    parent: Raw
    kept: Raw
    """The text that a transcript shows; see `text`."""
    truncated: Raw
    model: str | None
    tool: str | None

    @property
    def text(self) -> str:
        """What the cache keeps of the text."""
        return _text(self.kept)


_text = msgspec.msgpack.Decoder(str).decode
_page = msgspec.msgpack.Decoder(list[CachedEntry]).decode


def connect(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises `sqlite3.Error`."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA busy_timeout = 5000")
    return connection


def logs(connection: sqlite3.Connection, sessions: Iterable[str] | None = None) -> dict[str, CachedLog]:
    """The logs of these sessions, or all, by their path."""
    query = f"SELECT {_COLUMNS} FROM sync_state"
    if sessions is None:
        rows = connection.execute(query).fetchall()
    else:
        rows = _select(connection, f"{query} WHERE session_id IN ({{}})", sessions)
    return {log.path: log for log in map(_log, rows)}


def counts(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, int]:
    """How many entries these logs have, by their ids; none is left out."""
    wanted = list(ids)
    query = "SELECT file_id, SUM(entries) FROM session_logs WHERE file_id IN ({}) GROUP BY file_id"
    return dict.fromkeys(wanted, 0) | dict(_select(connection, query, wanted))


def _select(connection: sqlite3.Connection, query: str, keys: Iterable[str | int]) -> list[tuple[Any, ...]]:
    wanted = list(keys)
    found = []
    for begin in range(0, len(wanted), _KEYS):
        part = wanted[begin : begin + _KEYS]
        found += connection.execute(query.format(", ".join("?" * len(part))), part).fetchall()
    return found


def entries(connection: sqlite3.Connection, path: str, start: int) -> tuple[CachedLog, list[CachedEntry]] | None:
    """A log as it is now, with its entries from number `start` on; None where there is none.

    Raises `zstandard.ZstdError` or `msgspec.DecodeError` where a page is damaged.
    """
    connection.execute("BEGIN")
    try:
        row = connection.execute(f"SELECT {_COLUMNS} FROM sync_state WHERE path = ?", (path_value(path),)).fetchone()
        if row is None:
            return None
        query = "SELECT data FROM session_logs WHERE file_id = ? AND page >= ? ORDER BY page"
        pages = connection.execute(query, (row[0], start // PAGE)).fetchall()
    finally:
        connection.execute("COMMIT")
    unpack = zstandard.ZstdDecompressor()
    found = [entry for (data,) in pages for entry in _page(unpack.decompress(data))]
    return _log(row), found[start % PAGE :]


def _log(row: tuple[Any, ...]) -> CachedLog:
    return CachedLog(row[0], os.fsdecode(row[1]), *row[2:])
