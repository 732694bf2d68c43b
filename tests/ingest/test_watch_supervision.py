"""What the watcher does when its backend fails, and when it may have missed something."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ccdashd.ingest import watch
from ccdashd.ingest.scan import Accept, Enter
from ccdashd.ingest.watching import platform, polling
from ccdashd.ingest.watching.backend import Backend, Reason, Sink
from ccdashd.ingest.watching.polling import Polling
from tests.ingest.watch_recorder import Recorder, is_log, watching


class Scripted:
    """A backend that does what the test tells it, through `sink`."""

    mode = "inotify"
    directories = 1
    delay = 0.0
    problem: str | None = None

    def __init__(
        self, sink: Sink, *, start: OSError | None = None, hears: bool = True, gate: asyncio.Event | None = None
    ) -> None:
        self.sink = sink
        self.stopped = False
        self.check_error: Exception | None = None
        self.roots_error: Exception | None = None
        self.roots: list[str] = []
        self._gate = gate
        self._start_error = start
        self._hears = hears
        self._ticking: asyncio.Task[None] | None = None
        self._folder: Path | None = None

    def hear(self, folder: Path) -> None:
        self._folder = folder

    async def start(self) -> None:
        if self._start_error is not None:
            raise self._start_error
        if self._gate is not None:
            await self._gate.wait()
        if self._hears:
            self._ticking = asyncio.create_task(self._report())

    async def _report(self) -> None:
        while True:
            if self._folder is not None and (found := {str(path) for path in self._folder.glob("*")}):
                self.sink.paths(found)
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        self.stopped = True
        if self._ticking is not None:
            self._ticking.cancel()

    async def set_roots(self, roots: Iterable[str]) -> None:
        if self.roots_error is not None:
            raise self.roots_error
        self.roots = list(roots)

    async def check(self) -> None:
        if self.check_error is not None:
            raise self.check_error


Make = Callable[[Sink], Backend]


class Script:
    """Which backend is made at each start; after the last one, that again."""

    def __init__(self) -> None:
        self.made: list[Backend] = []
        self.steps: list[Make] = [Scripted]

    def create(self, mode: str, roots: Iterable[str], sink: Sink, accept: Accept, enters: Enter) -> Backend:
        if mode == "polling":
            backend: Backend = Polling(roots, sink, accept, enters)
        else:
            backend = self.steps[min(len(self.made), len(self.steps) - 1)](sink)
            if isinstance(backend, Scripted):
                backend.roots = list(roots)
        self.made.append(backend)
        return backend

    @property
    def last(self) -> Scripted:
        backend = self.made[-1]
        assert isinstance(backend, Scripted)
        return backend


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    script = Script()
    monkeypatch.setattr(watch, "create", script.create)
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(watch, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(polling, "INTERVAL_SECONDS", 0.02)
    return script


def test_a_backend_that_fails_is_replaced_and_a_scan_asked_for(tmp_path: Path, script: Script) -> None:
    async def run() -> None:
        async with watching(tmp_path / "logs", probe_dir=tmp_path / "run", mode="inotify") as (watcher, seen):
            first = script.last
            first.sink.failed(RuntimeError("broken"))
            await seen.until_rescan(Reason.RESTARTED)
            assert first.stopped
            assert script.last is not first
            status = watcher.status()
            assert (status.restarts, status.healthy, status.problem, status.mode) == (1, True, None, "inotify")
        assert script.last.stopped

    asyncio.run(run())


def test_a_backend_that_fails_again_and_again_gives_way_to_polling(tmp_path: Path, script: Script) -> None:
    refused = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    script.steps = [lambda sink: Scripted(sink, start=refused)]

    async def run() -> None:
        root = tmp_path / "logs"
        root.mkdir()
        async with watching(root, probe_dir=tmp_path / "run", mode="inotify") as (watcher, seen):
            assert len(script.made) == watch.MAX_FAILURES + 1
            assert all(isinstance(backend, Scripted) and backend.stopped for backend in script.made[:-1])
            status = watcher.status()
            assert status.mode == "polling"
            assert status.problem == "inotify failed 5 times (Too many open files): files are polled instead"
            (root / "log.jsonl").touch()
            await seen.until_seen(root / "log.jsonl")

    asyncio.run(run())


def test_failures_far_apart_do_not_add_up(tmp_path: Path, script: Script) -> None:
    async def run() -> None:
        async with watching(tmp_path, probe_dir=tmp_path / "run", mode="inotify", tick=0.005) as (watcher, _):
            for _ in range(2 * watch.MAX_FAILURES):
                script.last.hear(tmp_path / "run")
                script.last.sink.failed(RuntimeError("broken"))
                async with asyncio.timeout(10):
                    while watcher._failures != 1:
                        await asyncio.sleep(0)
                    while watcher._failures:
                        if isinstance(script.made[-1], Scripted):
                            script.last.hear(tmp_path / "run")
                        await asyncio.sleep(0.001)
            assert watcher.status().mode == "inotify"
            assert watcher.status().restarts == 2 * watch.MAX_FAILURES

    asyncio.run(run())


def test_a_deaf_backend_is_replaced(tmp_path: Path, script: Script) -> None:
    script.steps = [lambda sink: Scripted(sink, hears=False), Scripted]
    folder = tmp_path / "run"

    async def run() -> None:
        async with watching(tmp_path, probe_dir=folder, mode="inotify", tick=0.01) as (watcher, seen):
            assert not await watcher.probe()
            await seen.until_rescan(Reason.RESTARTED)
            script.last.hear(folder)
            assert await watcher.probe()
            assert watcher.status().healthy

    asyncio.run(run())


def test_a_check_that_fails_is_a_failure_of_the_backend(tmp_path: Path, script: Script) -> None:
    async def run() -> None:
        async with watching(tmp_path, probe_dir=tmp_path / "run", mode="inotify", tick=0.01) as (_, seen):
            first = script.last
            first.hear(tmp_path / "run")
            first.check_error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            await seen.until_rescan(Reason.RESTARTED)
            assert first.stopped

    asyncio.run(run())


def test_a_probe_that_cannot_be_made_is_told_and_restarts_nothing(tmp_path: Path, script: Script) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")

    async def run() -> None:
        async with watching(tmp_path, probe_dir=tmp_path / "run", mode="inotify", tick=0.01) as (watcher, _):
            async with asyncio.timeout(10):
                while watcher.status().problem is None:
                    await asyncio.sleep(0.005)
            status = watcher.status()
            assert status.problem is not None and "cannot be tested" in status.problem
            assert (status.restarts, status.healthy) == (0, True)
            (tmp_path / "run").unlink()
            script.last.hear(tmp_path / "run")
            async with asyncio.timeout(10):
                while watcher.status().problem is not None:
                    await asyncio.sleep(0.005)

    asyncio.run(run())


def test_a_suspend_asks_for_a_scan(tmp_path: Path) -> None:
    asleep = 100.0

    async def run() -> None:
        nonlocal asleep
        options = {"asleep": lambda: asleep, "tick": 0.02}
        async with watching(tmp_path, probe_dir=tmp_path / "run", **options) as (watcher, seen):
            assert await watcher.probe()
            assert not seen.rescans
            asleep += 60
            await seen.until_rescan(Reason.SUSPENDED)
            assert seen.rescans == [Reason.SUSPENDED]

    asyncio.run(run())


def test_the_clock_of_suspends_stands_while_awake() -> None:
    assert abs(platform.seconds_asleep() - platform.seconds_asleep()) < 1


def test_a_burst_asks_for_one_scan(tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BURST_SECONDS", 1000.0)

    async def run() -> None:
        async with watching(tmp_path, probe_dir=tmp_path / "run", mode="inotify") as (watcher, seen):
            for batch in range(5):
                script.last.sink.paths({f"/logs/{batch}-{number}.jsonl" for number in range(1000)})
            assert seen.rescans == [Reason.BURST]
            assert len(seen.paths) == watcher.status().events == 5000

    asyncio.run(run())


def test_a_receiver_that_fails_costs_a_scan_and_not_the_watcher(tmp_path: Path, script: Script) -> None:
    rescans: list[str] = []

    def refuse(_: set[str]) -> None:
        raise RuntimeError("no")

    async def run() -> None:
        watcher = watch.Watcher(
            [tmp_path], refuse, rescans.append, accept=lambda _: True, probe_dir=tmp_path / "run", mode="inotify"
        )
        await watcher.start()
        script.last.sink.paths({"/logs/a.jsonl"})
        assert rescans == [Reason.UNDELIVERED]
        assert watcher.status().restarts == 0
        await watcher.stop()

    asyncio.run(run())


def watched(tmp_path: Path, *names: str) -> list[str]:
    """The roots that a backend is given for these: the folder of the probe comes first."""
    return [str(tmp_path / name) for name in ("run", *names)]


def test_other_roots_reach_the_backend_in_their_order(tmp_path: Path, script: Script) -> None:
    async def run() -> None:
        async with watching(tmp_path / "a", probe_dir=tmp_path / "run", mode="inotify") as (watcher, seen):
            assert script.last.roots == watched(tmp_path, "a")
            await watcher.set_roots([tmp_path / "b", tmp_path / "c" / ".." / "a", tmp_path / "b"])
            assert script.last.roots == watched(tmp_path, "b", "a")
            script.last.sink.failed(RuntimeError("broken"))
            await seen.until_rescan(Reason.RESTARTED)
            assert len(script.made) == 2
            assert script.last.roots == watched(tmp_path, "b", "a")

    asyncio.run(run())


def test_roots_that_change_while_a_backend_starts_are_watched_when_it_has(tmp_path: Path, script: Script) -> None:
    async def run() -> None:
        gate = asyncio.Event()
        script.steps = [Scripted, lambda sink: Scripted(sink, gate=gate)]
        async with watching(tmp_path / "a", probe_dir=tmp_path / "run", mode="inotify") as (watcher, seen):
            script.last.sink.failed(RuntimeError("broken"))
            async with asyncio.timeout(10):
                while len(script.made) < 2:
                    await asyncio.sleep(0.001)
            await watcher.set_roots([tmp_path / "b"])
            assert script.last.roots == watched(tmp_path, "a")
            assert not seen.rescans
            gate.set()
            await seen.until_rescan(Reason.RESTARTED)
            assert script.last.roots == watched(tmp_path, "b")
            assert watcher.status().restarts == 1

    asyncio.run(run())


def test_a_backend_that_cannot_take_other_roots_is_replaced(tmp_path: Path, script: Script) -> None:
    async def run() -> None:
        async with watching(tmp_path / "a", probe_dir=tmp_path / "run", mode="inotify") as (watcher, seen):
            first = script.last
            first.roots_error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            await watcher.set_roots([tmp_path / "b"])
            await seen.until_rescan(Reason.RESTARTED)
            assert first.stopped
            assert script.last.roots == watched(tmp_path, "b")

    asyncio.run(run())


def test_roots_may_be_set_before_the_start_and_after_the_stop(tmp_path: Path, script: Script) -> None:
    async def run() -> None:
        recorder = Recorder()
        watcher = watch.Watcher(
            [], recorder.on_paths, recorder.on_rescan, accept=is_log, probe_dir=tmp_path / "run", mode="inotify"
        )
        await watcher.set_roots([tmp_path / "a"])
        await watcher.start()
        assert script.last.roots == watched(tmp_path, "a")
        await watcher.stop()
        await watcher.set_roots([tmp_path / "b"])
        assert len(script.made) == 1
        assert script.last.roots == watched(tmp_path, "a")

    asyncio.run(run())


def test_stop_during_the_pause_after_a_failure_returns(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", 1000.0)

    async def run() -> None:
        async with watching(tmp_path, probe_dir=tmp_path / "run", mode="inotify") as (watcher, _):
            script.last.sink.failed(RuntimeError("broken"))
            async with asyncio.timeout(10):
                while watcher.status().healthy:
                    await asyncio.sleep(0)
            assert not await watcher.probe()

    asyncio.run(run())
