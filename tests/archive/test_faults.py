"""Full disks, kills at any moment, logs that change while they are copied: what is archived is whole, and it goes on."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccdashd import helper
from ccdashd.archive import staging
from ccdashd.archive.archive import Archive
from ccdashd.archive.chunks import Chunks
from ccdashd.archive.readme import NAME
from ccdashd.archive.worker import CopyJob, CopyStep, work
from ccdashd.helper import HelperFailed, answers
from tests.archive.world import Place, lines
from tests.helpers import file_system, wait_until

MODULE = "ccdashd.archive.worker"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def job(place: Place, *names: str, **more: Any) -> bytes:
    logs = [os.fsencode(place.log(name)) for name in names]
    return msgspec.msgpack.encode(CopyJob(os.fsencode(place.archive.folder), logs, **more))


def run(place: Place, *names: str, **more: Any) -> list[CopyStep]:
    return [msgspec.msgpack.decode(step, type=CopyStep) for step in work(job(place, *names, **more))]


def told(steps: list[CopyStep]) -> dict[str, str]:
    """The problems of a run, by the name of the log."""
    return {os.path.basename(os.fsdecode(path)): problem for step in steps for path, problem in step.problems}


def is_whole(archive: Archive) -> None:
    """Fails where a file has its final name and is not whole."""
    for file in archive.manifest_files():
        manifest = archive.load(file)
        assert manifest is not None
        for version in manifest.versions:
            assert sum(map(len, archive.stream(version))) == version.size
    for folder, _, names in os.walk(archive.folder):
        for name in names:
            assert name in ("lock", NAME) or name.endswith((".zst", ".json")), (folder, name)


class Killed(BaseException):
    """The process was killed here."""


def test_killed_at_any_moment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {name: lines(600_000, seed) for seed, name in enumerate("abc")}
    for name in data:
        place.write(name, data[name][:400_000])
    run(place, *data)
    for name in data:
        place.write(name, data[name] if name != "b" else data[name][1:])
    calls, moments = 0, 0
    while True:
        calls, moments = 0, moments + 1

        def dying(call: Any, moment: int = moments) -> Any:
            def called(*given: Any, **more: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls >= moment:
                    raise Killed  # this call, and none after it: a dead process does not tidy up
                return call(*given, **more)

            return called

        with monkeypatch.context() as patch:
            for name in ("write", "fsync", "rename", "unlink", "makedirs"):
                patch.setattr(staging.os, name, dying(getattr(os, name)))
            try:
                run(place, *data, sweep=True)
            except Killed:
                pass
            else:
                break
        for version in (m.newest for m in place.archive.manifests()):
            assert sum(map(len, place.archive.stream(version))) == version.size
    assert moments > 20
    is_whole(place.archive)
    assert place.held("a") == [data["a"]]
    assert place.held("b") == [data["b"][:400_000], data["b"][1:]]


def test_the_process_is_killed_and_another_goes_on(place: Place) -> None:
    names = [f"log{number}" for number in range(30)]
    for number, name in enumerate(names):
        place.write(name, lines(1_500_000, number % 3) + b"%d\n" % number)
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stderr is not None
    asked = job(place, *names)
    process.stdin.write(helper._LENGTH.pack(len(asked)) + asked)
    process.stdin.flush()
    wait_until(lambda: next(place.archive.manifest_files(), None), "the first manifest")
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    process.stdin.close()
    process.stderr.close()
    for manifest in place.archive.manifests():
        assert sum(map(len, place.archive.stream(manifest.newest))) == manifest.newest.size
    run(place, *names, sweep=True)
    is_whole(place.archive)
    assert len(list(place.archive.manifests())) == len(names)


@pytest.fixture
def small() -> Iterator[tuple[Place, Any]]:
    """A place on a file system of its own, of 8 MB, and what mounts that anew."""
    with tempfile.TemporaryDirectory() as folder:
        point = Path(folder) / "disk"
        with file_system(point, "8m") as remount:
            place = Place(point)
            place.logs = Path(folder)  # the logs lie elsewhere
            yield place, remount


async def _copied(place: Place, *names: str) -> list[CopyStep]:
    return [msgspec.msgpack.decode(step, type=CopyStep) async for step in answers(MODULE, job(place, *names))]


def test_a_full_disk_leaves_no_half_file_and_is_told(small: tuple[Place, Any]) -> None:
    place, remount = small
    names = [f"log{number}" for number in range(12)]
    for name in names:
        Path(place.log(name)).write_bytes(os.urandom(1_500_000) + b"\n")
    with pytest.raises(HelperFailed, match="the archive cannot be written: No space left on device"):
        asyncio.run(_copied(place, *names))
    is_whole(place.archive)
    remount("size=64m")
    asyncio.run(_copied(place, *names))
    assert len(list(place.archive.manifests())) == len(names)
    is_whole(place.archive)


def test_an_archive_that_may_not_be_written(small: tuple[Place, Any]) -> None:
    place, remount = small
    Path(place.log("a")).write_bytes(b"{}\n")
    asyncio.run(_copied(place, "a"))
    Path(place.log("b")).write_bytes(b"{}\n")
    remount("ro")
    with pytest.raises(HelperFailed, match="Read-only file system"):
        asyncio.run(_copied(place, "b"))
    remount("rw")
    assert asyncio.run(_copied(place, "a", "b"))[-1].problems == []
    assert place.held("b") == [b"{}\n"]


def test_what_cannot_be_copied_is_named_and_the_rest_copied(place: Place) -> None:
    place.write("a", b"{}\n")
    Path(place.log("folder")).mkdir()
    os.symlink(place.log("loop"), place.log("loop"))
    place.write("damaged", b"{}\n")
    run(place, "damaged")
    Path(place.archive.manifest_path(place.log("damaged"))).write_bytes(b"{")
    place.write("damaged", b"{}\n{}\n")
    steps = run(place, "missing", "folder", "loop", "damaged", "a")
    problems = told(steps)
    assert problems.keys() >= {"folder.jsonl", "loop.jsonl", "damaged.jsonl"}
    assert problems["loop.jsonl"] == os.strerror(errno.ELOOP)
    assert "missing.jsonl" not in problems
    assert place.held("a") == [b"{}\n"]
    assert steps[-1].done == 5


@pytest.mark.parametrize("change", ["append", "rewrite", "truncate", "replace", "delete"])
def test_a_log_that_changes_while_it_is_copied(place: Place, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    data = lines(5_000_000)
    path = Path(place.write("a", data))
    put = Chunks.put

    def meanwhile(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(Chunks, "put", put)
        if change == "append":
            with path.open("ab") as file:
                file.write(b"more\n")
        elif change == "rewrite":
            path.write_bytes(lines(5_100_000, seed=5))
        elif change == "truncate":
            os.truncate(path, 4_000_000)
        elif change == "replace":
            other = path.with_suffix(".new")
            other.write_bytes(b"{}\n")
            other.rename(path)
        else:
            path.unlink()
        return put(*given, **more)

    monkeypatch.setattr(Chunks, "put", meanwhile)
    problems = told(run(place, "a"))
    if change in ("rewrite", "truncate"):
        assert problems.keys() == {"a.jsonl"}
        assert place.held("a") == []
    else:
        assert problems == {}
        assert place.held("a") == [data]
    run(place, "a", sweep=True)
    now = [] if change == "delete" else [path.read_bytes()]
    assert place.held("a")[-1:] == (now or [data])
    assert len(place.held("a")) == (2 if change == "replace" else 1)
    is_whole(place.archive)


def test_a_second_process_waits_for_the_first(place: Place) -> None:
    place.write("a", b"{}\n")

    async def both() -> list[CopyStep]:
        with place.archive.writing():
            second = asyncio.create_task(_copied(place, "a"))
            done, _ = await asyncio.wait([second], timeout=0.3)
            assert not done
        return await second

    assert asyncio.run(both())[-1].problems == []
    assert place.held("a") == [b"{}\n"]


def test_nothing_more_is_copied_where_the_archive_is_as_large_as_it_may_be(place: Place) -> None:
    for name in "abcdef":
        place.write(name, os.urandom(100_000) + b"\n")
    steps = run(place, *"abcdef", max_bytes=350_000)
    assert steps[-1].full
    assert 2 <= sum(len(step.copied) for step in steps) <= 4
    assert place.archive.size() < 500_000
    assert run(place, *"abcdef", max_bytes=1_000_000)[-1].full is False
    assert len(list(place.archive.manifests())) == 6
