"""The threads of the daemon that use the index of texts, each with a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.search.find import View
from ccdashd.search.indexing import Indexer
from ccdashd.store.connection import connect, disconnect, raw_connection
from ccdashd.store.job_thread import JobThread
from ccdashd.store.text.connection import open_reader


class Reading(NamedTuple):
    """The index, and the cache beside it, for one search after the other."""

    view: View
    cache: sa.Connection


class Reader(JobThread[Reading]):
    """A thread that searches."""

    def __init__(self, name: str, path: Path, cached: Path) -> None:
        super().__init__(name)
        self._path = path
        self._cached = cached

    def connect(self) -> Reading:
        return Reading(View(open_reader(self._path)), connect(self._cached, readonly=True))

    def settle(self, connection: Reading) -> None:
        if connection.view.text.in_transaction:
            connection.view.text.execute("ROLLBACK")
        if connection.cache.in_transaction():
            connection.cache.rollback()

    def interrupt(self, connection: Reading) -> None:
        connection.view.text.interrupt()
        raw_connection(connection.cache).interrupt()

    def disconnect(self, connection: Reading) -> None:
        connection.view.text.close(True)
        disconnect(connection.cache)


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
