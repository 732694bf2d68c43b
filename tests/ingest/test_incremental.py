"""Whatever happens to logs, in any order: the cache ends up as one that is made anew from what is there."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.ingest.caches import Cache, expected
from tests.ingest.tables import same
from tests.ingest.world import AGENT_PLACES, ENDINGS, KINDS, PLACES, World

places = st.sampled_from(PLACES)
some = st.integers(0, len(PLACES) - 1)
"""One of the logs that are there."""
kinds = st.lists(st.sampled_from(KINDS), min_size=1, max_size=6)
tenths = st.integers(0, 10)


class Changes(RuleBasedStateMachine):
    """Logs change, unnoticed until the next `look` or `scan`; `compare` may come at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="ccdash-incremental-"))
        self.world = World(self.base / "logs")
        self.runner = asyncio.Runner()
        self.cache = Cache(self.base / "c", self.world.root)
        self.runner.run(self.cache.open())
        self.changed: set[str] = set()

    @rule(place=places, kinds=kinds, ending=st.sampled_from(ENDINGS))
    def append(self, place: str, kinds: list[str], ending: str) -> None:
        self.changed |= self.world.append(place, kinds, ending)

    @rule(place=places, kinds=kinds, in_place=st.booleans())
    def rewrite(self, place: str, kinds: list[str], in_place: bool) -> None:
        self.changed |= self.world.rewrite(place, kinds, in_place=in_place)

    @rule(log=some)
    def change_bytes(self, log: int) -> None:
        self.changed |= self.world.change_bytes(self.world.there(log))

    @rule(log=some, tenths=tenths)
    def truncate(self, log: int, tenths: int) -> None:
        self.changed |= self.world.truncate(self.world.there(log), tenths)

    @rule(log=some, to=places)
    def move(self, log: int, to: str) -> None:
        self.changed |= self.world.move(self.world.there(log), to)

    @rule()
    def move_folder(self) -> None:
        self.changed |= self.world.move_folder()

    @rule(log=some, to=places, tenths=tenths)
    def fork(self, log: int, to: str, tenths: int) -> None:
        self.changed |= self.world.fork(self.world.there(log), to, tenths)

    @rule(log=some)
    def delete(self, log: int) -> None:
        self.changed |= self.world.delete(self.world.there(log))

    @rule(place=places, number=st.integers(0, 50))
    def restore(self, place: str, number: int) -> None:
        self.changed |= self.world.restore(place, number)

    @rule(log=some)
    def touch(self, log: int) -> None:
        self.changed |= self.world.touch(self.world.there(log))

    @rule(place=st.sampled_from(AGENT_PLACES), kind=st.sampled_from(["", "plan", "explore"]))
    def describe(self, place: str, kind: str) -> None:
        self.changed |= self.world.describe(place, kind)

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
        same(tables, await expected(self.base / "f", self.world, tables), "a new cache holds something else")

    def teardown(self) -> None:
        try:
            self.compare(rebuild=False)
        finally:
            self.runner.run(self.cache.close())
            self.runner.close()
            shutil.rmtree(self.base)


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
