"""Anywhere: look at everything again and again, and compare. Slow and costly, and never deaf."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

from ccdashd.ingest.scan import Accept, Enter, FileStat, scan
from ccdashd.ingest.watching.backend import Reason, Sink

INTERVAL_SECONDS = 5.0
BUSY_SHARE = 0.01
"""The most that polling may take of one core: a look that took 100 ms is followed by 10 s of rest."""

Seen = dict[str, FileStat]


class Polling:
    """Polls `roots`; more can be added and discarded while it runs. Without any it sleeps."""

    mode = "polling"
    directories = 0
    problem = None

    def __init__(self, roots: Iterable[str], sink: Sink, accept: Accept, enters: Enter) -> None:
        self._seen: dict[str, Seen | None] = dict.fromkeys(roots)
        self._late: set[str] = set()
        self._sink = sink
        self._accept = accept
        self._enters = enters
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
            await self._look_at_all()
        self._task = asyncio.create_task(self._run(), name="polling")
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def set_roots(self, roots: Iterable[str]) -> None:
        wanted = dict.fromkeys(roots)
        for root in self._seen.keys() - wanted.keys():
            self.discard(root)
        for root in wanted:
            self.add(root, report=False)
        await self.settle()

    async def check(self) -> None:
        """Nothing goes unnoticed here."""

    def add(self, root: str, *, report: bool) -> None:
        """Poll `root` too. `report`: the files that are there at the first look are reported."""
        self._seen.setdefault(root, {} if report else None)
        self._some.set()

    def add_late(self, root: str) -> None:
        """Poll `root` too. A scan is asked for after the first look, for what has changed in it until then."""
        self._late.add(root)
        self.add(root, report=False)

    def discard(self, root: str, *, report: bool = False) -> None:
        """No longer poll `root`. `report`: what may have changed in it since the last look is reported."""
        seen, late = self._seen.pop(root, None), root in self._late
        self._late.discard(root)
        if not self._seen:
            self._some.clear()
        if report and seen:
            self._sink.paths(set(seen))
        if report and late:
            self._sink.rescan(Reason.LIMITED)

    async def settle(self) -> None:
        """Returns when all roots have been looked at once, so that every later change in them will be seen."""
        await self._look([root for root, seen in self._seen.items() if not seen])

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(self._rest())
            await self._look_at_all()

    def _rest(self) -> float:
        return max(INTERVAL_SECONDS, self._took / BUSY_SHARE)

    async def _look_at_all(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._look(list(self._seen))
        self._took = loop.time() - began

    async def _look(self, roots: Iterable[str]) -> None:
        changed: set[str] = set()
        for root in roots:
            now = await asyncio.to_thread(self._scan, root)
            # It may have been discarded meanwhile.
            if now is None or root not in self._seen:
                continue
            before = self._seen[root]
            self._seen[root] = now
            if before is not None:
                changed.update(path for path, _ in before.items() ^ now.items())
        # At once: when a change in the first root is reported, so is every earlier one in the others.
        if changed:
            self._sink.paths(changed)
        looked_at = {root for root in self._late if self._seen[root] is not None}
        if looked_at:
            self._late -= looked_at
            self._sink.rescan(Reason.LIMITED)

    def _scan(self, root: str) -> Seen | None:
        seen: Seen = {}
        for file in scan([root], self._accept, enters=self._enters):
            if self._stopping.is_set():
                return None
            seen[file.path] = file
        return seen

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._sink.failed(error)
