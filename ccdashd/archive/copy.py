"""Copies logs into the archive: whole, or the last chunk and what grew. Blocking, for a process or thread of its own."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive
from ccdashd.archive.chunks import MAX, Chunk, cut
from ccdashd.archive.manifest import Manifest, Version
from ccdashd.archive.staging import Staging
from ccdashd.logfile import described, guard, stamp

BLOCK = 4 * 1024 * 1024
"""Bytes of a log that are read at a time."""

BATCH_BYTES = 32 * 1024 * 1024
BATCH_FILES = 200
"""What may wait in the staging area, whose files are open."""

COMMIT_BYTES = 1024 * 1024 * 1024
COMMIT_LOGS = 1000
"""Bytes and logs after which copies are to be settled: few large steps cost much less than many small ones."""


class Changed(OSError):
    """A log was rewritten while it was copied."""


class Copied(NamedTuple):
    """A log that was copied."""

    path: str
    read: int
    """Bytes that were read."""
    replaced: bool
    """Whether chunks may have lost their last reference."""


class Copier:
    """Copies one log after the other. What was copied counts when `settle` returned."""

    def __init__(self, archive: Archive, staging: Staging, now: Callable[[], str]) -> None:
        self._archive = archive
        self._staging = staging
        self._now = now
        self._manifests: list[Manifest] = []
        self._read = 0

    @property
    def is_due(self) -> bool:
        """Whether so much waits that it is time to settle."""
        return self._read >= COMMIT_BYTES or len(self._manifests) >= COMMIT_LOGS

    def copy(self, path: str, *, anew: bool = False) -> Copied | None:
        """Copy the log at `path`, where it is other than its newest version; `anew` reads all of it in any case, and
        writes chunks again that are damaged.

        Raises Changed, Damaged for a manifest that cannot be read, or another OSError.
        """
        known = self._archive.manifest(path)
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError("it is no regular file")
            mtime_ns = stamp(path, status.st_mtime_ns)
            newest = known.newest if known is not None else None
            if newest is not None and not anew and (newest.size, newest.mtime_ns) == (status.st_size, mtime_ns):
                return None
            kept = [] if newest is None or anew else _kept(fd, status.st_size, newest)
            start = sum(chunk.size for chunk in kept)
            sealed = guard(fd, status.st_size)
            chunks = [*kept, *self._chunks(fd, start, status.st_size, anew)]
            if not _same(fd, status, sealed):
                raise Changed("it was rewritten while it was copied")
            version = Version(
                size=status.st_size,
                mtime_ns=mtime_ns,
                guard=sealed,
                archived_at=self._now(),
                chunks=tuple(chunks),
                meta=described(path),
            )
            before = known.versions if known is not None else ()
            earlier = [other for other in before if not begins_with(version, partial(_pread, fd), other)]
        finally:
            os.close(fd)
        self._manifests.append(manifests.of(path, (*earlier, version)))
        self._read += status.st_size - start
        return Copied(path, status.st_size - start, len(earlier) < len(before))

    def _chunks(self, fd: int, start: int, size: int, anew: bool) -> list[Chunk]:
        """Put the bytes from `start` to `size` into the store."""
        chunks: list[Chunk] = []
        rest, offset = b"", start
        while offset < size:
            block = os.pread(fd, min(BLOCK, size - offset), offset)
            if not block:
                raise Changed("it was cut off while it was copied")
            offset += len(block)
            data, begin = rest + block, 0
            while (end := cut(data, begin)) is not None or (offset == size and begin < len(data)):
                chunks.append(self._archive.chunks.put(data[begin:end], self._staging, anew=anew))
                if self._staging.bytes >= BATCH_BYTES or len(self._staging) >= BATCH_FILES:
                    self._staging.flush()
                begin = end if end is not None else len(data)
            rest = data[begin:]
        return chunks

    def settle(self) -> list[str]:
        """Bring all that was copied to disk; returns the paths of the logs. Raises OSError."""
        waiting, self._manifests, self._read = self._manifests, [], 0
        # Chunks first: a manifest must not name one that a crash could still take away. Also those that were there, which a
        # run may have left that was killed before it came to this.
        named = (chunk.hash for manifest in waiting for chunk in manifest.newest.chunks)
        self._staging.settle({os.path.dirname(self._archive.chunks.path(hash)) for hash in named})
        for manifest in waiting:
            self._archive.put(manifest, self._staging)
            if len(self._staging) >= BATCH_FILES:
                self._staging.flush()
        self._staging.settle()
        return [manifest.log for manifest in waiting]


def _kept(fd: int, size: int, newest: Version) -> list[Chunk]:
    """The chunks of the newest version that need not be read again, since the log grew behind them."""
    if size <= newest.size or guard(fd, newest.size) != newest.guard:
        return []
    return list(newest.chunks[:-1])


def _same(fd: int, before: os.stat_result, sealed: bytes) -> bool:
    """Whether what was there when reading began is still so."""
    after = os.fstat(fd)
    if (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        return True
    return after.st_size >= before.st_size and guard(fd, before.st_size) == sealed


def _pread(fd: int, offset: int, length: int) -> bytes:
    return os.pread(fd, length, offset)


def begins_with(version: Version, read: Callable[[int, int], bytes], other: Version) -> bool:
    """Whether a version, whose bytes ``read(offset, length)`` gives, holds all of the other at its beginning."""
    if not other.chunks:
        return True
    *whole, last = other.chunks
    if version.size < other.size or list(version.chunks[: len(whole)]) != whole:
        return False
    return hashlib.sha256(read(other.size - last.size, last.size)).hexdigest() == last.hash


assert BLOCK >= MAX
