"""Entries of logs as they are stored: which logs a session has, pieces of their pages, ids of entries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from ccdashd.sources.model import PAGE, Entry
from ccdashd.store import logs, pages
from ccdashd.store.connection import raw_connection
from ccdashd.store.pages import Head

T = TypeVar("T")

_LOGS = """
SELECT f.session_id, f.id, f.path, COALESCE(SUM(l.entries), 0), f.parsed_to, f.mtime_ns, f.guard, f.parser
FROM json_each(?) j CROSS JOIN sync_state f ON f.session_id = j.value LEFT JOIN session_logs l ON l.file_id = f.id
GROUP BY f.id
"""
_PAGES = "SELECT data FROM session_logs WHERE file_id = ? AND page BETWEEN ? AND ? ORDER BY page"


class Log(NamedTuple):
    """A log of a session."""

    id: int
    path: str
    tag: str
    entries: int
    parsed_to: int
    mtime_ns: int
    guard: bytes
    parser: int

    @property
    def is_whole(self) -> bool:
        """Whether it was read whole; else its entries are those of a glance."""
        return self.guard != b""


def logs_of(connection: sa.Connection, session_ids: Iterable[str]) -> dict[str, list[Log]]:
    """The logs of each of these sessions, by path."""
    found: dict[str, list[Log]] = {id: [] for id in session_ids}
    for session_id, file_id, path, *rest in raw_connection(connection).execute(_LOGS, (json.dumps(list(found)),)):
        found[session_id].append(Log(file_id, logs.path_from(path), log_tag(path), *rest))
    for some in found.values():
        some.sort(key=lambda log: log.path)
    return found


@lru_cache(4096)
def log_tag(path: str | bytes) -> str:
    """Tells a session's logs apart in ids of entries."""
    data = path if isinstance(path, bytes) else path.encode()
    return hashlib.blake2b(data, digest_size=3).hexdigest()


def entry_id(log: Log, offset: int, block: int) -> str:
    """Of the first block: ``<log>-<offset of the record>``; of a further one with ``-<block>``."""
    return f"{log.tag}-{offset}-{block}" if block else f"{log.tag}-{offset}"


def read(connection: sa.Connection, log: Log, start: int, stop: int) -> list[Entry]:
    """Entries `start` to `stop` of one log."""
    return _read(connection, log, start, stop, pages.unpack)


def heads(connection: sa.Connection, log: Log) -> list[Head]:
    """All entries of a log, without their texts."""
    return _read(connection, log, 0, log.entries, pages.unpack_heads)


def _read(connection: sa.Connection, log: Log, start: int, stop: int, unpack: Callable[[bytes], list[T]]) -> list[T]:
    first = start // PAGE
    rows = raw_connection(connection).execute(_PAGES, (log.id, first, max(stop - 1, 0) // PAGE))
    found = [entry for (data,) in rows for entry in unpack(data)]
    return found[start - first * PAGE : stop - first * PAGE]
