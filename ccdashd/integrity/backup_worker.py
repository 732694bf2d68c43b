"""``python -m ccdashd.integrity.backup_worker``: the process that makes a backup, and tells how far it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ccdashd import __version__, helper
from ccdashd.archive.archive import Archive
from ccdashd.clock import now
from ccdashd.integrity import backups
from ccdashd.integrity.backups import ARCHIVE, CACHE, Backup, Copy
from ccdashd.store import SCHEMA
from ccdashd.store.copying import copy_cache, copy_problem


class Job(msgspec.Struct, array_like=True):
    """What to copy, and where to. Paths are as the file system has them."""

    parent: bytes
    """The folder that the backup's own folder is made in."""
    cache: bytes
    files: list[bytes]
    """Copied as they are, where they are there."""
    archive: bytes | None
    keep: int | None
    """Backups that stay; None: all."""


class Step(msgspec.Struct, array_like=True, tag=True):
    """How far it is, in bytes."""

    done: int
    total: int


class Made(msgspec.Struct, array_like=True, tag=True):
    """The backup is whole."""

    path: bytes
    size: int
    files: int
    deleted: list[bytes]


Answer = Step | Made

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Answer).decode


class _Run:
    def __init__(self, job: Job) -> None:
        self._parent = Path(os.fsdecode(job.parent))
        self._cache = Path(os.fsdecode(job.cache))
        self._files = [path for path in map(Path, map(os.fsdecode, job.files)) if path.is_file()]
        self._archive = None if job.archive is None else Archive(os.fsdecode(job.archive))
        self._keep = job.keep
        self._total = sum(path.stat().st_size for path in (self._cache, *self._files))
        self._done = 0

    def answers(self) -> Iterator[Answer]:
        """Raises OSError or ValueError; there is no new folder then."""
        self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        backups.forget_leftovers(self._parent)
        name = self._free_name()
        partial = backups.hidden(self._parent, name, "partial")
        partial.mkdir(mode=0o700)
        try:
            yield from self._fill(partial)
            backup = Backup(version=__version__, schema=SCHEMA, created_at=now(), files=self._listed(partial))
            backups.write_list(partial, backup)
            yield from self._verify(partial)
            for folder, _, _ in os.walk(partial):
                backups.sync(Path(folder))
            partial.rename(self._parent / name)
            backups.sync(self._parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        yield Made(
            os.fsencode(self._parent / name), backup.bytes, len(backup.files), list(map(os.fsencode, self._delete_old()))
        )

    def _free_name(self) -> str:
        name = free = f"ccdash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        number = 1
        while (self._parent / free).exists():
            number += 1
            free = f"{name}-{number}"
        return free

    def _fill(self, folder: Path) -> Iterator[Step]:
        copy = folder / CACHE
        try:
            copy_cache(self._cache, copy)
        except sqlite3.Error as error:
            raise OSError(f"{CACHE} cannot be copied: {error}") from error
        yield self._step(self._cache)
        # After the cache, so that it holds all that the cache knows.
        for path in self._files:
            shutil.copy2(path, folder / path.name)
            yield self._step(path)
        if self._archive is not None:
            yield from self._link_archive(self._archive, folder / ARCHIVE)

    def _link_archive(self, archive: Archive, target: Path) -> Iterator[Step]:
        # Nothing is deleted from it meanwhile.
        with archive.writing(wait=True):
            files = [Path(file) for file in archive.manifest_files()] + [Path(one.path) for one in archive.chunks.all()]
            self._total += sum(path.stat().st_size for path in files)
            for path in files:
                place = target / path.relative_to(archive.folder)
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                try:
                    os.link(path, place)  # a file of the archive never changes
                except OSError:
                    shutil.copy2(path, place)
                yield self._step(path)

    def _listed(self, folder: Path) -> list[Copy]:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = []
        for path in paths:
            size, digest = backups.measured(path)
            files.append(Copy(str(path.relative_to(folder)), size, digest))
            with suppress(OSError):  # a link to a file of the archive, which may belong to nobody that may open it
                backups.sync(path)
        return files

    def _verify(self, folder: Path) -> Iterator[Step]:
        problem = copy_problem(folder / CACHE)
        if problem is not None:
            raise ValueError(f"the copy of {CACHE} is damaged: {problem}; `ccdash verify` tells more")
        for file, wrong in backups.problems(folder, backups.load(folder)):
            if wrong is not None:
                raise ValueError(f"the copy {file.path}: {wrong}")
        yield Step(self._done, self._total)

    def _step(self, path: Path) -> Step:
        self._done += path.stat().st_size
        return Step(self._done, self._total)

    def _delete_old(self) -> list[Path]:
        deleted = []
        for folder in backups.all_in(self._parent)[self._keep :] if self._keep is not None else []:
            with suppress(OSError, backups.DamagedBackup):
                backups.delete(folder)
                deleted.append(folder)
        return deleted


def work(data: bytes) -> Iterator[bytes]:
    """The answers to an encoded job."""
    yield from map(encode, _Run(msgspec.msgpack.decode(data, type=Job)).answers())


if __name__ == "__main__":
    helper.serve(work)
