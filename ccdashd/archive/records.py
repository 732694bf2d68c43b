"""Bytes of a log by offset: from the log where it is there, else from the archive."""

from __future__ import annotations

import os
from types import TracebackType

from ccdashd.archive.archive import Archive, Version


class Records:
    """A log that is open for reading. Close it, or use it as a context."""

    def __init__(self, archive: Archive, path: str) -> None:
        """Raises FileNotFoundError where neither log nor copy is there, or another OSError."""
        self._archive = archive
        self._fd: int | None = None
        self._version: Version | None = None
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            source = archive.source(path)
            if source is None:
                raise
            self._version = source.version

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from `offset` on; fewer where the log ends. Raises OSError."""
        if self._version is not None:
            return self._archive.read(self._version, offset, length)
        assert self._fd is not None
        return os.pread(self._fd, length, offset)

    def close(self) -> None:
        """Let go of the log."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Records:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def read(archive: Archive, path: str, offset: int, length: int) -> bytes:
    """`length` bytes of the log at `path` from `offset` on; fewer where it ends. Raises as `Records`."""
    with Records(archive, path) as log:
        return log.read(offset, length)
