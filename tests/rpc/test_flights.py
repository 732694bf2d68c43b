"""One computation for all who ask the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ccdashd.rpc.flights import Flights


class Work:
    """A computation that ends when told, and knows how often it began and was cancelled."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.end = asyncio.Event()

    async def __call__(self) -> bytes:
        self.begun += 1
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return b"done"


def run(test: Callable[[Flights, Work], Awaitable[None]]) -> None:
    async def main() -> None:
        await test(Flights(), Work())

    asyncio.run(main())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_asks_the_same_shares_the_work() -> None:
    async def test(flights: Flights, work: Work) -> None:
        waiters = [asyncio.create_task(flights.join("k", work)) for _ in range(10)]
        other = asyncio.create_task(flights.join("other", work))
        await settle()
        assert work.begun == 2
        work.end.set()
        assert await asyncio.gather(*waiters, other) == [b"done"] * 11
        assert await flights.join("k", work) == b"done"
        assert work.begun == 3, "a finished computation is not kept"

    run(test)


def test_one_cancelled_waiter_does_not_end_the_work_and_the_last_does() -> None:
    async def test(flights: Flights, work: Work) -> None:
        first, second = (asyncio.create_task(flights.join("k", work)) for _ in range(2))
        await settle()
        first.cancel()
        await settle()
        assert first.cancelled() and not work.cancelled
        second.cancel()
        late = asyncio.create_task(flights.join("k", work))
        await settle()
        assert (work.begun, work.cancelled) == (2, 1)
        work.end.set()
        assert await late == b"done"

    run(test)


def test_all_waiters_get_the_failure() -> None:
    async def test(flights: Flights, work: Work) -> None:
        async def fail() -> bytes:
            await asyncio.sleep(0)
            raise ValueError("broken")

        waiters = [asyncio.create_task(flights.join("k", fail)) for _ in range(3)]
        for waiter in waiters:
            with pytest.raises(ValueError, match="broken"):
                await waiter

    run(test)
