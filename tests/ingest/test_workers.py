"""Parse workers: what they read is what is read here; one that dies is replaced, and none outlives the daemon."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ccdashd.ingest.parse import read_log
from ccdashd.ingest.workers import Unreadable, WorkerDied, Workers, decode
from tests.helpers import Daemon, wait_until
from tests.ingest.world import PLACES, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "logs")
    for place in PLACES:
        world.append(place, ["prompt", "tool", "result", "broken", "summary", "unknown"] * 20)
    return world


def with_workers(count: int, test: Callable[[Workers], Awaitable[None]]) -> None:
    async def run() -> None:
        workers = Workers(count, 1000)
        try:
            await test(workers)
        finally:
            await workers.stop()

    asyncio.run(asyncio.wait_for(run(), 30))


def children(pid: int) -> list[int]:
    """Workers among the child processes."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline")
        if command.exists() and b"ccdashd.ingest.worker" in command.read_bytes():
            found.append(int(child))
    return found


def test_a_worker_reads_as_the_daemon_does(world: World) -> None:
    odd = os.fsencode(world.root) + b"/-home-a/n\xff\xe9.jsonl"
    Path(os.fsdecode(odd)).write_bytes(world.path(PLACES[0]).read_bytes())

    async def test(workers: Workers) -> None:
        paths = [*world.logs()]
        answers = await asyncio.gather(*(workers.parse(path) for path in paths[:2]))
        answers += [await workers.parse(path) for path in paths[2:]]
        assert os.fsdecode(odd) in paths
        for path, answer in zip(paths, answers, strict=True):
            result = decode(answer)
            expected = read_log(path, 1000)
            assert (result.stats, result.guard, result.parsed_to) == (expected.stats, expected.guard, expected.parsed_to)
            assert [list(row) for row in result.tool_calls] == [list(row) for row in expected.tool_calls]

    with_workers(2, test)


def test_a_log_that_cannot_be_read_leaves_the_worker_alive(world: World) -> None:
    async def test(workers: Workers) -> None:
        with pytest.raises(Unreadable, match="No such file"):
            await workers.parse(str(world.root / "none.jsonl"))
        (pid,) = children(os.getpid())
        assert decode(await workers.parse(str(world.path(PLACES[0])))).stats.records
        assert children(os.getpid()) == [pid]

    with_workers(1, test)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_a_worker_that_dies_is_replaced(world: World) -> None:
    async def test(workers: Workers) -> None:
        await workers.parse(str(world.path(PLACES[1])))
        (pid,) = children(os.getpid())
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="exit code -9"):
            await workers.parse(str(world.path(PLACES[0])))
        assert decode(await workers.parse(str(world.path(PLACES[0])))).stats.records
        assert children(os.getpid()) != [pid]

    with_workers(1, test)
    assert children(os.getpid()) == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_workers_end_with_a_daemon_that_is_killed(idle_daemon: Daemon) -> None:
    World(idle_daemon.home / ".claude/projects").flood(400)
    idle_daemon.start()
    pid = idle_daemon.process.pid
    workers = wait_until(lambda: children(pid), "a worker")
    idle_daemon.kill()
    wait_until(lambda: not any(_runs(worker) for worker in workers), "the end of the workers")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
