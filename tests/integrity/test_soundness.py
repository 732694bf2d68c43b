"""Whatever happened to files, in any order: what nobody damaged is found to be whole."""

from __future__ import annotations

from hypothesis import settings

from tests.archive import test_incremental as archived
from tests.ingest import test_plans_incremental as plans
from tests.ingest.machine import CacheMachine
from tests.integrity.checking import faults


class Checked(CacheMachine):
    """Checks where others compare with a new cache."""

    async def _compare(self, rebuild: bool) -> None:
        await self._look()
        await self.cache.scan()
        assert faults(self.cache.paths, self.cache.settings) == []


class Logs(Checked, archived.ArchivedChanges):
    """Logs changed, and were copied."""


class Plans(Checked, plans.Changes):
    """Planning files changed, and sessions that work on them."""


TestLogs = Logs.TestCase
TestLogs.settings = settings(max_examples=6, stateful_step_count=25, deadline=None)
TestPlans = Plans.TestCase
TestPlans.settings = settings(max_examples=4, stateful_step_count=20, deadline=None)
