"""What inotify(7) leaves to its user."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
from pathlib import Path

import pytest

from ccdashd.ingest.watching import inotify, polling
from ccdashd.ingest.watching.backend import Reason
from ccdashd.ingest.watching.inotify_fd import Inotify
from tests.ingest.watch_recorder import kernel_watches, watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is of Linux")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "logs"
    root.mkdir()
    return root


@pytest.fixture
def probe_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


def overflow(root: Path) -> None:
    """Make more events than the queue holds, while nobody reads it."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    names = [os.path.join(root, name) for name in ("a.tmp", "b.tmp")]
    for _ in range(limit // len(names)):
        for name in names:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        for name in names:
            os.unlink(name)


def test_a_file_written_at_once_in_a_new_folder_is_never_lost(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            files = [root / str(turn) / "a" / "b" / "c.jsonl" for turn in range(200)]
            for file in files:
                await asyncio.to_thread(make, file)
            await seen.until_seen(*files)
            assert watcher.status().directories == 3 * 200 + 2

    def make(file: Path) -> None:
        file.parent.mkdir(parents=True)
        file.touch()

    asyncio.run(run())


def test_an_overflow_asks_for_a_scan_and_new_folders_are_found(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            (root / "doomed").mkdir()
            assert await watcher.probe()
            overflow(root)
            # The events of these are lost.
            log = root / "new" / "deep" / "log.jsonl"
            log.parent.mkdir(parents=True)
            log.touch()
            (root / "doomed").rmdir()
            await seen.until_rescan(Reason.OVERFLOW)
            await seen.until_seen(log)
            log.write_text("more")
            await seen.until_seen(log)
            status = watcher.status()
            assert status.overflows == 1
            assert status.directories == 4
            assert status.healthy

    asyncio.run(run())


def test_a_moved_folder_is_followed(root: Path, probe_dir: Path, tmp_path: Path) -> None:
    async def run() -> None:
        inner = root / "a" / "inner"
        inner.mkdir(parents=True)
        (inner / "log.jsonl").touch()
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            (root / "a").rename(root / "b")
            await seen.until_rescan(Reason.DIRECTORY_MOVED)
            moved = root / "b" / "inner" / "log.jsonl"
            await seen.until_seen(moved)
            moved.write_text("more")
            await seen.until_seen(moved)

            seen.clear()
            (root / "b").rename(tmp_path / "outside")
            await seen.until_rescan(Reason.DIRECTORY_MOVED)
            (tmp_path / "outside" / "inner" / "log.jsonl").write_text("not ours")
            assert await watcher.probe()
            assert not seen.paths
            assert watcher.status().directories == 2
            # The guard of both roots is the third.
            assert kernel_watches(watcher) == 3

            (tmp_path / "outside").rename(root / "c")
            await seen.until_seen(root / "c" / "inner" / "log.jsonl")

    asyncio.run(run())


def test_a_folder_deleted_and_made_again_is_watched(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        log = root / "a" / "log.jsonl"
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            for _ in range(20):
                log.parent.mkdir()
                log.touch()
                shutil.rmtree(log.parent)
            log.parent.mkdir()
            assert await watcher.probe()
            seen.clear()
            log.touch()
            await seen.until_seen(log)
            assert watcher.status().directories == 3

    asyncio.run(run())


def test_a_deleted_folder_that_is_still_open_is_not_watched(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        (root / "a").mkdir()
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            # The kernel keeps the watch for as long as somebody has the folder open.
            held = os.open(root / "a", os.O_RDONLY)
            (root / "a").rmdir()
            assert await watcher.probe()
            assert watcher.status().directories == 2
            (root / "a").mkdir()
            (root / "a" / "log.jsonl").touch()
            await seen.until_seen(root / "a" / "log.jsonl")
            os.close(held)

    asyncio.run(run())


def test_a_missing_root_is_found_after_the_folders_above_it_were_deleted(probe_dir: Path, tmp_path: Path) -> None:
    async def run() -> None:
        root = tmp_path / "a" / "b" / "logs"
        root.parent.mkdir(parents=True)
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            shutil.rmtree(tmp_path / "a")
            assert await watcher.probe()
            root.mkdir(parents=True)
            await seen.until_rescan(Reason.ROOT_APPEARED)
            (root / "log.jsonl").touch()
            await seen.until_seen(root / "log.jsonl")

    asyncio.run(run())


def test_a_root_that_appears_in_another_leaves_that_watched(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        # Its guard is first `a`, then `c`: both are watched on their own account too.
        outer, inner = root / "a", root / "a" / "b" / "c" / "logs"
        outer.mkdir()
        async with watching(root, inner, probe_dir=probe_dir) as (_, seen):
            for turn in range(2):
                seen.clear()
                inner.mkdir(parents=True)
                await seen.until_rescan(Reason.ROOT_APPEARED)
                logs = [folder / f"{turn}.jsonl" for folder in (inner, inner.parent, outer, root)]
                for log in logs:
                    log.touch()
                await seen.until_seen(*logs)
                shutil.rmtree(outer / "b")
                await seen.until_rescan(Reason.ROOT_VANISHED)

    asyncio.run(run())


def test_a_watch_that_the_kernel_drops_is_set_again(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            backend = watcher._backend
            assert isinstance(backend, inotify.InotifyBackend)
            # As an unmount does.
            backend._inotify.remove(backend._inotify.add(str(root), inotify.TREE_MASK))
            await seen.until_rescan(Reason.ROOT_APPEARED)
            (root / "log.jsonl").touch()
            await seen.until_seen(root / "log.jsonl")

    asyncio.run(run())


def test_a_root_replaced_by_rename_is_watched_under_its_name(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            root.rename(root.with_name("old"))
            root.mkdir()
            await seen.until_rescan(Reason.ROOT_APPEARED)
            (root.with_name("old") / "not-ours.jsonl").touch()
            (root / "ours.jsonl").touch()
            await seen.until_seen(root / "ours.jsonl")
            assert await watcher.probe()
            assert not seen.paths

    asyncio.run(run())


def test_a_root_link_that_is_pointed_elsewhere_is_followed(root: Path, probe_dir: Path, tmp_path: Path) -> None:
    async def run() -> None:
        other, link = tmp_path / "other", tmp_path / "link"
        other.mkdir()
        link.symlink_to(root)
        async with watching(link, probe_dir=probe_dir) as (_, seen):
            fresh = tmp_path / "fresh"
            fresh.symlink_to(other)
            fresh.replace(link)
            await seen.until_rescan(Reason.ROOT_APPEARED)
            (other / "log.jsonl").touch()
            await seen.until_seen(link / "log.jsonl")

    asyncio.run(run())


def test_a_folder_above_a_root_that_is_replaced_unseen_is_found_by_the_check(probe_dir: Path, tmp_path: Path) -> None:
    async def run() -> None:
        root = tmp_path / "a" / "b" / "logs"
        root.mkdir(parents=True)
        async with watching(root, probe_dir=probe_dir, tick=0.05) as (_, seen):
            (tmp_path / "a").rename(tmp_path / "old")
            root.mkdir(parents=True)
            await seen.until_rescan(Reason.ROOT_APPEARED)
            (root / "log.jsonl").touch()
            await seen.until_seen(root / "log.jsonl")

    asyncio.run(run())


def test_roots_that_overlap_report_a_file_under_each_name(root: Path, probe_dir: Path, tmp_path: Path) -> None:
    async def run() -> None:
        inner, link = root / "inner", tmp_path / "link"
        inner.mkdir()
        link.symlink_to(inner)
        async with watching(root, inner, link, probe_dir=probe_dir) as (watcher, seen):
            (inner / "log.jsonl").touch()
            await seen.until_seen(inner / "log.jsonl", link / "log.jsonl")
            link.unlink()
            await seen.until_rescan(Reason.ROOT_VANISHED)
            (inner / "log.jsonl").write_text("more")
            await seen.until_seen(inner / "log.jsonl")
            assert await watcher.probe()
            assert not seen.paths

    asyncio.run(run())


def test_without_watches_left_the_rest_is_polled_until_there_are(
    root: Path, probe_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(polling, "BUSY_SHARE", 1.0)
    add, full = Inotify.add, [True]

    def limited(self: Inotify, path: str, mask: int) -> int:
        if full[0] and "deep" in path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return add(self, path, mask)

    async def run() -> None:
        deep = root / "deep" / "er"
        deep.mkdir(parents=True)
        (deep / "old.jsonl").touch()
        monkeypatch.setattr(Inotify, "add", limited)
        async with watching(root, probe_dir=probe_dir, tick=0.05) as (watcher, seen):
            status = watcher.status()
            assert (status.mode, status.directories) == ("inotify", 2)
            assert status.problem is not None and "fs.inotify.max_user_watches" in status.problem
            (deep / "log.jsonl").touch()
            await seen.until_seen(deep / "log.jsonl")
            assert str(deep / "old.jsonl") not in seen.paths
            full[0] = False
            async with asyncio.timeout(10):
                while watcher.status().directories < 4:
                    await asyncio.sleep(0.01)
            assert watcher.status().problem is None
            seen.clear()
            (deep / "log.jsonl").write_text("more")
            await seen.until_seen(deep / "log.jsonl")

    asyncio.run(run())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told_and_watched_when_it_may(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        closed = root / "closed"
        closed.mkdir(mode=0)
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            problem = watcher.status().problem
            assert problem is not None and str(closed) in problem
            (root / "log.jsonl").touch()
            await seen.until_seen(root / "log.jsonl")
            closed.chmod(0o700)
            (closed / "log.jsonl").touch()
            await seen.until_seen(closed / "log.jsonl")
            assert watcher.status().problem is None

    asyncio.run(run())


def test_a_root_on_a_network_file_system_is_polled(root: Path, probe_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(inotify, "is_remote", lambda path: path == str(root))

    async def run() -> None:
        async with watching(root, probe_dir=probe_dir, tick=0.05) as (watcher, seen):
            assert watcher.status().directories == 1
            (root / "log.jsonl").touch()
            await seen.until_seen(root / "log.jsonl")
            assert await watcher.probe()
            assert not seen.rescans

    asyncio.run(run())


def test_a_long_walk_lets_the_loop_run(root: Path, probe_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inotify, "SLICE_SECONDS", 0.0001)

    async def run() -> None:
        for number in range(500):
            (root / str(number)).mkdir()
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.create_task(count())
        async with watching(root, probe_dir=probe_dir) as (watcher, seen):
            assert turns > 5
            assert watcher.status().directories == 502
            (root / "499" / "log.jsonl").touch()
            await seen.until_seen(root / "499" / "log.jsonl")
        counting.cancel()

    asyncio.run(run())
