"""A watcher whose reports are kept, and bounded waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ccdashd.ingest.watch import Watcher
from ccdashd.ingest.watching.inotify import InotifyBackend
from ccdashd.ingest.watching.inotify_fd import Inotify

PATIENCE_SECONDS = 20

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is of Linux")
rust = pytest.mark.skipif(find_spec("watchfiles") is None, reason="watchfiles is not installed")

MODES = [pytest.param("inotify", marks=linux), pytest.param("watchfiles", marks=rust), pytest.param("polling")]


class Recorder:
    """Gathers what a watcher reports; `until` waits for it."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.rescans: list[str] = []
        self._news = asyncio.Event()

    def on_paths(self, paths: set[str]) -> None:
        self.paths |= paths
        self._news.set()

    def on_rescan(self, reason: str) -> None:
        self.rescans.append(reason)
        self._news.set()

    def clear(self) -> None:
        self.paths.clear()
        self.rescans.clear()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def until_seen(self, *paths: Path, instead: str | None = None) -> None:
        """Wait until all `paths` were reported, or a scan was asked for because of `instead`; then forget what was."""
        wanted = {str(path) for path in paths}
        try:
            await self.until(lambda: wanted <= self.paths or instead in self.rescans)
        except TimeoutError:
            raise AssertionError(f"not reported: {wanted - self.paths}; rescans: {self.rescans}") from None
        self.paths.clear()

    async def until_rescan(self, reason: str) -> None:
        await self.until(lambda: reason in self.rescans)


def is_log(path: str) -> bool:
    return path.endswith(".jsonl")


@contextlib.asynccontextmanager
async def watching(*roots: Path, probe_dir: Path, **options: Any) -> AsyncIterator[tuple[Watcher, Recorder]]:
    recorder = Recorder()
    options.setdefault("accept", is_log)
    watcher = Watcher(list(roots), recorder.on_paths, recorder.on_rescan, probe_dir=probe_dir, **options)
    await watcher.start()
    try:
        yield watcher, recorder
    finally:
        await watcher.stop()


def kernel_watches(watcher: Watcher) -> int:
    """How many watches the kernel holds for it, by proc_pid_fdinfo(5)."""
    backend = watcher._backend
    assert isinstance(backend, InotifyBackend)
    return watches_of(backend._inotify)


def watches_of(inotify: Inotify) -> int:
    return Path(f"/proc/self/fdinfo/{inotify.fd}").read_text().count("inotify wd:")
