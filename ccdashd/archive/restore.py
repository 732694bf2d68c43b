"""Writes logs back into a folder, from their copies or from the logs themselves. Blocking."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive
from ccdashd.archive.records import Records
from ccdashd.archive.staging import sync_folder
from ccdashd.logfile import described, description

BLOCK = 4 * 1024 * 1024


class Taken(OSError):
    """There is a file where one was to be written."""


class Gone(OSError):
    """There is neither the log, which is `filename`, nor a copy of it."""


class Target(NamedTuple):
    """A log, or an earlier version of one, and where it goes."""

    source: str
    """Its path, as the cache knows it."""
    path: str


def targets(paths: Iterable[str], roots: Sequence[str], folder: str) -> list[Target]:
    """Where these logs go: as they lay below the agent's own folder, which is one of `roots`, or called ``projects``."""
    return [Target(path, os.path.join(folder, _below(path, roots))) for path in paths]


def _below(path: str, roots: Sequence[str]) -> str:
    for root in roots:
        if path.startswith(root.rstrip("/") + "/"):
            return path[len(root.rstrip("/")) + 1 :]
    # Of another machine or user.
    _, found, below = path.rpartition("/projects/")
    return below if found else os.path.basename(path)


def restore(archive: Archive, wanted: Sequence[Target], report: Callable[[int], None]) -> list[str]:
    """Write logs, with what describes those of sub-agents; returns all paths. `report` takes the bytes that are done.

    Raises Taken where a file is there already, before anything is written; Gone, Missing, Damaged, or another OSError. What
    was written whole by then stays.
    """
    for target in wanted:
        for path in (target.path, description(target.path)):
            if path is not None and os.path.lexists(path):
                raise Taken(f"{path} is there already")
    written: list[str] = []
    done = 0
    for target in wanted:
        done = _restore(archive, target, written, report, done)
    return written


def _restore(archive: Archive, target: Target, written: list[str], report: Callable[[int], None], done: int) -> int:
    with _opened(archive, target.source) as log, _New(target.path) as new:
        while data := log.read(new.size, BLOCK):
            new.write(data)
            report(done + new.size)
        new.finish(_time(archive, target.source))
    written.append(target.path)
    place, meta = description(target.path), _meta(archive, target.source)
    # Of an earlier version, the file would stand beside no log.
    if place is not None and meta is not None and manifests.split(target.source)[1] is None:
        with _New(place) as new_meta:
            new_meta.write(meta)
            new_meta.finish(None)
        written.append(place)
    return done + new.size


def _opened(archive: Archive, path: str) -> Records:
    try:
        return Records(archive, path)
    except FileNotFoundError:
        raise Gone(errno.ENOENT, "there is neither the log nor a copy of it", path) from None


def _meta(archive: Archive, path: str) -> bytes | None:
    if os.path.exists(path):
        return described(path)
    source = archive.source(path)
    return source.version.meta if source is not None else None


def _time(archive: Archive, path: str) -> int | None:
    with suppress(OSError):
        return os.stat(path).st_mtime_ns
    source = archive.source(path)
    return source.version.mtime_ns if source is not None else None


class _New:
    """A file that appears under its name when it is whole, unless there is one by then."""

    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        self._path = path
        self._temporary = os.path.join(os.path.dirname(path), f".ccdash-{secrets.token_hex(8)}.tmp")
        self._fd = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.size = 0

    def __enter__(self) -> _New:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)
        with suppress(OSError):
            os.unlink(self._temporary)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        self.size += len(data)

    def finish(self, mtime_ns: int | None) -> None:
        """Give the file its name. Raises Taken where another has it."""
        if mtime_ns is not None:
            os.utime(self._fd, ns=(mtime_ns, mtime_ns))
        os.fsync(self._fd)
        try:
            os.link(self._temporary, self._path)
        except FileExistsError:
            raise Taken(f"{self._path} is there already") from None
        sync_folder(os.path.dirname(self._path))
