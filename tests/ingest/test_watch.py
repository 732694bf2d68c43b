"""What every backend must do, on real folders."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from ccdashd.ingest.watching.backend import Reason
from ccdashd.settings import WatchMode
from tests.ingest.watch_recorder import watching


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "logs"
    (root / "project").mkdir(parents=True)
    (root / "project" / "old.jsonl").write_text("{}\n")
    return root


@pytest.fixture
def probe_dir(tmp_path: Path) -> Path:
    return tmp_path / "run" / "watch"


def test_appends_to_a_file_that_stays_open_are_seen(root: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        log = root / "project" / "old.jsonl"
        async with watching(root, probe_dir=probe_dir, mode=mode) as (_, seen):
            with log.open("a") as file:
                for _ in range(3):
                    file.write("{}\n")
                    file.flush()
                    await seen.until_seen(log)

    asyncio.run(run())


def test_files_that_come_go_and_move_are_seen(root: Path, probe_dir: Path, mode: WatchMode, tmp_path: Path) -> None:
    async def run() -> None:
        one, two, outside = root / "one.jsonl", root / "project" / "two.jsonl", tmp_path / "outside.jsonl"
        async with watching(root, probe_dir=probe_dir, mode=mode) as (_, seen):
            one.touch()
            await seen.until_seen(one)
            one.rename(two)
            await seen.until_seen(one, two)
            two.rename(outside)
            await seen.until_seen(two)
            outside.rename(one)
            await seen.until_seen(one)
            one.unlink()
            await seen.until_seen(one)
            one.write_text("again")
            await seen.until_seen(one)

    asyncio.run(run())


def test_a_folder_moved_in_brings_its_files(root: Path, probe_dir: Path, mode: WatchMode, tmp_path: Path) -> None:
    async def run() -> None:
        outside = tmp_path / "outside"
        (outside / "deep").mkdir(parents=True)
        (outside / "deep" / "log.jsonl").touch()
        async with watching(root, probe_dir=probe_dir, mode=mode) as (_, seen):
            outside.rename(root / "inside")
            await seen.until_seen(root / "inside" / "deep" / "log.jsonl")

    asyncio.run(run())


def test_a_file_replaced_by_rename_again_and_again_is_seen_each_time(root: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        log = root / "project" / "old.jsonl"
        async with watching(root, probe_dir=probe_dir, mode=mode) as (_, seen):
            for turn in range(3):
                fresh = root / "project" / "fresh.tmp"
                fresh.write_text(f"{turn}\n")
                fresh.replace(log)
                await seen.until_seen(log)

    asyncio.run(run())


def test_only_accepted_files_are_reported_and_no_scan_is_asked_for(root: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir, mode=mode) as (watcher, seen):
            (root / "notes.txt").touch()
            (root / "log.jsonl").touch()
            assert await watcher.probe()
            assert seen.paths == {str(root / "log.jsonl")}
            assert seen.rescans == []
            status = watcher.status()
            assert (status.mode, status.healthy, status.problem) == (mode, True, None)
            assert status.events >= 1
            assert status.restarts == 0

    asyncio.run(run())


def test_the_probe_leaves_no_file_behind(root: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        before = sorted(root.rglob("*"))
        async with watching(root, probe_dir=probe_dir, mode=mode) as (watcher, _):
            assert await watcher.probe()
            assert await watcher.probe()
        assert sorted(root.rglob("*")) == before
        assert list(probe_dir.iterdir()) == []

    asyncio.run(run())


def test_a_root_that_appears_later_is_watched(tmp_path: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        root = tmp_path / "home" / ".agent" / "logs"
        async with watching(root, probe_dir=probe_dir, mode=mode, tick=0.05) as (_, seen):
            (root / "project").mkdir(parents=True)
            log = root / "project" / "new.jsonl"
            log.touch()
            await seen.until_seen(log, instead=Reason.ROOT_APPEARED)
            log.write_text("more")
            await seen.until_seen(log)

    asyncio.run(run())


def test_a_root_that_is_deleted_and_made_again_is_watched_again(root: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir, mode=mode, tick=0.05) as (_, seen):
            for turn in range(3):
                gone = list(root.rglob("*.jsonl"))
                shutil.rmtree(root)
                await seen.until_seen(*gone, instead=Reason.ROOT_VANISHED)
                seen.clear()
                root.mkdir()
                log = root / f"{turn}.jsonl"
                log.touch()
                await seen.until_seen(log, instead=Reason.ROOT_APPEARED)
                log.write_text("more")
                await seen.until_seen(log)

    asyncio.run(run())


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system takes no such names")
def test_a_name_that_is_not_utf8_is_survived(root: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        odd = os.path.join(os.fsencode(root), b"\xff\xfe.jsonl")
        async with watching(root, probe_dir=probe_dir, mode=mode) as (_, seen):
            with open(odd, "wb") as file:
                file.write(b"{}\n")
            # watchfiles cannot name it: it is replaced, and a scan asked for.
            await seen.until_seen(Path(os.fsdecode(odd)), instead=Reason.RESTARTED)
            after = root / "after.jsonl"
            after.touch()
            await seen.until_seen(after)

    asyncio.run(run())


def test_a_root_may_be_a_link_but_links_below_it_are_not_followed(
    root: Path, probe_dir: Path, mode: WatchMode, tmp_path: Path
) -> None:
    async def run() -> None:
        link = tmp_path / "link"
        link.symlink_to(root)
        (root / "loop").symlink_to(root)
        log = link / "project" / "new.jsonl"
        async with watching(link, probe_dir=probe_dir, mode=mode) as (watcher, seen):
            log.touch()
            await seen.until_seen(log)
            assert await watcher.probe()
            assert not any("loop" in path for path in seen.paths)

    asyncio.run(run())


def held() -> dict[str, int]:
    return {"threads": threading.active_count(), "files": len(os.listdir("/dev/fd"))}


def leftover(before: dict[str, int]) -> dict[str, int]:
    """What this process holds more of than `before`."""
    return {what: count - before[what] for what, count in held().items() if count > before[what]}


def test_nothing_is_left_after_stop(root: Path, probe_dir: Path, mode: WatchMode) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir, mode=mode) as (watcher, seen):
            assert await watcher.probe()
            during = len(asyncio.all_tasks())
        assert during > len(asyncio.all_tasks()) == 1
        seen.clear()
        (root / "late.jsonl").touch()
        await asyncio.sleep(0)
        assert not seen.paths

    before = held()
    asyncio.run(run())
    # Threads of watchfiles end a little later, as may those of an earlier test.
    deadline = time.monotonic() + 20
    while leftover(before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not leftover(before)


def test_off_watches_nothing(root: Path, probe_dir: Path) -> None:
    async def run() -> None:
        async with watching(root, probe_dir=probe_dir, mode="off") as (watcher, _):
            assert await watcher.probe()
            status = watcher.status()
            assert (status.mode, status.directories, status.healthy) == ("off", 0, True)
        assert not probe_dir.exists()

    asyncio.run(run())
