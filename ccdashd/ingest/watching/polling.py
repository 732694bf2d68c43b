"""Anywhere: look at everything again and again, and compare. Slow and costly, and never deaf."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

from ccdashd.ingest.scan import FileStat, scan
from ccdashd.ingest.watching.backend import Accept, Sink

INTERVAL_SECONDS = 5.0
BUSY_SHARE = 0.01
"""The most that polling may take of one core: a look that took 100 ms is followed by 10 s of rest."""

Seen = dict[str, FileStat]


class Polling:
    """Polls `roots`; more can be added and discarded while it runs. Without any it sleeps."""

    mode = "polling"
    directories = 0
    problem = None

    def __init__(self, roots: Iterable[str], sink: Sink, accept: Accept) -> None:
        self._seen: dict[str, Seen | None] = dict.fromkeys(roots)
        self._sink = sink
        self._accept = accept
        self._took = 0.0
        self._some = asyncio.Event()
        self._stopping = threading.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def delay(self) -> float:
        return self._rest() + self._took

    async def start(self) -> None:
        if self._seen:
            self._some.set()
            await self._look()
        self._task = asyncio.create_task(self._run(), name="polling")
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def check(self) -> None:
        """Nothing goes unnoticed here."""

    def add(self, root: str, *, report: bool) -> None:
        """Poll `root` too. `report`: the files that are there at the first look are reported."""
        self._seen.setdefault(root, {} if report else None)
        self._some.set()

    def discard(self, root: str) -> None:
        self._seen.pop(root, None)
        if not self._seen:
            self._some.clear()

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(self._rest())
            await self._look()

    def _rest(self) -> float:
        return max(INTERVAL_SECONDS, self._took / BUSY_SHARE)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for root in list(self._seen):
            now = await asyncio.to_thread(self._scan, root)
            # It may have been discarded meanwhile.
            if now is None or root not in self._seen:
                continue
            before = self._seen[root]
            self._seen[root] = now
            if before is None:
                continue
            changed = {path for path, _ in before.items() ^ now.items()}
            if changed:
                self._sink.paths(changed)
        self._took = loop.time() - began

    def _scan(self, root: str) -> Seen | None:
        seen: Seen = {}
        for file in scan([root], self._accept):
            if self._stopping.is_set():
                return None
            seen[file.path] = file
        return seen

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._sink.failed(error)
