"""What is claimed of a log may be another thing when it is read: the reading looks again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ccdashd.ingest.claim import Claims, claim, inode_lookup
from ccdashd.ingest.commit import Batch, commit
from ccdashd.ingest.parse import glance
from ccdashd.ingest.scan import look
from ccdashd.store import logs
from tests.ingest.caches import Cache, expected
from tests.ingest.tables import same
from tests.ingest.world import PLACES, World

LOG, OTHER = PLACES[0], PLACES[1]
KINDS = ["prompt", "answer", "tool", "result", "answer-ends"]


def _claim(paths: list[str], connection: object, revision: int) -> Claims:
    found = [file for file in map(look, paths) if file is not None]
    missing = [path for path in paths if path not in {file.path for file in found}]
    states = logs.states(connection, paths)  # type: ignore[arg-type]
    return claim(found, missing, states, inode_lookup(connection), suspicious=True)  # type: ignore[arg-type]


def _rewrite(world: World) -> None:
    world.rewrite(LOG, [*KINDS, *KINDS, *KINDS], in_place=False)


def _shrink(world: World) -> None:
    world.truncate(LOG, 3)


def _move(world: World) -> None:
    world.move(LOG, OTHER)


def _delete(world: World) -> None:
    world.delete(LOG)


def _become_a_folder(world: World) -> None:
    world.delete(LOG)
    world.path(LOG).mkdir()


@pytest.mark.parametrize("change", [_rewrite, _shrink, _move, _delete, _become_a_folder])
@pytest.mark.parametrize("known", [True, False], ids=["grown", "new"])
def test_a_log_that_changes_between_claim_and_reading(tmp_path: Path, change: Callable[[World], None], known: bool) -> None:
    world = World(tmp_path / "logs")
    cache = Cache(tmp_path / "c", world.root)

    async def run() -> None:
        await cache.open()
        try:
            pipeline = cache.app.pipeline
            path = str(world.path(LOG))
            if known:
                await pipeline.apply(world.append(LOG, KINDS))
            world.append(LOG, KINDS)
            claims = await cache.app.database.read(partial(_claim, [path]))
            assert (len(claims.whole), len(claims.grown)) == (not known, known)
            change(world)
            await pipeline.carry_out(claims)
            await pipeline.apply([path, str(world.path(OTHER))])
            await cache.scan()
            tables = await cache.dump()
            if world.path(LOG).is_dir():
                world.path(LOG).rmdir()
            same(tables, await expected(tmp_path / "f", world, tables), "a new cache holds something else")
        finally:
            await cache.close()

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_log_that_was_moved_and_came_back_between_claim_and_reading(tmp_path: Path) -> None:
    """Its rows went with it: reading on would write the new end alone."""
    world = World(tmp_path / "logs")
    cache = Cache(tmp_path / "c", world.root)

    async def run() -> None:
        await cache.open()
        try:
            pipeline = cache.app.pipeline
            other = world.root / "-home-elsewhere" / world.path(LOG).name
            paths = [str(world.path(LOG)), str(other)]
            await pipeline.apply(world.append(LOG, KINDS))
            world.append(LOG, KINDS)
            claims = await cache.app.database.read(partial(_claim, paths[:1]))
            assert len(claims.grown) == 1
            other.parent.mkdir()
            world.path(LOG).rename(other)
            moved = await cache.app.database.read(partial(_claim, paths))
            assert moved.moved == {paths[0]: paths[1]}
            other.rename(world.path(LOG))
            await pipeline.carry_out(Claims(moved=moved.moved))
            await pipeline.carry_out(claims)
            await pipeline.apply(paths)
            await cache.scan()
            tables = await cache.dump()
            same(tables, await expected(tmp_path / "f", world, tables), "a new cache holds something else")
        finally:
            await cache.close()

    asyncio.run(asyncio.wait_for(run(), 30))


@pytest.mark.parametrize("fate", ["gone", "unreadable"])
def test_a_log_that_was_only_glanced_at_is_not_taken_for_read(tmp_path: Path, fate: str) -> None:
    world = World(tmp_path / "logs")
    cache = Cache(tmp_path / "c", world.root)

    async def run() -> None:
        await cache.open()
        try:
            pipeline, database = cache.app.pipeline, cache.app.database
            world.append(LOG, KINDS)
            path = str(world.path(LOG))
            other = path + ".away"
            await pipeline.write(
                lambda connection: commit(connection, Batch(results=[glance(path)]), pipeline.owner, pipeline.app.prices)
            )
            os.rename(path, other)
            batch = Batch(gone=[path]) if fate == "gone" else Batch(unreadable={path: "Permission denied"})
            await pipeline.write(lambda connection: commit(connection, batch, pipeline.owner, pipeline.app.prices))
            (row,) = (await cache.dump())["sessions"].values()
            assert not row["indexed"]
            os.rename(other, path)
            claims = await database.read(partial(_claim, [path]))
            assert ([file.path for file in claims.whole], claims.touched) == ([path], {})
            await pipeline.carry_out(claims)
            (row,) = (await cache.dump())["sessions"].values()
            assert row["indexed"]
        finally:
            await cache.close()

    asyncio.run(run())
