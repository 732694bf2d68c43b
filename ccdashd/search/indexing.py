"""Brings the index of texts up to the cache: here with one thread, and in `worker` with two. Blocking."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ccdashd.archive.archive import Archive
from ccdashd.search.differences import Differences, compare, places
from ccdashd.search.extraction import Extraction, Place
from ccdashd.store.text import cache, entries, writer
from ccdashd.store.text.connection import open_writer
from ccdashd.store.text.writer import Batch, LogState, Names


class Look(NamedTuple):
    """What the index lacks, and what it has."""

    differences: Differences
    entries: int
    """In the index."""
    dropped: int
    """Of these, entries that are to leave it."""


class Indexer:
    """The index and the cache, open for whoever brings one up to the other; one at a time may.

    Raises `connection.Unusable` and `apsw.Error` where the index cannot be written, `sqlite3.Error` where the cache cannot
    be read. For one thread, but for `Extraction`, which may have one of its own.
    """

    def __init__(self, text: Path, cached: Path, archive: Path, cap: int) -> None:
        self.connection = open_writer(text, cap)
        try:
            self._cache = cache.connect(cached)
        except BaseException:
            self.connection.close(True)
            raise
        writer.set_bulk(self.connection, False)  # as a process that was killed may have left it
        self._archive = Archive(archive)
        self._cap = cap
        self.known: dict[str, LogState] = {}
        """How far each log is in the index."""
        self.refresh()

    def refresh(self) -> None:
        """Another process wrote the index."""
        self.known = writer.states(self.connection)
        self._names = Names(self.connection)

    def compare(self) -> Differences:
        """What the index lacks."""
        return compare(cache.logs(self._cache), self.known)

    def look(self) -> Look:
        """What the index lacks, and what it has."""
        differences = self.compare()
        dropped = [*differences.forgotten, *(one.log.path for one in differences.behind if one.state is None)]
        return Look(differences, self.entries, sum(self.known[path].entries for path in dropped if path in self.known))

    @property
    def entries(self) -> int:
        """Entries in the index."""
        return sum(state.entries for state in self.known.values())

    def lately(self, sessions: Iterable[str]) -> Differences | None:
        """What the index lacks of the logs of these sessions, where that is growth and new logs only; else None: then all
        has to be compared."""
        logs = cache.logs(self._cache, sessions)
        found = compare(logs, {path: self.known[path] for path in logs if path in self.known})
        replaced = any(one.state is None and one.log.path in self.known for one in found.behind)
        return None if replaced or found.moved else found

    def has(self, differences: Differences) -> bool:
        """Whether all that was lacking is in the index now."""
        known = (self.known.get(one.log.path) for one in differences.behind)
        return all(state is not None and state.mtime_ns for state in known)

    def extraction(self) -> Extraction:
        """What reads the logs."""
        return Extraction(self._cache, self._archive, self._names, self._cap)

    def places(self, differences: Differences) -> list[Place]:
        """Where that is to stand which is lacking."""
        behind = differences.behind
        entries_of = cache.counts(self._cache, [one.log.id for one in behind])
        counts = [max(entries_of[one.log.id] - one.start, 0) for one in behind]
        oldest = min((state.mtime_ns for state in self.known.values() if state.mtime_ns), default=0)
        firsts = places(behind, counts, entries.ends(self.connection), oldest)
        return list(map(Place, behind, firsts, counts))

    def write(self, batch: Batch) -> None:
        """Write a batch."""
        try:
            writer.write(self.connection, batch)
        except BaseException:
            self._names = Names(self.connection)  # ids that were given out were not written
            raise
        for path in batch.forgotten:
            self.known.pop(path, None)
        moved = [(new, self.known.pop(old)) for old, new in batch.moved]
        self.known |= {new: state._replace(path=new) for new, state in moved}
        self.known |= {piece.state.path: piece.state for piece in batch.pieces}

    def catch_up(self, differences: Differences) -> None:
        """Do what there is to do, one batch after the other."""
        for batch in self.extraction().batches(differences, self.places(differences)):
            self.write(batch)

    def close(self) -> None:
        """Let go of both files."""
        self._cache.close()
        self.connection.close(True)
