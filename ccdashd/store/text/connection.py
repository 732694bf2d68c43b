"""Connections to the index of texts: how they are opened, and what their errors mean.

In one process the file is opened by apsw alone, never by the `sqlite3` module: two copies of SQLite in a process undo each
other's locks (https://www.sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

import apsw
import apsw.sqlite_extra

from ccdashd.store.text.schema import APPLICATION_ID, STATEMENTS, VERSION

_BUSY_MS = 5000
_AUTOCHECKPOINT = 4000
"""Pages in the write-ahead log from which on a commit copies them into the database."""

_COMPANIONS = ("", "-wal", "-shm")

_CHECKSUM_BYTES = 8
"""Bytes at the end of each page that hold its checksum (https://www.sqlite.org/cksumvfs.html)."""


class Unusable(Exception):
    """The file is damaged, or not an index of texts; the message says which. It has to be made anew."""


def open_writer(path: Path, cap: int) -> apsw.Connection:
    """The connection that writes; there may be one at a time. Makes the file where there is none, and makes it anew where
    its version, or the part of long texts that it holds (`cap`), is another.

    Raises Unusable, and `apsw.Error` where the file cannot be had now.
    """
    connection = _opened(path, cap)
    if connection is None:
        delete(path)
        connection = _opened(path, cap)
        assert connection is not None
    return connection


@cache
def checks_pages() -> bool:
    """Whether pages are compared with their checksums when they are read, from now on and in this process; not so where
    apsw was built without the extension."""
    if not apsw.sqlite_extra.has("cksumvfs"):
        return False
    with closing(apsw.Connection(":memory:")) as connection:
        apsw.sqlite_extra.load(connection, "cksumvfs")
    return True


def _opened(path: Path, cap: int) -> apsw.Connection | None:
    """None where the file is of another version."""
    checks_pages()
    connection = apsw.Connection(os.fspath(path))
    try:
        connection.set_busy_timeout(_BUSY_MS)
        if not _is_current(connection, cap):
            connection.close()
            return None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "temp_store = MEMORY",
            "cache_size = -16000",
            f"wal_autocheckpoint = {_AUTOCHECKPOINT}",
            "journal_size_limit = 67108864",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException as error:
        connection.close(True)
        if is_corrupt(error) and not isinstance(error, Unusable):
            raise Unusable("it is damaged") from error
        raise
    return connection


def _is_current(connection: apsw.Connection, cap: int) -> bool:
    """Whether the tables are those of this version, which they are made to be where there are none."""
    if next(connection.execute("SELECT COUNT(*) FROM sqlite_schema"))[0] == 0:
        os.chmod(connection.filename, 0o600)
        if checks_pages():
            connection.reserve_bytes(reserve=_CHECKSUM_BYTES)
        # Free pages can be given back without making the file anew.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL").fetchall()
        with connection:
            for statement in STATEMENTS:
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES ('cap', ?)", (str(cap),))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        return True
    if connection.pragma("application_id") != APPLICATION_ID:
        raise Unusable("it is a database of another application")
    if connection.pragma("user_version") != VERSION:
        return False
    return next(connection.execute("SELECT value FROM meta WHERE key = 'cap'"), None) == (str(cap),)


def open_reader(path: Path) -> apsw.Connection:
    """A connection that only reads. Raises `apsw.Error`."""
    checks_pages()
    connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(_BUSY_MS)
        connection.execute("PRAGMA query_only = ON").fetchall()
        connection.execute("PRAGMA cache_size = -8000").fetchall()
    except BaseException:
        connection.close(True)
        raise
    return connection


def rows(connection: apsw.Connection, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query, of any types."""
    return connection.execute(query, values).fetchall()


def delete(path: Path) -> None:
    """Delete the file, which nobody may have open. Raises OSError."""
    for suffix in _COMPANIONS:
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


def size(path: Path) -> int:
    """Bytes on disk."""
    total = 0
    for suffix in _COMPANIONS[:2]:
        with suppress(OSError):
            total += os.stat(f"{path}{suffix}").st_size
    return total


def is_corrupt(error: BaseException) -> bool:
    """Whether the error says that the file itself is damaged."""
    if isinstance(error, apsw.IOError):
        return bool(getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA)
    return isinstance(error, (Unusable, apsw.CorruptError, apsw.NotADBError))


def explain(error: Exception) -> str:
    """The error in plain words."""
    if isinstance(error, apsw.FullError):
        return "the disk is full"
    if isinstance(error, apsw.ReadOnlyError):
        return "text.db may not be written"
    if isinstance(error, apsw.CantOpenError):
        return "text.db cannot be opened"
    if isinstance(error, apsw.IOError):
        return "the disk cannot be read or written"
    if isinstance(error, apsw.BusyError):
        return "another process writes text.db"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
