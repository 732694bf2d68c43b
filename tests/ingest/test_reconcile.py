from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import datetime

from ccdashd.ingest.reconcile import START, TIMER, Reconciler

FOREVER = 1e6


class Calls:
    """Records the calls of a reconciler; each takes until the test lets it go on."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.running = 0
        self.go = asyncio.Semaphore(0)
        self.errors: list[Exception] = []
        self._news = asyncio.Event()

    async def __call__(self, reason: str) -> None:
        self.running += 1
        assert self.running == 1
        self.reasons.append(reason)
        self._news.set()
        try:
            await self.go.acquire()
            if self.errors:
                raise self.errors.pop()
        finally:
            self.running -= 1

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.reasons) < count:
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def reconciling(
    every: float = FOREVER, pause: float = 0.0, pause_max: float = 0.01
) -> AsyncIterator[tuple[Reconciler, Calls]]:
    calls = Calls()
    reconciler = Reconciler(calls, every, pause=pause, pause_max=pause_max)
    task = asyncio.create_task(reconciler.run())
    try:
        yield reconciler, calls
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_it_is_called_at_start_and_by_the_timer() -> None:
    async def run() -> None:
        async with reconciling(every=0.01) as (reconciler, calls):
            calls.go.release()
            calls.go.release()
            await calls.until(3)
            assert calls.reasons == [START, TIMER, TIMER]
            assert reconciler.runs == 3
            assert reconciler.last_at is not None and datetime.fromisoformat(reconciler.last_at)

    asyncio.run(run())


def test_requests_during_a_call_become_one_more_call() -> None:
    async def run() -> None:
        async with reconciling() as (reconciler, calls):
            await calls.until(1)
            for reason in ["overflow", "burst", "overflow"]:
                reconciler.request(reason)
            calls.go.release()
            await calls.until(2)
            assert calls.reasons == [START, "overflow, burst"]
            calls.go.release()

    asyncio.run(run())


def test_a_storm_of_requests_is_slowed_down_and_quiet_makes_it_quick_again() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with reconciling(pause=0.02, pause_max=0.08) as (reconciler, calls):
            at: list[float] = []
            for turn in range(1, 6):
                await calls.until(turn)
                at.append(loop.time())
                reconciler.request("overflow")
                calls.go.release()
            gaps = [after - before for before, after in itertools.pairwise(at)]
            # Timers never fire early, so these are lower bounds on any machine.
            for gap, least in zip(gaps, [0.02, 0.04, 0.08, 0.08], strict=True):
                assert gap > 0.95 * least
            await calls.until(6)
            calls.go.release()
            await asyncio.sleep(0.2)
            assert reconciler._pause == 0.02
            reconciler.request("after quiet")
            await calls.until(7)

    asyncio.run(run())


def test_the_pause_grows_with_what_a_call_takes() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with reconciling(pause_max=10) as (reconciler, calls):
            await calls.until(1)
            began = loop.time()
            reconciler.request("overflow")
            loop.call_later(0.03, calls.go.release)
            await calls.until(2)
            assert loop.time() - began > 0.95 * (0.03 + 3 * 0.03)

    asyncio.run(run())


def test_a_call_that_fails_is_tried_again() -> None:
    async def run() -> None:
        async with reconciling() as (reconciler, calls):
            calls.errors.append(OSError("disk"))
            calls.go.release()
            await calls.until(2)
            assert calls.reasons == [START, "retry after a failure"]
            assert (reconciler.failures, reconciler.last_at) == (1, None)
            calls.go.release()
            reconciler.request("again")
            await calls.until(3)
            assert reconciler.failures == 1
            assert reconciler.last_at is not None

    asyncio.run(run())
