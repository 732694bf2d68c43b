"""Whatever happens to planning files and to sessions that work on them, in any order: the cache ends up as a new one."""

from __future__ import annotations

import shutil
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.ingest.caches import Cache
from tests.ingest.machine import CacheMachine
from tests.ingest.plan_world import PLACES, SHAPES, STEMS, PlanWorld
from tests.ingest.tables import Tables

places = st.sampled_from(PLACES)
stems = st.sampled_from(STEMS)
seeds = st.integers(0, 1000)
some = st.integers(0, len(PLACES) - 1)
"""One of the files that are there."""


class Changes(CacheMachine):
    """Planning files change, and sessions work on them."""

    def begin(self) -> Cache:
        self.world = PlanWorld(self.base)
        self.world.work(0, "mention", PLACES[0])
        return Cache(self.base / "c", self.world.logs)

    async def fresh(self, folder: Path, known: Tables) -> Tables:
        cache = Cache(folder, self.world.logs)
        await cache.open()
        tables = await cache.dump()
        await cache.close()
        shutil.rmtree(folder)
        return tables

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

    def _there(self, number: int) -> str:
        there = self.world.there() or list(PLACES)
        return there[number % len(there)]


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
