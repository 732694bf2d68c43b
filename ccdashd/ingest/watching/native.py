"""macOS and others: the watchfiles library, over FSEvents there.

It cannot tell of an overflow and dies of a name it cannot decode (the watcher then replaces it and asks for a scan), and
goes deaf when a root is replaced, hence the look at the roots in `check`. It hears of everything below a root, which costs
nothing with FSEvents; changes in folders that are not to be entered are left out here.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator

import watchfiles

from ccdashd.ingest.scan import Accept, Enter, scan
from ccdashd.ingest.watching.backend import Reason, Sink

# It logs every batch as INFO.
logging.getLogger("watchfiles").setLevel(logging.WARNING)

STEP_MS = 100
"""The library wakes up this often even when nothing happens; a change takes up to this long to be reported."""


class WatchfilesBackend:
    """Watches the roots that exist; one that appears is found by `check`."""

    mode = "watchfiles"
    delay = 2 * STEP_MS / 1000
    problem = None

    def __init__(self, roots: Iterable[str], sink: Sink, accept: Accept, enters: Enter) -> None:
        self._roots = tuple(roots)
        self._sink = sink
        self._accept = accept
        self._enters = enters
        self._known: dict[str, tuple[int, int]] = {}
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._asking: asyncio.Handle | None = None

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
        if self._asking is not None:
            self._asking.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def set_roots(self, roots: Iterable[str]) -> None:
        self._roots = tuple(roots)
        self._refresh(Reason.ROOTS_CHANGED)
        await asyncio.sleep(0)

    async def check(self) -> None:
        self._refresh()
        await asyncio.sleep(0)

    def _refresh(self, reason: Reason | None = None) -> None:
        now = self._identities()
        if now == self._known:
            return
        gone = self._known.keys() - now.keys()
        self._known = now
        # The paths of a running awatch cannot be changed.
        self._end()
        self._begin()
        reason = reason or (Reason.ROOT_VANISHED if gone else Reason.ROOT_APPEARED)
        # Not before awatch is armed, which it is in its first step: a scan must not begin earlier.
        self._asking = asyncio.get_running_loop().call_soon(self._sink.rescan, reason)

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
        # FSEvents reports real paths.
        real: dict[str, list[str]] = {}
        for root in roots:
            real.setdefault(os.path.realpath(root), []).append(root)
        changes = watchfiles.awatch(*real, watch_filter=None, step=STEP_MS, debounce=STEP_MS, ignore_permission_denied=True)
        async for batch in changes:
            paths: set[str] = set()
            for change, path in batch:
                for name in self._names(path, real):
                    paths.add(name)
                    if change == watchfiles.Change.added:
                        paths.update(self._files_below(name))
            if paths:
                self._sink.paths(paths)
            # A root made again may get the inode it had, so `check` alone would not see that it is another one.
            gone = [root for folder in real for root in real[folder] if (watchfiles.Change.deleted, folder) in batch]
            if gone:
                for root in gone:
                    self._known.pop(root, None)
                self._sink.rescan(Reason.ROOT_VANISHED)
                self._refresh()

    def _names(self, path: str, real: dict[str, list[str]]) -> Iterator[str]:
        """What `path` is called below each of the roots, where folders that are entered lead to it."""
        folder = path
        while folder != "/":
            folder = os.path.dirname(folder)
            for root in real.get(folder, ()):
                name = root.rstrip("/") + path[len(folder.rstrip("/")) :]
                if self._leads_to(name, root):
                    yield name

    def _leads_to(self, name: str, root: str) -> bool:
        end = name.find("/", len(root) + 1)
        while end != -1:
            if not self._enters(name[:end]):
                return False
            end = name.find("/", end + 1)
        return True

    def _files_below(self, path: str) -> Iterator[str]:
        """The files in a new folder, which watchfiles may have missed; nothing for a file."""
        if os.path.isdir(path) and not os.path.islink(path) and self._enters(path):
            yield from (file.path for file in scan([path], self._accept, enters=self._enters))

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
