"""Many planning files at once: read in workers, written as one by one; what cannot be read, and what is not to be."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from ccdashd.ingest import plans
from ccdashd.ingest.workers import WorkerDied, Workers
from ccdashd.store.schema import documents
from tests.ingest.caches import Cache
from tests.ingest.plan_world import SHAPES, PlanWorld, document
from tests.ingest.tables import same


def with_cache(folder: Path, test: Callable[[Cache], Awaitable[None]], *, name: str = "c") -> None:
    async def run() -> None:
        cache = Cache(folder / name, folder / "logs")
        await cache.open()
        try:
            await test(cache)
        finally:
            await cache.close()

    asyncio.run(asyncio.wait_for(run(), 50))


@pytest.fixture
def world(tmp_path: Path) -> PlanWorld:
    world = PlanWorld(tmp_path)
    world.work(0, "mention", "docs/p001.md")
    return world


def fill(world: PlanWorld, number: int) -> list[Path]:
    paths = [world.path(f"docs/p{n:03}.md") for n in range(number)]
    for n, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(document(f"docs/{path.name}", SHAPES[n % len(SHAPES)], Random(n)))
    return paths


async def problems(cache: Cache) -> dict[str, str]:
    """Problem by path of the documents."""
    rows = await cache.app.database.read(lambda connection, _: connection.execute(documents.select()).all())
    return {row.path: row.problem for row in rows}


async def titles(cache: Cache) -> list[str]:
    """Titles of the documents."""
    query = documents.select().with_only_columns(documents.c.title)
    return await cache.app.database.read(lambda connection, _: list(connection.execute(query).scalars()))


def test_workers_give_the_rows_that_the_daemon_reads_itself(world: PlanWorld, tmp_path: Path) -> None:
    paths = fill(world, 250)
    tables = []

    async def scanned(cache: Cache) -> None:
        assert set(await problems(cache)) == {f"docs/{path.name}" for path in paths}
        tables.append(await cache.dump())

    async def one_by_one(cache: Cache) -> None:
        for path in paths:
            path.rename(path.with_suffix(".txt"))
        await cache.scan()
        assert not await problems(cache)
        for path in paths:
            path.with_suffix(".txt").rename(path)
            await cache.app.pipeline.apply([str(path)])
        tables.append(await cache.dump())

    with_cache(tmp_path, scanned)
    with_cache(tmp_path, one_by_one, name="d")
    same(tables[0], tables[1], "read at once and one by one")


def test_a_worker_that_dies_of_a_file_costs_that_file(
    world: PlanWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = fill(world, 120)
    ask = Workers.read_plans

    async def deadly(self: Workers, project_id: str, root: str, wanted: list[str], cap: int) -> bytes:
        if "docs/p007.md" in wanted:
            raise WorkerDied("exit code -9")
        return await ask(self, project_id, root, wanted, cap)

    monkeypatch.setattr(Workers, "read_plans", deadly)

    async def test(cache: Cache) -> None:
        found = await problems(cache)
        assert len(found) == len(paths)
        assert {path for path, problem in found.items() if problem} == {"docs/p007.md"}
        assert "exit code -9" in found["docs/p007.md"]

    with_cache(tmp_path, test)


def test_a_file_that_changes_while_many_are_read_is_not_written_over(
    world: PlanWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world, 120)
    changed = world.path("docs/p003.md")
    ask = Workers.read_plans

    async def test(cache: Cache) -> None:
        await cache.scan()
        changed.with_suffix(".txt").write_text("---\ntitle: new\n---\n")

        async def late(self: Workers, project_id: str, root: str, wanted: list[str], cap: int) -> bytes:
            answer = await ask(self, project_id, root, wanted, cap)
            if "docs/p003.md" in wanted:
                changed.with_suffix(".txt").replace(changed)
                await cache.app.pipeline.apply([str(changed)])
            return answer

        monkeypatch.setattr(Workers, "read_plans", late)
        for path in world.root.glob("docs/p0*.md"):
            os.utime(path, ns=(1, 1))
        result = await cache.scan()
        assert result.documents_read > plans.AT_ONCE
        rows = await cache.app.database.read(lambda connection, _: connection.execute(documents.select()).all())
        assert next(row.title for row in rows if row.path == "docs/p003.md") == "new"

    with_cache(tmp_path, test)


def test_logs_are_followed_while_many_planning_files_are_read(
    world: PlanWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = fill(world, 120)
    ask = Workers.read_plans

    async def test(cache: Cache) -> None:
        held, reached = asyncio.Event(), asyncio.Event()

        async def slow(self: Workers, project_id: str, root: str, wanted: list[str], cap: int) -> bytes:
            reached.set()
            await held.wait()
            return await ask(self, project_id, root, wanted, cap)

        monkeypatch.setattr(Workers, "read_plans", slow)
        for path in paths:
            path.write_text("---\ntitle: other\n---\n")
        pipeline = cache.app.pipeline
        pipeline.changed(map(str, paths))
        await asyncio.wait_for(reached.wait(), 20)
        before = pipeline.records_parsed
        pipeline.changed(world.work(0, "mention", "docs/p002.md"))
        async with asyncio.timeout(20):
            while pipeline.records_parsed == before:
                await asyncio.sleep(0.01)
        held.set()
        async with asyncio.timeout(20):
            while any(title != "other" for title in await titles(cache)):
                await asyncio.sleep(0.01)

    with_cache(tmp_path, test)


def test_of_two_readings_of_many_files_the_later_one_stays(
    world: PlanWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = fill(world, 50)
    ask = Workers.read_plans

    async def test(cache: Cache) -> None:
        read = [asyncio.Event(), asyncio.Event()]
        go_on = [asyncio.Event(), asyncio.Event()]
        calls = iter(zip(read, go_on, strict=True))

        async def held(self: Workers, project_id: str, root: str, wanted: list[str], cap: int) -> bytes:
            answer = await ask(self, project_id, root, wanted, cap)
            if "docs/p003.md" in wanted:
                reached, wait = next(calls)
                reached.set()
                await wait.wait()
            return answer

        monkeypatch.setattr(Workers, "read_plans", held)
        apply = cache.app.pipeline.apply
        async with asyncio.TaskGroup() as both:
            for n, title in enumerate(("first", "second")):
                for path in paths:
                    path.write_text(f"---\ntitle: {title} time\n---\n")
                both.create_task(apply(map(str, paths)))
                # The second waits until the first is written, or it reads at once.
                with suppress(TimeoutError):
                    await asyncio.wait_for(read[n].wait(), 20 if n == 0 else 1)
            go_on[0].set()
            await asyncio.wait_for(read[1].wait(), 20)
            async with asyncio.timeout(20):
                while "first time" not in await titles(cache):
                    await asyncio.sleep(0.01)
            go_on[1].set()
        assert set(await titles(cache)) == {"second time"}

    with_cache(tmp_path, test)


def test_what_cannot_be_read_is_told_and_read_when_it_can_be(world: PlanWorld, tmp_path: Path) -> None:
    big, link, fifo, odd = (world.path(f"docs/{name}.md") for name in ("big", "link", "fifo", "odd"))
    fill(world, 3)
    big.write_bytes(b"# Big\n" + b"x" * (5 << 20))
    outside = tmp_path / "outside.md"
    outside.write_text("# Secret\n")
    link.symlink_to(outside)
    os.mkfifo(fifo)
    odd.write_text("# Odd\n")
    os.rename(odd, os.path.join(os.fsencode(odd.parent), b"od\xffd.md"))

    async def test(cache: Cache) -> None:
        found = await problems(cache)
        assert set(found) == {"docs/p000.md", "docs/p001.md", "docs/p002.md", "docs/big.md", "docs/link.md"}
        assert "planning_file_cap_bytes" in found["docs/big.md"]
        assert "leads out" in found["docs/link.md"]
        assert [os.path.basename(path) for path in cache.app.pipeline.plans.unnamed] == ["od\udcffd.md"]
        big.write_bytes(b"# Small\n")
        link.unlink()
        link.symlink_to(world.path("docs/p000.md"))
        result = await cache.scan()
        assert (result.documents_read, result.documents_gone) == (2, 0)
        assert not any((await problems(cache)).values())

    with_cache(tmp_path, test)


def test_more_files_than_allowed_are_a_problem(world: PlanWorld, tmp_path: Path) -> None:
    fill(world, 40)

    async def test(cache: Cache) -> None:
        cache.app.pipeline.plans._most = 30
        await cache.app.pipeline.rebuild()
        told = {problem.part: problem for problem in cache.app.problems.all()}
        assert "planning_files_cap" in told["plans"].problem
        cache.app.pipeline.plans._most = 100
        await cache.scan()
        assert "plans" not in {problem.part for problem in cache.app.problems.all()}

    with_cache(tmp_path, test)


def test_the_home_folder_is_no_project(tmp_path: Path) -> None:
    world = PlanWorld(tmp_path)
    world.work(0, "mention", "docs/a.md")
    fill(world, 2)

    async def test(cache: Cache) -> None:
        territory = cache.app.pipeline.plans.territory
        assert territory.roots == [str(world.root)]
        assert territory.settle([("home", os.path.expanduser("~")), ("top", "/"), ("shop", str(world.root))]) <= {"shop"}
        assert territory.roots == [str(world.root)]

    with_cache(tmp_path, test)


def test_a_project_that_is_left_out_is_forgotten(world: PlanWorld, tmp_path: Path) -> None:
    fill(world, 3)

    async def test(cache: Cache) -> None:
        before = await cache.dump()
        assert before["documents"]
        assert before["entity_links"]
        log = next(iter(world.logs.rglob("*.jsonl")))
        other = log.read_text().replace(str(world.root), str(tmp_path / "elsewhere"))
        log.write_text(other)
        await cache.app.pipeline.apply([str(log)])
        after = await cache.dump()
        for table in ("documents", "tasks", "features", "feature_phases", "entity_links", "session_refs", "document_data"):
            assert not after[table], table

    with_cache(tmp_path, test)


def test_workers_end_with_their_daemon() -> None:
    async def run() -> None:
        workers = Workers(1, 0)
        await workers.read_plans("p", "/", [], 1)
        (process,) = workers._all
        process.send_signal(signal.SIGKILL)
        await process.wait()
        with pytest.raises(WorkerDied):
            await workers.read_plans("p", "/", [], 1)
        await workers.stop()

    asyncio.run(run())
