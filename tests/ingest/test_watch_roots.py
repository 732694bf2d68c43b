"""Which folders are watched: those that are to be entered, below roots that come and go while the watcher runs."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import shutil
from pathlib import Path

import pytest

from ccdashd.ingest.scan import FileStat, scan
from ccdashd.ingest.watch import Watcher
from ccdashd.ingest.watching import inotify, polling
from ccdashd.ingest.watching.backend import Reason
from ccdashd.ingest.watching.inotify_fd import Event, Inotify
from ccdashd.settings import WatchMode
from tests.ingest.watch_recorder import is_log, kernel_watches, linux, watches_of, watching


@pytest.fixture
def probe_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


class Projects:
    """Folders `<base>/<project>`; of each, `docs` and `plans` are to be entered with all that is below them."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def enters(self, folder: str) -> bool:
        steps = Path(folder).relative_to(self.base).parts
        return len(steps) > 1 and steps[1] in ("docs", "plans")

    def make(self, name: str, *files: str) -> Path:
        project = self.base / name
        project.mkdir()
        for file in files:
            touch(project / file)
        return project


@pytest.fixture
def projects(tmp_path: Path) -> Projects:
    base = tmp_path / "code"
    base.mkdir()
    return Projects(base)


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_only_entered_folders_are_watched_and_the_root_itself(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        root = projects.make("a", "docs/deep/x.jsonl", "src/x.jsonl")
        async with watching(root, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (watcher, seen):
            touch(root / "src" / "not-ours.jsonl")
            touch(root / "src" / "new" / "not-ours.jsonl")
            touch(root / "lib" / "not-ours.jsonl")
            files = {str(touch(root / "top.jsonl")), str(touch(root / "docs" / "deep" / "y.jsonl"))}
            assert await watcher.probe()
            assert seen.paths == files
            assert not seen.rescans

    asyncio.run(run())


def test_a_folder_to_be_entered_that_is_made_later_is_watched(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        root = projects.make("a")
        async with watching(root, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (_, seen):
            for name in ("docs/x.jsonl", "docs/deep/er/x.jsonl", "plans/x.jsonl"):
                file = touch(root / name)
                await seen.until_seen(file)
                file.write_text("more")
                await seen.until_seen(file)

    asyncio.run(run())


def test_a_folder_is_watched_under_a_name_that_is_entered_alone(
    projects: Projects, probe_dir: Path, mode: WatchMode
) -> None:
    async def run() -> None:
        root = projects.make("a", "tmp/deep/x.jsonl")
        async with watching(root, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (watcher, seen):
            (root / "tmp").rename(root / "docs")
            inside = root / "docs" / "deep" / "x.jsonl"
            await seen.until_seen(inside)
            inside.write_text("more")
            await seen.until_seen(inside)

            (root / "docs").rename(root / "old")
            assert await watcher.probe()
            seen.clear()
            touch(root / "old" / "deep" / "y.jsonl")
            assert await watcher.probe()
            assert not seen.paths

    asyncio.run(run())


def test_what_goes_on_in_other_folders_is_not_told(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        root = projects.make("a", "docs/x.jsonl")
        async with watching(root, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (watcher, seen):
            before = watcher.status()
            for turn in range(50):
                for name in ("node_modules/a/b/c.jsonl", ".git/objects/ab/d.jsonl"):
                    touch(root / name)
                (root / "node_modules").rename(root / f"old-{turn}")
                shutil.rmtree(root / ".git")
            assert await watcher.probe()
            assert watcher.status() == before
            assert not seen.paths
            assert not seen.rescans

    asyncio.run(run())


@linux
def test_what_goes_on_in_other_folders_costs_no_watch_and_no_event(
    projects: Projects, probe_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str | None] = []
    read = Inotify.read

    def recorded(self: Inotify) -> list[Event]:
        events = read(self)
        names.extend(name for _, _, name in events)
        return events

    monkeypatch.setattr(Inotify, "read", recorded)

    async def run() -> None:
        root = projects.make("a", "docs/x.jsonl", ".git/objects/x", "node_modules/x/y.jsonl")
        async with watching(root, probe_dir=probe_dir, enters=projects.enters) as (watcher, _):
            before = kernel_watches(watcher)
            assert before == len([root, root / "docs", root.parent, probe_dir, probe_dir.parent])
            for number in range(100):
                touch(root / "node_modules" / "x" / str(number) / "y.jsonl")
                touch(root / ".git" / "objects" / str(number)).write_text("x")
            assert await watcher.probe()
            assert names
            assert all(name is not None and name.startswith("cookie-") for name in names)
            assert kernel_watches(watcher) == before

    asyncio.run(run())


def test_roots_within_each_other_are_watched_each_for_itself(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        outer = projects.make("a", "docs/x.jsonl", "src/lib/x.jsonl")
        inner = outer / "src" / "lib"
        async with watching(inner, outer, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (watcher, seen):
            touch(outer / "src" / "not-ours.jsonl")
            files = {str(touch(folder / "y.jsonl")) for folder in (inner, outer / "docs", outer)}
            assert await watcher.probe()
            assert seen.paths == files
            await watcher.set_roots([inner])
            seen.clear()
            touch(outer / "docs" / "z.jsonl")
            await seen.until_seen(touch(inner / "z.jsonl"))
            assert await watcher.probe()
            assert not seen.paths
            await watcher.set_roots([outer])
            seen.clear()
            touch(inner / "0.jsonl")
            await seen.until_seen(touch(outer / "docs" / "0.jsonl"))
            assert await watcher.probe()
            assert not seen.paths

    asyncio.run(run())


def test_roots_come_and_go(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        one, two = projects.make("a", "docs/x.jsonl"), projects.make("b", "docs/deep/x.jsonl")
        async with watching(one, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (watcher, seen):
            for _ in range(3):
                await watcher.set_roots([one, two])
                files = [one / "docs" / "x.jsonl", two / "docs" / "deep" / "x.jsonl", two / "docs" / "new" / "x.jsonl"]
                for file in files:
                    touch(file).write_text("more")
                await seen.until_seen(*files)

                await watcher.set_roots([one])
                seen.clear()
                touch(two / "docs" / "deep" / "x.jsonl").write_text("not ours")
                shutil.rmtree(two / "docs" / "new")
                (one / "docs" / "x.jsonl").write_text("ours")
                await seen.until_seen(one / "docs" / "x.jsonl")
                assert await watcher.probe()
                assert not seen.paths

    asyncio.run(run())


def test_files_of_a_new_root_are_not_reported_for_being_there(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        one, two = projects.make("a"), projects.make("b", "x.jsonl", "docs/deep/x.jsonl")
        async with watching(one, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (watcher, seen):
            await watcher.set_roots([one, two])
            assert await watcher.probe()
            assert not seen.paths
            assert watcher.status().restarts == 0

    asyncio.run(run())


def test_a_new_root_may_be_missing_or_a_link(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        missing, real, link = projects.base / "b", projects.make("real"), projects.base / "link"
        link.symlink_to(real)
        async with watching(probe_dir=probe_dir, mode=mode, enters=projects.enters, tick=0.05) as (watcher, seen):
            await watcher.set_roots([missing, link])
            await seen.until_seen(touch(link / "docs" / "x.jsonl"))
            file = touch(missing / "docs" / "x.jsonl")
            await seen.until_seen(file, instead=Reason.ROOT_APPEARED)
            file.write_text("more")
            await seen.until_seen(file)

    asyncio.run(run())


def test_the_same_roots_again_cost_nothing(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        one, two = projects.make("a", "docs/x.jsonl"), projects.make("b")
        async with watching(one, two, probe_dir=probe_dir, mode=mode, enters=projects.enters) as (watcher, seen):
            backend, tasks = watcher._backend, asyncio.all_tasks()
            asked = 0

            def ask(folder: str) -> bool:
                nonlocal asked
                asked += 1
                return projects.enters(folder)

            backend._enters = ask  # type: ignore[union-attr]
            await watcher.set_roots([two, one, two])
            if mode != "polling":
                assert asked == 0
            assert watcher._backend is backend
            assert asyncio.all_tasks() == tasks
            assert not seen.paths
            assert not seen.rescans

    asyncio.run(run())


def test_no_change_is_lost_while_roots_come_and_go(projects: Projects, probe_dir: Path, mode: WatchMode) -> None:
    """A receiver that looks at what it is told of, and scans new roots, ends up with what is there."""
    roots = [
        projects.make(name, *(f"{folder}/{number}.jsonl" for folder in ("docs", "docs/in", "src") for number in range(3)))
        for name in ("a", "b", "c")
    ]
    known: dict[str, FileStat] = {}
    current = roots[:1]

    def look(paths: set[str]) -> None:
        for path in paths:
            known.pop(path, None)
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(path)
                known[path] = FileStat(path, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)

    def rescan(_reason: str) -> None:
        known.clear()
        known.update(now(current))

    def now(roots: list[Path]) -> dict[str, FileStat]:
        return {file.path: file for file in scan(roots, is_log, enters=projects.enters)}

    def change() -> None:
        choose = random.Random(7)
        # watchfiles misses what happens in a folder that was made just now: the scan every few minutes finds it.
        new = [] if mode == "watchfiles" else [f"docs/{number}" for number in range(4)]
        for _ in range(600):
            folder = choose.choice(roots) / choose.choice(["", "docs", "docs/in", "src", *new])
            file = folder / f"{choose.randrange(4)}.jsonl"
            what = choose.randrange(8)
            if what == 0:
                file.unlink(missing_ok=True)
            elif what == 1 and folder.name.isdecimal():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                touch(file).write_text("x" * choose.randrange(100))

    async def run() -> None:
        nonlocal current
        watcher = Watcher(roots[:1], look, rescan, accept=is_log, enters=projects.enters, probe_dir=probe_dir, mode=mode)
        await watcher.start()
        known.update(now(current))
        choose = random.Random(8)
        changing = asyncio.create_task(asyncio.to_thread(change))
        turns = 0
        while not changing.done() or turns < 3:
            turns += 1
            before, current = current, [roots[0], *choose.sample(roots[1:], choose.randrange(3))]
            await watcher.set_roots(current)
            known.update(now([root for root in current if root not in before]))
            for path in [path for path in known if not any(Path(path).is_relative_to(root) for root in current)]:
                del known[path]
            await asyncio.sleep(0)
        await changing
        assert await watcher.probe()
        assert known == now(current)
        assert watcher.status().restarts == 0
        await watcher.stop()

    asyncio.run(run())


@linux
def test_a_folder_that_stays_keeps_its_watch_when_its_root_goes(projects: Projects, probe_dir: Path) -> None:
    async def run() -> None:
        outer = projects.make("a", "docs/in/deep/x.jsonl")
        inner = outer / "docs" / "in"
        async with watching(outer, probe_dir=probe_dir, enters=projects.enters) as (watcher, seen):
            before = kernel_watches(watcher)
            for roots in ([outer, inner], [outer], [inner, outer], [outer]):
                # These are in the queue of the kernel while the roots change.
                file = inner / "deep" / "x.jsonl"
                file.unlink()
                await watcher.set_roots(roots)
                await seen.until_seen(file)
                await seen.until_seen(touch(file))
                assert watcher.status().directories == 5
                assert kernel_watches(watcher) == before
            assert not seen.rescans

    asyncio.run(run())


@linux
def test_a_root_below_a_folder_that_moves_is_found_again(projects: Projects, probe_dir: Path) -> None:
    async def run() -> None:
        outer = projects.make("a", "src/lib/x.jsonl")
        inner = outer / "src" / "lib"
        async with watching(outer, inner, probe_dir=probe_dir, enters=projects.enters) as (watcher, seen):
            for moved in (outer / "src", outer):
                moved.rename(projects.base / f"old-{moved.name}")
                await seen.until_rescan(Reason.ROOT_VANISHED)
                file = touch(inner / "y.jsonl")
                await seen.until_rescan(Reason.ROOT_APPEARED)
                assert await watcher.probe()
                seen.clear()
                file.write_text("more")
                await seen.until_seen(file)
                assert watcher.status().directories == 3

    asyncio.run(run())


@linux
def test_a_root_that_is_replaced_brings_back_those_below_it(projects: Projects, probe_dir: Path) -> None:
    async def run() -> None:
        outer = projects.make("a", "src/lib/x.jsonl")
        other = projects.make("b", "src/lib/x.jsonl")
        inner = outer / "src" / "lib"
        async with watching(outer, inner, probe_dir=probe_dir, enters=projects.enters) as (watcher, seen):
            # Both are seen at once, so that the root is never missing.
            outer.rename(projects.base / "old")
            other.rename(outer)
            await seen.until_rescan(Reason.ROOT_APPEARED)
            await seen.until_seen(touch(inner / "y.jsonl"))
            assert watcher.status().directories == 3

    asyncio.run(run())


@linux
def test_a_root_that_goes_while_it_is_walked_leaves_no_watch(
    projects: Projects, probe_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inotify, "SLICE_SECONDS", 0.0001)

    async def run() -> None:
        root = projects.make("a", *(f"docs/{number}/x.jsonl" for number in range(300)))
        later = projects.make("b")
        async with watching(probe_dir=probe_dir, enters=projects.enters) as (watcher, seen):
            before = kernel_watches(watcher)
            coming = asyncio.create_task(watcher.set_roots([root, later]))
            async with asyncio.timeout(10):
                while watcher.status().directories < 10:
                    await asyncio.sleep(0)
            assert not coming.done()
            await watcher.set_roots([])
            assert coming.done()
            assert watcher.status().directories == 1
            assert kernel_watches(watcher) == before
            assert not seen.paths

    asyncio.run(run())


@linux
def test_a_cancelled_change_of_roots_is_completed_by_the_next(
    projects: Projects, probe_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inotify, "SLICE_SECONDS", 0.0001)

    async def run() -> None:
        root = projects.make("a", *(f"docs/{number}/x.jsonl" for number in range(300)))
        async with watching(probe_dir=probe_dir, enters=projects.enters) as (watcher, _):
            coming = asyncio.create_task(watcher.set_roots([root]))
            await asyncio.sleep(0)
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            assert watcher.status().directories < 303
            await watcher.set_roots([root])
            assert watcher.status().directories == 303

    asyncio.run(run())


@linux
def test_one_root_among_many_costs_what_it_has(
    projects: Projects, probe_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [projects.make(str(number), "docs/in/x.jsonl", "src/x.jsonl") for number in range(500)]
    calls = 0
    add = Inotify.add

    def counted(self: Inotify, path: str, mask: int) -> int:
        nonlocal calls
        calls += 1
        return add(self, path, mask)

    async def run() -> None:
        nonlocal calls
        async with watching(many[0], probe_dir=probe_dir, enters=projects.enters) as (watcher, seen):
            await watcher.set_roots(many)
            assert watcher.status().directories == 3 * len(many) + 1
            await watcher.set_roots(many[1:])
            monkeypatch.setattr(Inotify, "add", counted)
            await watcher.set_roots(many)
            # Its three folders and its guard.
            assert calls == 4
            assert kernel_watches(watcher) == 3 * len(many) + 3
            file = many[250] / "docs" / "in" / "x.jsonl"
            file.write_text("more")
            await seen.until_seen(file)
            assert not seen.rescans

    asyncio.run(run())


@linux
def test_watches_that_run_short_go_to_the_first_roots(
    projects: Projects, probe_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(polling, "BUSY_SHARE", 1.0)
    add, left = Inotify.add, [30]

    def limited(self: Inotify, path: str, mask: int) -> int:
        before = watches_of(self)
        wd = add(self, path, mask)
        if watches_of(self) > max(before, left[0]):
            self.remove(wd)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return wd

    def enters(folder: str) -> bool:
        return Path(folder).is_relative_to(logs) or projects.enters(folder)

    logs = tmp_path / "logs"
    logs.mkdir()
    code = [projects.make(str(number), "docs/a/x.jsonl", "docs/b/x.jsonl") for number in range(20)]

    async def run() -> None:
        monkeypatch.setattr(Inotify, "add", limited)
        async with watching(logs, *code, probe_dir=probe_dir, enters=enters, tick=3600) as (watcher, seen):
            problem = watcher.status().problem
            assert problem is not None and "fs.inotify.max_user_watches" in problem
            # One after the other loses its watches to the new folders of the first.
            new = [touch(logs / str(number) / "x.jsonl") for number in range(20)]
            await seen.until_seen(*new)
            backend = watcher._backend
            assert isinstance(backend, inotify.InotifyBackend)
            assert all(str(file.parent) in backend._tree for file in new)
            assert str(code[1]) not in backend._tree
            assert kernel_watches(watcher) <= left[0]
            await seen.until_rescan(Reason.LIMITED)
            # What is polled is told too, what is gone from it as well.
            files = [project / "docs" / "b" / "x.jsonl" for project in code]
            for file in files:
                file.unlink()
            await seen.until_seen(*files)
            assert watcher.status().restarts == 0

            left[0] = 1000
            await backend.check()
            async with asyncio.timeout(10):
                while watcher.status().directories < 1 + 21 + 4 * len(code):
                    await asyncio.sleep(0.001)
            assert watcher.status().problem is None
            seen.clear()
            await seen.until_seen(touch(code[19] / "docs" / "a" / "new.jsonl"))
            assert await watcher.probe()
            assert seen.paths == set()

    asyncio.run(run())


@linux
def test_a_remote_root_that_comes_is_polled_before_the_call_returns(
    projects: Projects, probe_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "INTERVAL_SECONDS", 0.02)
    root = projects.make("a", "docs/x.jsonl")
    monkeypatch.setattr(inotify, "is_remote", lambda path: path == str(root))

    async def run() -> None:
        async with watching(root.parent, probe_dir=probe_dir) as (watcher, seen):
            await watcher.set_roots([root])
            assert watcher.status().directories == 1
            (root / "docs" / "x.jsonl").unlink()
            await seen.until_seen(root / "docs" / "x.jsonl")
            await watcher.set_roots([])
            seen.clear()
            touch(root / "docs" / "x.jsonl")
            assert await watcher.probe()
            assert not seen.paths

    asyncio.run(run())


@linux
def test_a_walk_of_new_roots_lets_the_loop_run(
    projects: Projects, probe_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inotify, "SLICE_SECONDS", 0.0001)
    many = [projects.make(str(number), "docs/x.jsonl") for number in range(100)]
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def run() -> None:
        async with watching(probe_dir=probe_dir, enters=projects.enters) as (watcher, _):
            counting = asyncio.create_task(count())
            await watcher.set_roots(many)
            assert turns > 20
            assert watcher.status().directories == 2 * len(many) + 1
            counting.cancel()

    asyncio.run(run())
