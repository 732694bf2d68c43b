"""Many who ask the same at the same time wait for one computation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any


class Flights:
    """Computations that are under way, by key. One ends when its last waiter is cancelled, never before."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight] = {}

    async def join(self, key: Hashable, compute: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """What the computation of `key` gives or raises; begins it where none is under way."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.get_running_loop().create_task(compute()))
            flight.task.add_done_callback(lambda task: self._landed(key, task))
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                # Who comes now must not join what is about to be cancelled.
                self._forget(key, flight.task)
                flight.task.cancel()

    def _landed(self, key: Hashable, task: asyncio.Task[bytes]) -> None:
        self._forget(key, task)
        if not task.cancelled():
            task.exception()  # Seen by the waiters; where none is left, nobody needs to be told.

    def _forget(self, key: Hashable, task: asyncio.Task[bytes]) -> None:
        known = self._flights.get(key)
        if known is not None and known.task is task:
            del self._flights[key]


class _Flight:
    def __init__(self, task: asyncio.Task[bytes]) -> None:
        self.task = task
        self.waiters = 0
