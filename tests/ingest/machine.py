"""Random scripts over a cache: files change, are looked at or scanned at some time, and a new cache must hold the same."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from abc import abstractmethod
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.ingest.caches import Cache
from tests.ingest.tables import Tables, same


class CacheMachine(RuleBasedStateMachine):
    """Files below `base` change by rules of a subclass, which note them in `changed`: unnoticed until the next `look` or
    scan. `compare` may come at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="ccdash-incremental-"))
        self.changed: set[str] = set()
        self.runner = asyncio.Runner()
        self.cache = self.begin()
        self.runner.run(self.cache.open())

    @abstractmethod
    def begin(self) -> Cache:
        """Make the first files, and the cache of them, which is not open yet."""

    @abstractmethod
    async def fresh(self, folder: Path, known: Tables) -> Tables:
        """What a new cache in `folder` holds; `known` is what the old one does."""

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
        same(tables, await self.fresh(self.base / "f", tables), "a new cache holds something else")

    def teardown(self) -> None:
        try:
            self.compare(rebuild=False)
        finally:
            self.runner.run(self.cache.close())
            self.runner.close()
            shutil.rmtree(self.base)
