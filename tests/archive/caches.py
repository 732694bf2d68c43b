"""Caches in this process that have an archive."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import msgspec

from ccdashd.archive.archive import Archive
from ccdashd.archive.worker import CopyJob, CopyStep, work
from ccdashd.logfile import guard_of
from tests.ingest.caches import Cache, expected
from tests.ingest.tables import Tables
from tests.ingest.world import World


class ArchivedCache(Cache):
    """A cache whose archive is written when a test says so."""

    async def copy(self, skip: int = 0) -> None:
        """Copy what waits, but for the first logs, as the keeper does in a process of its own."""
        waiting = (await self.app.keeper.waiting()).logs[skip:]
        job = CopyJob(os.fsencode(self.app.archive.folder), [os.fsencode(log.path) for log in waiting])
        for answer in await asyncio.to_thread(lambda: list(work(msgspec.msgpack.encode(job)))):
            step = msgspec.msgpack.decode(answer, type=CopyStep)
            await self.app.pipeline.copied(map(os.fsdecode, step.copied))

    async def lose(self) -> None:
        """Delete the database, and open another."""
        await self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.paths.database}{suffix}").unlink(missing_ok=True)
        await self.open()


async def anew(folder: Path, world: World, known: Tables, archive: Archive) -> Tables:
    """What a new cache holds that sees the world's logs and this archive, and, for a moment, those that `known` keeps
    though they are gone and not in the archive."""
    cache = Cache(folder, world.root)
    if os.path.exists(archive.folder):
        shutil.copytree(archive.folder, cache.paths.archive)
    lost = {key: row for key, row in known["sync_state"].items() if row["state"] == "gone" and not _is_copied(archive, row)}
    return await expected(folder, world, {"sync_state": lost}, cache)


def _is_copied(archive: Archive, row: dict[str, object]) -> bool:
    source = archive.source(str(row["path"]))
    if source is None:
        return False
    version = source.version
    end = int(str(row["parsed_to"]))
    seal = guard_of(lambda length, offset: archive.read(version, offset, length), end)
    return version.size == row["size"] and seal == row["guard"]
