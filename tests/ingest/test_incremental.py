"""Whatever happens to logs, in any order: the cache ends up as one that is made anew from what is there."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.ingest.caches import Cache, expected
from tests.ingest.machine import CacheMachine
from tests.ingest.tables import Tables
from tests.ingest.world import AGENT_PLACES, ENDINGS, KINDS, PLACES, World

places = st.sampled_from(PLACES)
some = st.integers(0, len(PLACES) - 1)
"""One of the logs that are there."""
kinds = st.lists(st.sampled_from(KINDS), min_size=1, max_size=6)
tenths = st.integers(0, 10)


class Changes(CacheMachine):
    """Logs change."""

    def begin(self) -> Cache:
        self.world = World(self.base / "logs")
        return Cache(self.base / "c", self.world.root)

    async def fresh(self, folder: Path, known: Tables) -> Tables:
        return await expected(folder, self.world, known)

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


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=35, stateful_step_count=40, deadline=None)
