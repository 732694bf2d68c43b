"""The process that builds a backlog of the index of texts: one thread reads logs, another writes what they say.

Both are at work at the same time: SQLite leaves Python's lock alone while it writes, see `store.text.words`.
"""

from __future__ import annotations

import gc
import queue
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import msgspec

from ccdashd import helper
from ccdashd.search.differences import Differences
from ccdashd.search.extraction import Place
from ccdashd.search.indexing import Indexer
from ccdashd.store.text import writer
from ccdashd.store.text.connection import Unusable, explain, is_corrupt
from ccdashd.store.text.writer import Batch

MODULE = "ccdashd.search.worker"


SWITCH = 0.0001
"""Seconds after which a thread gives Python's lock to the other."""


class Job(msgspec.Struct, array_like=True):
    """Paths of files and folders, and the setting `text_index_cap_bytes`."""

    text: str
    cache: str
    archive: str
    cap: int


class Progress(msgspec.Struct, array_like=True, tag="progress"):
    """Something was written."""

    bytes: int
    """Of logs, since the start."""
    logs: int
    """Logs, or parts of them, since the start."""
    entries: int


class Failure(msgspec.Struct, array_like=True, tag="failure"):
    """The index cannot be written; nothing comes after it."""

    problem: str
    corrupt: bool


Answer = Progress | Failure

encode = msgspec.msgpack.Encoder().encode
decode_job = msgspec.msgpack.Decoder(Job).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


def work(job: bytes) -> Iterator[bytes]:
    """Bring the index up to the cache; yields an encoded `Answer` after each batch."""
    asked = decode_job(job)
    # The writing thread needs the lock for a moment between two statements, and would wait 5 ms each time.
    sys.setswitchinterval(SWITCH)
    # What is read has no cycles, and the collector would only walk it.
    gc.disable()
    try:
        with closing(Indexer(Path(asked.text), Path(asked.cache), Path(asked.archive), asked.cap)) as index:
            yield from _build(index)
    except (apsw.Error, sqlite3.Error, Unusable) as error:
        yield encode(Failure(explain(error), is_corrupt(error)))


def _build(index: Indexer) -> Iterator[bytes]:
    differences = index.compare()
    done = Progress(0, 0, 0)
    writer.set_bulk(index.connection, True)
    try:
        for batch in _written(index, differences, index.places(differences)):
            done.bytes += batch.size
            done.logs += len(batch.pieces)
            done.entries += sum(len(piece.rows) for piece in batch.pieces)
            yield encode(done)
    finally:
        writer.set_bulk(index.connection, False)
        writer.checkpoint(index.connection, empty=True)


def _written(index: Indexer, differences: Differences, places: list[Place]) -> Iterator[Batch]:
    """Each batch when it was written."""
    # One is written while the next one waits and the one after it is filled.
    full: queue.Queue[Batch | BaseException | None] = queue.Queue(1)

    def extract() -> None:
        try:
            for batch in index.extraction().batches(differences, places):
                full.put(batch)
            full.put(None)
        except BaseException as error:
            full.put(error)

    threading.Thread(target=extract, name="extraction", daemon=True).start()
    while (batch := full.get()) is not None:
        if isinstance(batch, BaseException):
            raise batch
        index.write(batch)
        writer.checkpoint(index.connection)
        yield batch


if __name__ == "__main__":
    helper.serve(work)
