"""macOS and others: the watchfiles library, over FSEvents there.

It cannot tell of an overflow and dies of a name it cannot decode (the watcher then replaces it and asks for a scan), and
goes deaf when a root is replaced, hence the look at the roots in `check`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable

import watchfiles

from ccdashd.ingest.watching.backend import Accept, Reason, Sink

# It logs every batch as INFO.
logging.getLogger("watchfiles").setLevel(logging.WARNING)

STEP_MS = 100
"""The library wakes up this often even when nothing happens; a change takes up to this long to be reported."""


class WatchfilesBackend:
    """Watches the roots that exist; one that appears is found by `check`."""

    mode = "watchfiles"
    delay = 2 * STEP_MS / 1000
    problem = None

    def __init__(self, roots: Iterable[str], sink: Sink, accept: Accept) -> None:
        self._roots = tuple(roots)
        self._sink = sink
        self._known: dict[str, tuple[int, int]] = {}
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def directories(self) -> int:
        return len(self._known)

    async def start(self) -> None:
        self._known = self._identities()
        self._begin()
        # awatch arms in its first step, before it first awaits.
        await asyncio.sleep(0)

    async def stop(self) -> None:
        self._end()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def check(self) -> None:
        self._refresh()
        await asyncio.sleep(0)

    def _refresh(self) -> None:
        now = self._identities()
        if now == self._known:
            return
        gone = self._known.keys() - now.keys()
        self._known = now
        # The paths of a running awatch cannot be changed.
        self._end()
        self._begin()
        self._sink.rescan(Reason.ROOT_VANISHED if gone else Reason.ROOT_APPEARED)

    def _begin(self) -> None:
        if self._known:
            self._task = asyncio.create_task(self._run(tuple(self._known)), name="watchfiles")
            self._task.add_done_callback(self._ended)

    def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.remove_done_callback(self._ended)
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            task.cancel()

    async def _run(self, roots: tuple[str, ...]) -> None:
        # The system reports real paths.
        real = {os.path.realpath(root): root for root in roots}
        changes = watchfiles.awatch(
            *roots, watch_filter=None, step=STEP_MS, debounce=STEP_MS, ignore_permission_denied=True
        )
        async for batch in changes:
            paths: set[str] = set()
            for change, path in batch:
                paths.add(path)
                if change == watchfiles.Change.added:
                    paths.update(_files_below(path))
            self._sink.paths({_below_root(path, real) for path in paths})
            # A root made again may get the inode it had, so `check` alone would not see that it is another one.
            gone = [root for folder, root in real.items() if (watchfiles.Change.deleted, folder) in batch]
            if gone:
                for root in gone:
                    self._known.pop(root, None)
                self._sink.rescan(Reason.ROOT_VANISHED)
                self._refresh()

    def _identities(self) -> dict[str, tuple[int, int]]:
        identities: dict[str, tuple[int, int]] = {}
        for root in self._roots:
            try:
                status = os.stat(root)
            except OSError:
                continue
            identities[root] = (status.st_dev, status.st_ino)
        return identities

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._sink.failed(task.exception() or RuntimeError("watchfiles stopped by itself"))


def _below_root(path: str, real: dict[str, str]) -> str:
    for folder, root in real.items():
        if path.startswith(folder + "/"):
            return root + path[len(folder) :]
    return path


def _files_below(path: str) -> set[str]:
    """The files in a new folder, which watchfiles may have missed; nothing for a file."""
    return {os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names}
