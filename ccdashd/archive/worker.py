"""The process that copies logs into the archive, one after the other, and tells how far it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from ccdashd.archive.archive import Archive, Damaged
from ccdashd.archive.copy import Copier
from ccdashd.archive.staging import Staging, Unwritable
from ccdashd.clock import now
from ccdashd.helper import serve

EVERY = 0.1
"""Seconds at most between two answers."""

COMMIT = 5.0
"""Seconds after which copies are settled, however few they are."""


class CopyJob(msgspec.Struct, array_like=True):
    """What to copy. Paths are as the file system gives them, since a name need not be UTF-8."""

    folder: bytes
    """Of the archive."""
    logs: list[bytes]
    max_bytes: int = 0
    """Bytes on disk from which on nothing more is copied; 0: no limit."""
    anew: bool = False
    """Read all of each log, whatever there is of it, and write again what is damaged."""
    sweep: bool = False
    """Delete in any case what nothing refers to; else, only where this run left something behind."""


class CopyStep(msgspec.Struct, array_like=True):
    """What was done since the last answer."""

    done: int
    """Logs that were looked at, since the run began."""
    read: int
    """Bytes that were read of logs, since the run began."""
    written: int
    """Bytes that were written into the archive, since the run began."""
    copied: list[bytes]
    """Logs of which there are new copies, on disk."""
    problems: list[tuple[bytes, str]]
    """Logs that could not be copied, or the archive's own files, and why."""
    full: bool = False
    """Whether nothing more is copied for the sake of `max_bytes`."""


_encode = msgspec.msgpack.Encoder().encode


def work(job: bytes) -> Iterator[bytes]:
    """Do an encoded `CopyJob`; yields encoded steps. Raises Unwritable, or another OSError, where the archive cannot be
    had; what was told to be copied stays."""
    asked = msgspec.msgpack.decode(job, type=CopyJob)
    archive = Archive(os.fsdecode(asked.folder))
    with archive.writing(wait=True) as staging:
        for step in _Run(archive, staging, asked).run():
            yield _encode(step)


class _Run:
    def __init__(self, archive: Archive, staging: Staging, job: CopyJob) -> None:
        self._archive = archive
        self._staging = staging
        self._job = job
        self._copier = Copier(archive, staging, now)
        self._step = CopyStep(0, 0, 0, [], [])
        self._next = time.monotonic() + EVERY
        self._commit = time.monotonic() + COMMIT
        self._replaced = job.sweep

    def run(self) -> Iterator[CopyStep]:
        try:
            yield from self._steps()
        except Unwritable:
            # What is settled and named by no manifest takes the room that there is not.
            self._staging.discard()
            with suppress(OSError):
                self._archive.sweep()
            raise

    def _steps(self) -> Iterator[CopyStep]:
        room = self._job.max_bytes - self._archive.size() if self._job.max_bytes else None
        for path in map(os.fsdecode, self._job.logs):
            if room is not None and self._staging.written >= room:
                self._step.full = True
                break
            self._copy(path)
            self._step.done += 1
            if self._copier.is_due or time.monotonic() >= self._commit:
                self._settle()
            if time.monotonic() >= self._next:
                yield self._told()
        self._settle()
        if self._replaced:
            try:
                self._archive.sweep()
            except Damaged as error:
                self._problem(self._archive.folder, OSError(f"chunks that nothing refers to stay: {error}"))
        yield self._told()

    def _copy(self, path: str) -> None:
        try:
            copied = self._copier.copy(path, anew=self._job.anew)
        except FileNotFoundError:
            return  # the agent deleted it meanwhile
        except Unwritable:
            raise
        except OSError as error:
            self._problem(path, error)
            return
        if copied is not None:
            self._step.read += copied.read
            self._replaced |= copied.replaced

    def _settle(self) -> None:
        self._step.copied += map(os.fsencode, self._copier.settle())
        self._step.written = self._staging.written
        self._commit = time.monotonic() + COMMIT

    def _problem(self, path: str, error: OSError) -> None:
        self._step.problems.append((os.fsencode(path), error.strerror or str(error)))

    def _told(self) -> CopyStep:
        told = self._step
        self._step = msgspec.structs.replace(told, copied=[], problems=[])
        self._next = time.monotonic() + EVERY
        return told


if __name__ == "__main__":
    serve(work)
