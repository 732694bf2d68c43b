"""More to read than one moment allows: it does not hold up what is small, and ends in order whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from ccdashd.ingest.backlog import Backlog
from ccdashd.ingest.scan import FileStat
from tests.ingest.caches import Cache
from tests.ingest.tables import same
from tests.ingest.world import PLACES, World

MANY = [f"-home-b/{number:08}-0000-4000-8000-000000000000.jsonl" for number in range(20)]


def with_cache(tmp_path: Path, test: Callable[[Cache, World], Awaitable[None]]) -> None:
    async def run() -> None:
        world = World(tmp_path / "logs")
        world.append(PLACES[0], ["prompt", "answer-ends"])
        cache = Cache(tmp_path / "c", world.root)
        await cache.open()
        try:
            await test(cache, world)
        finally:
            await cache.close()

    asyncio.run(asyncio.wait_for(run(), 60))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.01)


def test_workers_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(cache: Cache, world: World) -> None:
        for place in MANY:
            world.append(place, ["prompt"])
        with monkeypatch.context() as broken, pytest.raises(FileNotFoundError):
            broken.setattr("sys.executable", "/no/such/python")
            await cache.scan()
        assert cache.app.pipeline.indexing.phase == "idle"
        assert (await cache.scan()).parsed == len(MANY)
        assert (await cache.scan()).parsed == 0

    with_cache(tmp_path, test)


def test_a_backlog_that_the_watcher_names_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it read twice by a scan at the same time, nor what grows meanwhile forgotten."""

    async def test(cache: Cache, world: World) -> None:
        pipeline = cache.app.pipeline
        gate, running, most = asyncio.Event(), 0, 0
        read = Backlog.run

        async def slow(backlog: Backlog, files: list[FileStat]) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await read(backlog, files)
            await gate.wait()
            running -= 1

        async def is_read(place: str) -> bool:
            states = (await cache.dump())["sync_state"].values()
            read = {str(state["path"]): state["parsed_to"] for state in states}
            return read.get(str(world.path(place))) == world.path(place).stat().st_size

        async def is_running() -> bool:
            return running == 1

        monkeypatch.setattr(Backlog, "run", slow)
        pipeline.changed(path for place in MANY for path in world.append(place, ["prompt"]))
        await until(is_running)
        pipeline.changed(world.append(PLACES[0], ["prompt"]))
        pipeline.changed(world.append(MANY[0], ["answer"]))
        await until(partial(is_read, PLACES[0]))
        for place in MANY:
            world.append(place, ["answer-ends"])
        scan = asyncio.create_task(cache.scan())
        await asyncio.sleep(0)
        gate.set()
        await scan
        await until(partial(is_read, MANY[0]))
        assert most == 1
        incremental = await cache.dump()
        await pipeline.rebuild()
        same(incremental, await cache.dump(), "read in pieces and anew")

    with_cache(tmp_path, test)
