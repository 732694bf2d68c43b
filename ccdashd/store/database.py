"""The one connection that writes, the few that read, and the file they share.

A transaction is a plain function of a connection, run whole on its thread: no cursor crosses an await, so no reader holds
the write-ahead log back, and one hop to a thread is all that a request costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from ccdashd.errors import Busy
from ccdashd.store import vacuum, versions
from ccdashd.store.connection import ConnectionThread, raw_connection, set_bulk
from ccdashd.store.schema import meta

T = TypeVar("T")
log = logging.getLogger(__name__)

READERS = 2
"""Threads for short reads: more of them contend for the interpreter lock and get slower."""

_CLOSED = "the cache is not open"

Read = Callable[[sa.Connection, int], T]
Write = Callable[[sa.Connection], T]


class Database:
    """One ``cache.db``. All methods but `read` and `write` functions run on the event loop."""

    def __init__(self, path: Path, *, heavy_seconds: float = 60.0) -> None:
        self.path = path
        self.revision = 0
        """Number of the last committed transaction."""
        self.rows_written = 0
        """Rows inserted, changed or deleted since start."""
        self.unclean = False
        """Whether the last daemon did not close the file in order."""
        self.created = False
        """Whether the file was made by this `open`."""
        self.problem: str | None = _CLOSED
        """Why the cache cannot be used now, in plain words; None when it can."""
        self._heavy_seconds = heavy_seconds
        self._writer: ConnectionThread | None = None
        self._readers: list[ConnectionThread] = []
        self._heavy: ConnectionThread | None = None
        self._tidying: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the file, making or migrating it as needed.

        Raises `versions.NewerSchema` or `versions.NotOurs` where the file must not be touched, `sqlite3.DatabaseError`
        where it is corrupt, OSError or `sqlite3.OperationalError` where it cannot be had.
        """
        try:
            writer = ConnectionThread("writer", self.path, readonly=False)
            self._writer = writer
            self.created, self.unclean, self.revision = await writer.call(_prepare)
            self._readers = [ConnectionThread(f"reader-{n}", self.path) for n in range(READERS)]
            self._heavy = ConnectionThread("heavy", self.path)
        except BaseException as error:
            await self._stop()
            self.problem = explain(error)
            raise
        self.problem = None

    async def close(self) -> None:
        """Note that all is in order, and let go of the file."""
        if self._writer is not None and self.problem is None:
            with contextlib.suppress(sqlite3.Error, sa.exc.SQLAlchemyError):
                await self._writer.call(_leave)
        await self._stop()
        self.problem = self.problem or _CLOSED

    async def _stop(self) -> None:
        threads = [*self._readers, *([self._heavy] if self._heavy else []), *([self._writer] if self._writer else [])]
        self._readers, self._heavy, self._writer = [], None, None
        for thread in threads:
            await thread.stop()

    async def read(self, fn: Read[T], *, heavy: bool = False) -> T:
        """``fn(connection, revision)`` inside one read snapshot. Cancelling the awaiting task interrupts its SQL."""
        if heavy:
            thread = self._heavy
        elif self._readers:
            thread = min(self._readers, key=lambda reader: reader.waiting)
        else:
            thread = None
        if thread is None:
            raise Busy(f"the cache cannot be used now: {self.problem}", reason="cache")
        return await thread.call(functools.partial(_snapshot, fn), seconds=self._heavy_seconds if heavy else None)

    async def write(self, fn: Write[T]) -> T:
        """``fn(connection)`` in one transaction, which takes the next revision when it changed a row.

        Raises Busy when the disk is full or read-only; the transaction is then undone and may be tried again.
        """
        if self._writer is None:
            raise Busy(f"the cache cannot be used now: {self.problem}", reason="cache")
        try:
            result, revision, rows = await self._writer.call(functools.partial(_transaction, fn))
        except (sqlite3.OperationalError, sa.exc.OperationalError) as error:
            if _code(error) == sqlite3.SQLITE_ERROR:
                raise  # a statement of ours is wrong: neither space nor time helps
            self.problem = explain(error)
            raise Busy(f"the cache cannot be written now: {self.problem}", reason="cache", retry_after=5.0) from error
        self.problem = None
        self.rows_written += rows
        self.revision = max(self.revision, revision)
        return result

    async def ping_writer(self) -> None:
        """Return when the writer thread has answered."""
        if self._writer is not None:
            await self._writer.call(lambda connection: None)

    async def checkpoint(self) -> None:
        """Copy the write-ahead log into the database and empty it; for idle moments."""
        if self._writer is not None:
            with contextlib.suppress(sqlite3.Error, sa.exc.SQLAlchemyError):
                await self._writer.call(_checkpoint)

    async def bulk(self, on: bool) -> None:
        """Write much at once at less cost.

        The write-ahead log is left alone until the end, so that pages that change often are copied once, which nobody has
        to wait for; and references are not looked up for each row, all of which come from one function (`verify` checks
        them).
        """
        if self._writer is not None:
            await self._writer.call(functools.partial(set_bulk, on))
            if not on:
                self._tidying = asyncio.create_task(self.checkpoint(), name="checkpoint")

    async def vacuum(self, report: Callable[[int, int], None]) -> None:
        """Give free pages back to the file system, a few at a time, between other writes.

        `report` hears how many of how many it were by now. A file that was made by an earlier version is written anew
        first, which others who want to write wait for. Raises Busy where the cache cannot be written.
        """
        if self._writer is None:
            raise Busy(f"the cache cannot be used now: {self.problem}", reason="cache")
        try:
            if not await self._writer.call(vacuum.is_incremental):
                await self._writer.call(vacuum.make_incremental)
            left = total = await self._writer.call(vacuum.free_pages)
            while left:
                before, left = left, await self._writer.call(vacuum.give_back)
                report(total - left, total)
                if left >= before:
                    break
        except sqlite3.OperationalError as error:
            raise Busy(f"the cache cannot be written now: {explain(error)}", reason="cache", retry_after=5.0) from error
        await self.checkpoint()

    async def check(self) -> str | None:
        """What SQLite's quick check finds wrong with the file; None when nothing."""
        assert self._heavy is not None
        answer: str = await self._heavy.call(
            lambda connection: connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        )
        return None if answer == "ok" else answer


def _prepare(connection: sa.Connection) -> tuple[bool, bool, int]:
    created = versions.ensure(connection)
    # Only now, since it changes the file, which may be another application's.
    raw_connection(connection).execute("PRAGMA journal_mode = WAL")
    with connection.begin():
        known = {row.key: row.value for row in connection.execute(sa.select(meta))}
        unclean = known.get("open") == "1"
        put_meta(connection, "open", "1")
        if not _is_number(known.get("revision", "")):
            put_meta(connection, "revision", "0")
        return created, unclean, int(connection.exec_driver_sql(_REVISION).scalar_one())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _leave(connection: sa.Connection) -> None:
    with connection.begin():
        put_meta(connection, "open", "0")
    _checkpoint(connection)


def _checkpoint(connection: sa.Connection) -> None:
    raw_connection(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)")


def put_meta(connection: sa.Connection, key: str, value: str) -> None:
    """Set a value of the `meta` table."""
    connection.execute(sa.delete(meta).where(meta.c.key == key))
    connection.execute(sa.insert(meta).values(key=key, value=value))


def get_meta(connection: sa.Connection, key: str) -> str | None:
    """A value of the `meta` table."""
    return connection.execute(sa.select(meta.c.value).where(meta.c.key == key)).scalar_one_or_none()


_REVISION = "SELECT COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'), 0)"
_NEXT_REVISION = "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'"


def _snapshot(fn: Read[T], connection: sa.Connection) -> T:
    with connection.begin():
        revision = int(connection.exec_driver_sql(_REVISION).scalar_one())
        return fn(connection, revision)


def _transaction(fn: Write[T], connection: sa.Connection) -> tuple[T, int, int]:
    raw = raw_connection(connection)
    with connection.begin():
        before = raw.total_changes
        result = fn(connection)
        rows = raw.total_changes - before
        if rows:
            connection.exec_driver_sql(_NEXT_REVISION)
        revision = int(connection.exec_driver_sql(_REVISION).scalar_one())
    return result, revision, rows


def is_corrupt(error: BaseException) -> bool:
    """Whether the error says that the file itself is damaged."""
    cause = error.__cause__ if isinstance(error, Busy) and error.__cause__ else error
    # Nothing but UTF-8 is ever written as text.
    if "Could not decode to UTF-8" in str(cause):
        return True
    return _code(cause) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_malformed(error: BaseException) -> bool:
    """Whether a statement of ours does not fit the tables of the file: these are not as they were made, or it is wrong."""
    return _code(error) == sqlite3.SQLITE_ERROR


def _code(error: BaseException) -> int | None:
    """SQLite's primary result code (https://www.sqlite.org/rescode.html), where the error comes from it."""
    if isinstance(error, sa.exc.DBAPIError):
        error = error.orig or error
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else None


_PLAIN = {
    "attempt to write a readonly database": "cache.db may not be written",
    "database or disk is full": "the disk is full",
    "unable to open database file": "cache.db cannot be opened",
    "disk I/O error": "the disk cannot be read or written",
}
"""What SQLite says (https://www.sqlite.org/rescode.html), for people."""


def explain(error: BaseException) -> str:
    """The error in plain words, without SQL or parameters."""
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, OSError):
        return f"{error.strerror or error}"
    return _PLAIN.get(str(error), str(error))


def install(new: Path, path: Path, revision: int) -> Path:
    """Put a cache that was made elsewhere in the place of the one at `path`, which nobody has open; it goes on from
    `revision`. Returns the new name of the old one. Raises OSError or `sqlite3.Error`; the old one is in place then."""
    raw = sqlite3.connect(new)
    try:
        raw.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('revision', ?)", (str(revision),))
        raw.commit()
    finally:
        raw.close()
    with new.open("rb") as file:
        os.fsync(file.fileno())
    kept = move_aside(path)
    new.rename(path)
    return kept


def move_aside(path: Path) -> Path:
    """Rename a damaged database and its companions; returns the new name of the database."""
    name = f"{path.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S')}"
    target = path.with_name(name)
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{name}-{number}")
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(target.with_name(target.name + suffix))
    path.rename(target)
    log.error("database damaged; moved aside to=%s", target.name)
    return target
