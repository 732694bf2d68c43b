"""A thread with a connection of its own, and how connections are set up.

Facts behind the pragmas: https://www.sqlite.org/wal.html and https://www.sqlite.org/howtocorrupt.html.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ccdashd.store.job_thread import JobThread

_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)
_AUTOCHECKPOINT = 4000
"""Pages in the write-ahead log from which on a commit copies them into the database."""

_CACHE_KB = 8_000
_BULK_CACHE_KB = 64_000
"""Memory for pages: the writer's, usually and while much is written."""

_KEYS = 500
"""Keys that one statement asks for; SQLite bounds the number of parameters."""


def raw_connection(connection: sa.Connection) -> sqlite3.Connection:
    """The driver's connection below, for bulk ``executemany``."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def select(connection: sa.Connection, query: str, keys: Iterable[str], *first: Any) -> Iterator[tuple[Any, ...]]:
    """Rows of a query with ``IN ({})`` for any number of keys; `first` are its parameters before them.

    An order holds among the rows of some keys that are asked for together, not among all.
    """
    wanted = list(keys)
    for begin in range(0, len(wanted), _KEYS):
        part = wanted[begin : begin + _KEYS]
        yield from raw_connection(connection).execute(query.format(", ".join("?" * len(part))), (*first, *part))


class ConnectionThread(JobThread[sa.Connection]):
    """One thread with one connection to the cache, made on first use."""

    def __init__(self, name: str, path: Path, *, readonly: bool = True) -> None:
        super().__init__(name)
        self._path = path
        self._readonly = readonly

    def connect(self) -> sa.Connection:
        return connect(self._path, readonly=self._readonly)

    def settle(self, connection: sa.Connection) -> None:
        if connection.in_transaction():
            connection.rollback()

    def interrupt(self, connection: sa.Connection) -> None:
        raw_connection(connection).interrupt()

    def disconnect(self, connection: sa.Connection) -> None:
        disconnect(connection)


def disconnect(connection: sa.Connection) -> None:
    """Close what `connect` made."""
    with contextlib.suppress(sqlite3.Error, sa.exc.SQLAlchemyError):
        connection.close()
        connection.engine.dispose()


def connect(path: Path, *, readonly: bool) -> sa.Connection:
    """A connection to the cache, for one thread at a time."""

    def creator() -> sqlite3.Connection:
        raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            for pragma in _PRAGMAS:
                raw.execute(pragma)
            if readonly:
                raw.execute("PRAGMA query_only = ON")
                raw.execute("PRAGMA cache_size = -8000")
            else:
                raw.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
                raw.execute(f"PRAGMA wal_autocheckpoint = {_AUTOCHECKPOINT}")
        except BaseException:
            raw.close()
            raise
        return raw

    engine = sa.create_engine("sqlite://", creator=creator, poolclass=sa.pool.StaticPool, hide_parameters=True)

    # The driver would begin a deferred transaction; a writer must take its lock first (SQLITE_BUSY_SNAPSHOT).
    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine.connect()


def set_bulk(on: bool, connection: sa.Connection) -> None:
    """Set the writer's connection for writing much at once, or as usual."""
    raw = raw_connection(connection)
    raw.execute(f"PRAGMA wal_autocheckpoint = {0 if on else _AUTOCHECKPOINT}").fetchall()
    raw.execute(f"PRAGMA foreign_keys = {'OFF' if on else 'ON'}")
    raw.execute(f"PRAGMA cache_size = -{_BULK_CACHE_KB if on else _CACHE_KB}")
    if not on:
        raw.execute("PRAGMA shrink_memory")
