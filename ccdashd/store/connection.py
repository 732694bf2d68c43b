"""A thread with a connection of its own, and how connections are set up.

Facts behind the pragmas: https://www.sqlite.org/wal.html and https://www.sqlite.org/howtocorrupt.html.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from ccdashd.errors import Busy

T = TypeVar("T")

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

_INTERRUPT_AGAIN = 0.02
"""Seconds between two interrupts of a query that nobody waits for any more."""


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


class _Job:
    """A call of a thread. Nobody waits for one that is `given_up`: it is interrupted, or not begun at all."""

    given_up = False


class _GivenUp(Exception):
    """Ends a job that was given up before its turn; nobody sees it."""


class ConnectionThread:
    """One thread with one connection, made on first use."""

    def __init__(self, name: str, path: Path, *, readonly: bool = True) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"ccdash-{name}")
        self._path = path
        self._readonly = readonly
        self._engine: sa.Engine | None = None
        self._connection: sa.Connection | None = None
        self._lock = threading.Lock()
        self._running: _Job | None = None
        self.waiting = 0
        """Calls that were not answered yet."""

    async def call(self, fn: Callable[[sa.Connection], T], *, seconds: float | None = None) -> T:
        """``fn(connection)`` on the thread. Raises Busy when that, or waiting for its turn, takes more than `seconds`."""
        job = _Job()
        self.waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, self._run, job, fn)
        try:
            return await asyncio.wait_for(asyncio.shield(future), seconds)
        except TimeoutError as error:
            self._give_up(job, future)
            raise Busy(f"the query took longer than {seconds:g} s and was stopped", reason="timeout") from error
        except asyncio.CancelledError:
            self._give_up(job, future)
            raise
        finally:
            self.waiting -= 1

    def _run(self, job: _Job, fn: Callable[[sa.Connection], T]) -> T:
        if job.given_up:
            raise _GivenUp
        if self._connection is None:
            self._engine = _connect(self._path, self._readonly)
            self._connection = self._engine.connect()
        with self._lock:
            self._running = job
        try:
            return fn(self._connection)
        finally:
            with self._lock:
                self._running = None
            if self._connection.in_transaction():
                self._connection.rollback()

    def _give_up(self, job: _Job, future: asyncio.Future[T]) -> None:
        job.given_up = True
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._interrupt_until_done(job, future)

    def _interrupt_until_done(self, job: _Job, future: asyncio.Future[T]) -> None:
        # Again and again, since an interrupt between two statements has no effect.
        if not future.done():
            self._interrupt(job)
            asyncio.get_running_loop().call_later(_INTERRUPT_AGAIN, self._interrupt_until_done, job, future)

    def _interrupt(self, job: _Job) -> None:
        with self._lock:
            if self._running is job and self._connection is not None:
                raw_connection(self._connection).interrupt()

    async def stop(self) -> None:
        """Close the connection when what was asked before is done."""

        def close() -> None:
            if self._connection is not None:
                self._connection.close()
            if self._engine is not None:
                self._engine.dispose()

        with contextlib.suppress(sqlite3.Error, sa.exc.SQLAlchemyError):
            await asyncio.get_running_loop().run_in_executor(self._pool, close)
        self._pool.shutdown(wait=False)


def _connect(path: Path, readonly: bool) -> sa.Engine:

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

    return engine


def set_bulk(on: bool, connection: sa.Connection) -> None:
    """Set the writer's connection for writing much at once, or as usual."""
    raw = raw_connection(connection)
    raw.execute(f"PRAGMA wal_autocheckpoint = {0 if on else _AUTOCHECKPOINT}").fetchall()
    raw.execute(f"PRAGMA foreign_keys = {'OFF' if on else 'ON'}")
    raw.execute(f"PRAGMA cache_size = -{_BULK_CACHE_KB if on else _CACHE_KB}")
    if not on:
        raw.execute("PRAGMA shrink_memory")
