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
    async def storm(reconciler: Reconciler, calls: Calls, turns: int) -> list[float]:
        """The gaps between calls, each of which is requested during the one before; the last brings no request."""
        at: list[float] = []
        for turn in range(turns):
            await calls.until(len(calls.reasons) + (0 if turn == 0 else 1))
            at.append(asyncio.get_running_loop().time())
            if turn < turns - 1:
                reconciler.request("overflow")
            calls.go.release()
        return [after - before for before, after in itertools.pairwise(at)]

    async def run() -> None:
        async with reconciling(pause=0.002, pause_max=1000) as (reconciler, calls):
            await calls.until(1)
            # Timers never fire early, so these are lower bounds on any machine.
            for turn, gap in enumerate(await storm(reconciler, calls, 9)):
                assert gap > 0.95 * 0.002 * 2**turn
            await asyncio.sleep(0.002 * 2**9)
            reconciler.request("overflow")
            await calls.until(10)
            # Had the pause not been reset, this would take minutes.
            await storm(reconciler, calls, 8)

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
