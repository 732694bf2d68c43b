"""A thread that owns something which one thread at a time may use, such as a connection, and can be told to stop."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from ccdashd.errors import Busy

C = TypeVar("C")
T = TypeVar("T")

_INTERRUPT_AGAIN = 0.02
"""Seconds between two interrupts of a call that nobody waits for any more."""


class _Job:
    """A call of a thread. Nobody waits for one that is `given_up`: it is interrupted, or not begun at all."""

    given_up = False


class _GivenUp(Exception):
    """Ends a job that was given up before its turn; nobody sees it."""


class JobThread(ABC, Generic[C]):
    """One thread with one connection, made on first use. Its calls follow each other."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"ccdash-{name}")
        self._connection: C | None = None
        self._lock = threading.Lock()
        self._running: _Job | None = None
        self.waiting = 0
        """Calls that were not answered yet."""

    @abstractmethod
    def connect(self) -> C:
        """Make the connection; on the thread."""

    @abstractmethod
    def settle(self, connection: C) -> None:
        """End what a call left unfinished; on the thread."""

    @abstractmethod
    def interrupt(self, connection: C) -> None:
        """Let the call that runs fail soon; on the event loop."""

    @abstractmethod
    def disconnect(self, connection: C) -> None:
        """Close the connection; on the thread."""

    async def call(self, fn: Callable[[C], T], *, seconds: float | None = None) -> T:
        """``fn(connection)`` on the thread. Raises Busy when that, or waiting for its turn, takes more than `seconds`."""
        job = _Job()
        self.waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, self._run, job, fn)
        try:
            return await asyncio.wait_for(asyncio.shield(future), seconds)
        except TimeoutError as error:
            self._give_up(job, future)
            raise Busy(f"the query took longer than {seconds:g} s and was stopped", reason="timeout") from error
        except asyncio.CancelledError:
            self._give_up(job, future)
            raise
        finally:
            self.waiting -= 1

    def _run(self, job: _Job, fn: Callable[[C], T]) -> T:
        if job.given_up:
            raise _GivenUp
        if self._connection is None:
            self._connection = self.connect()
        with self._lock:
            self._running = job
        try:
            return fn(self._connection)
        finally:
            with self._lock:
                self._running = None
            self.settle(self._connection)

    def _give_up(self, job: _Job, future: asyncio.Future[T]) -> None:
        job.given_up = True
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._interrupt_until_done(job, future)

    def _interrupt_until_done(self, job: _Job, future: asyncio.Future[T]) -> None:
        # Again and again, since an interrupt between two statements has no effect.
        if not future.done():
            with self._lock:
                if self._running is job and self._connection is not None:
                    self.interrupt(self._connection)
            asyncio.get_running_loop().call_later(_INTERRUPT_AGAIN, self._interrupt_until_done, job, future)

    async def stop(self) -> None:
        """Close the connection when what was asked before is done."""

        def close() -> None:
            if self._connection is not None:
                self.disconnect(self._connection)

        await asyncio.get_running_loop().run_in_executor(self._pool, close)
        self._pool.shutdown(wait=False)
