"""When to scan everything: at start, every few minutes, and when the watcher says that it may have missed something."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from ccdashd.clock import now

log = logging.getLogger(__name__)

START = "start"
TIMER = "timer"


class Reconciler:
    """Calls `reconcile(reason)`, one call at a time, for as long as `run` runs.

    Requests that come in during a call, or before the pause after it is over, are merged into the next one, whose
    reason names them all. The pause is at least three times what the call took, and doubles from `pause` to `pause_max`
    seconds while requests keep coming, so a watcher in trouble costs at most a quarter of a core and soon much less.
    """

    def __init__(
        self,
        reconcile: Callable[[str], Awaitable[object]],
        every: float,
        *,
        pause: float = 0.5,
        pause_max: float = 60.0,
    ) -> None:
        self._reconcile = reconcile
        self._every = every
        self._pause = pause
        self._pause_max = pause_max
        self._reasons: dict[str, None] = {}
        self._requested = asyncio.Event()
        self.runs = 0
        self.failures = 0
        self.last_at: str | None = None
        """When the last call that did not fail began."""

    def request(self, reason: str) -> None:
        """Ask for a call soon. For the loop's thread; fits `Watcher`'s `on_rescan`."""
        self._reasons[reason] = None
        self._requested.set()

    async def run(self) -> None:
        """The task: runs until cancelled. A call that fails is logged and tried again after the pause."""
        loop = asyncio.get_running_loop()
        pause = self._pause
        self.request(START)
        while True:
            await _within(self._requested, self._every)
            reason = ", ".join(self._reasons) or TIMER
            self._reasons.clear()
            self._requested.clear()
            began = loop.time()
            failed = not await self._call(reason)
            await asyncio.sleep(max(pause, min(3 * (loop.time() - began), self._pause_max)))
            if failed:
                self.request("retry after a failure")
            pause = min(2 * pause, self._pause_max) if self._requested.is_set() else self._pause

    async def _call(self, reason: str) -> bool:
        began = now()
        self.runs += 1
        try:
            await self._reconcile(reason)
        except Exception:
            self.failures += 1
            log.exception("the scan (%s) failed; it is tried again", reason)
            return False
        self.last_at = began
        return True


async def _within(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
