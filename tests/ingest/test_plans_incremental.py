"""Whatever happens to planning files and to sessions that work on them, in any order: the cache ends up as a new one."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.ingest.caches import Cache
from tests.ingest.plan_world import PLACES, SHAPES, STEMS, PlanWorld
from tests.ingest.tables import Tables, same

places = st.sampled_from(PLACES)
stems = st.sampled_from(STEMS)
seeds = st.integers(0, 1000)
some = st.integers(0, len(PLACES) - 1)
"""One of the files that are there."""


class Changes(RuleBasedStateMachine):
    """Files and logs change, unnoticed until the next `look` or `scan`; `compare` may come at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="ccdash-plans-"))
        self.world = PlanWorld(self.base)
        self.world.work(0, "mention", PLACES[0])
        self.runner = asyncio.Runner()
        self.cache = Cache(self.base / "c", self.world.logs)
        self.runner.run(self.cache.open())
        self.changed: set[str] = set()

    @rule(place=places, shape=st.sampled_from(SHAPES), seed=seeds, in_place=st.booleans())
    def write(self, place: str, shape: str, seed: int, in_place: bool) -> None:
        self.changed |= self.world.write(place, shape, seed, in_place=in_place)

    @rule(shape=st.sampled_from(SHAPES), seed=seeds)
    def write_many(self, shape: str, seed: int) -> None:
        for number, place in enumerate(PLACES):
            self.changed |= self.world.write(place, shape, seed + number)

    @rule(number=some)
    def delete(self, number: int) -> None:
        self.changed |= self.world.delete(self._there(number))

    @rule(number=some, to=places)
    def move(self, number: int, to: str) -> None:
        self.changed |= self.world.move(self._there(number), to)

    @rule(one=stems, other=stems)
    def move_folder(self, one: str, other: str) -> None:
        self.changed |= self.world.move_folder(one, other)

    @rule(number=some)
    def touch(self, number: int) -> None:
        self.changed |= self.world.touch(self._there(number))

    @rule(place=places, mode=st.integers(0, 1))
    def link(self, place: str, mode: int) -> None:
        self.changed |= self.world.link(place, mode)

    @rule(
        number=st.integers(0, 2),
        kind=st.sampled_from(["write", "read", "shell", "command", "mention", "branch"]),
        place=places,
    )
    def work(self, number: int, kind: str, place: str) -> None:
        self.changed |= self.world.work(number, kind, place)

    @rule()
    @precondition(lambda self: self.changed)
    def look(self) -> None:
        self.runner.run(self._look())

    @rule()
    def restart(self) -> None:
        self.runner.run(self.cache.close())
        self.runner.run(self.cache.open())
        self.changed.clear()

    @rule(rebuild=st.booleans())
    def compare(self, rebuild: bool) -> None:
        self.runner.run(self._compare(rebuild))

    def _there(self, number: int) -> str:
        there = self.world.there() or list(PLACES)
        return there[number % len(there)]

    async def _look(self) -> None:
        """What the watcher would say."""
        changed, self.changed = self.changed, set()
        await self.cache.app.pipeline.apply(changed)

    async def _compare(self, rebuild: bool) -> None:
        await self._look()
        by_events = await self.cache.dump()
        await self.cache.scan()
        tables = await self.cache.dump()
        same(by_events, tables, "a scan found what was not told")
        if rebuild:
            await self.cache.app.pipeline.rebuild()
            same(tables, await self.cache.dump(), "a rebuild changed something")
        same(tables, await self._fresh(), "a new cache holds something else")

    async def _fresh(self) -> Tables:
        cache = Cache(self.base / "f", self.world.logs)
        await cache.open()
        tables = await cache.dump()
        await cache.close()
        shutil.rmtree(self.base / "f")
        return tables

    def teardown(self) -> None:
        try:
            self.compare(rebuild=False)
        finally:
            self.runner.run(self.cache.close())
            self.runner.close()
            shutil.rmtree(self.base)


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
