"""Whatever happened to files, in any order: a cache that nobody damaged is found to be whole."""

from __future__ import annotations

from hypothesis import settings

from tests.ingest import test_incremental, test_plans_incremental
from tests.ingest.machine import CacheMachine
from tests.integrity.checking import faults


class Checked(CacheMachine):
    """Checks where others compare with a new cache."""

    async def _compare(self, rebuild: bool) -> None:
        await self._look()
        await self.cache.scan()
        assert faults(self.cache.paths, self.cache.settings) == []


class Logs(Checked, test_incremental.Changes):
    """Logs changed."""


class Plans(Checked, test_plans_incremental.Changes):
    """Planning files changed, and sessions that work on them."""


TestLogs = Logs.TestCase
TestLogs.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
TestPlans = Plans.TestCase
TestPlans.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
