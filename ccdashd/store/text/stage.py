"""Words on their way into the index, in memory: gathered by whoever reads logs, then written in one statement.

The statement that writes them leaves Python's lock alone for its whole length, so that reading logs and writing the index
take place at the same time; row by row, each would wait for the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import apsw

_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
_numbers = count()

Words = tuple[int, str, str, str, str]
"""A row of ``entries_text``: rowid, text, parts, path and tags."""


class Stage:
    """Rows of ``entries_text`` in a database in memory, which another connection of this process can attach by `name`.

    https://www.sqlite.org/src/file/src/memdb.c. Filled by one thread, and read by another after `commit`.
    """

    def __init__(self) -> None:
        self.name = f"file:/ccdash-stage-{next(_numbers)}?vfs=memdb"
        self._connection = apsw.Connection(self.name, flags=_FLAGS)
        self._connection.execute("PRAGMA journal_mode = OFF").fetchall()
        self._connection.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, text, parts, path, tags)")

    def begin(self) -> None:
        """Begin anew, with nothing in it."""
        self._connection.execute("BEGIN")
        self._connection.execute("DELETE FROM words")

    def add(self, rows: Iterable[Words]) -> None:
        """Add rows."""
        self._connection.executemany("INSERT INTO words VALUES (?, ?, ?, ?, ?)", rows)

    def commit(self) -> None:
        """Let the rows be read."""
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Give back the memory."""
        self._connection.close(True)
