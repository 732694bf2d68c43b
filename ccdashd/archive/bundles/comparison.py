"""Whether what a file of a bundle holds stands in a log that is here, from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from ccdashd.archive.archive import Archive
from ccdashd.archive.records import Records


class Comparison:
    """One file of a bundle, held against logs as it is read."""

    def __init__(self, archive: Archive, paths: Iterable[str]) -> None:
        self._offset = 0
        self._logs: list[Records] = []
        for path in paths:
            with suppress(OSError):  # one that cannot be read holds nothing
                self._logs.append(Records(archive, path))

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, compared."""
        for data in pieces:
            self._logs = [log for log in self._logs if self._goes_on(log, data)]
            self._offset += len(data)
            yield data

    def _goes_on(self, log: Records, data: bytes) -> bool:
        with suppress(OSError):
            if log.read(self._offset, len(data)) == data:
                return True
        log.close()
        return False

    def end(self) -> bool:
        """Whether one of the logs began so; lets go of all."""
        held = bool(self._logs)
        for log in self._logs:
            log.close()
        return held
