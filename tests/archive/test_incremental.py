"""Whatever happens to logs, and whenever they are copied: the cache is as one that is made anew from logs and archive."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.archive.caches import ArchivedCache, anew
from tests.ingest.tables import Tables
from tests.ingest.test_incremental import Changes
from tests.ingest.world import World


class ArchivedChanges(Changes):
    """Logs change, and are copied."""

    cache: ArchivedCache

    def begin(self) -> ArchivedCache:
        self.world = World(self.base / "logs")
        return ArchivedCache(self.base / "c", self.world.root)

    async def fresh(self, folder: Path, known: Tables) -> Tables:
        return await anew(folder, self.world, known, self.cache.app.archive)

    @rule(skip=st.sampled_from([0, 0, 1, 2]))
    def copy(self, skip: int) -> None:
        self.runner.run(self.cache.copy(skip))

    @rule()
    def lose_the_database(self) -> None:
        self.runner.run(self.cache.lose())
        self.changed.clear()


TestArchivedChanges = ArchivedChanges.TestCase
TestArchivedChanges.settings = settings(max_examples=6, stateful_step_count=25, deadline=None)
