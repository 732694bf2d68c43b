"""The threads of the daemon that use the index of texts, each with a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw

from ccdashd.search.indexing import Indexer
from ccdashd.store.job_thread import JobThread
from ccdashd.store.text.connection import open_reader


class Reader(JobThread[apsw.Connection]):
    """A thread that searches."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
        self._path = path

    def connect(self) -> apsw.Connection:
        return open_reader(self._path)

    def settle(self, connection: apsw.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def interrupt(self, connection: apsw.Connection) -> None:
        connection.interrupt()

    def disconnect(self, connection: apsw.Connection) -> None:
        connection.close(True)


class Writer(JobThread[Indexer]):
    """The thread that compares, and writes what is little."""

    def __init__(self, make: Callable[[], Indexer]) -> None:
        super().__init__("text-writer")
        self._make = make

    def connect(self) -> Indexer:
        return self._make()

    def settle(self, connection: Indexer) -> None:
        """Every transaction ends where it begins."""

    def interrupt(self, connection: Indexer) -> None:
        connection.connection.interrupt()

    def disconnect(self, connection: Indexer) -> None:
        connection.close()
