"""Days of progress in the journal: few lines, none twice, and none lost but those of the last minutes."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccdashd.analytics import daily
from ccdashd.derive.progress_days import Figures
from ccdashd.store import progress_days
from ccdashd.store.projects import project_id
from tests.helpers import PATIENCE
from tests.ingest.caches import Cache
from tests.ingest.plan_world import PlanWorld

FILE = ".claude/progress/till/phase-1-progress.md"


class Clock:
    """The time of day as the keeper sees it, and the time between lines."""

    def __init__(self) -> None:
        self.today = datetime(2026, 3, 4, 12)
        self.passed = 1000.0

    def now(self, zone: tzinfo) -> datetime:
        return self.today.replace(tzinfo=zone)

    def monotonic(self) -> float:
        return self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(daily, "datetime", clock)
    monkeypatch.setattr(daily, "time", clock)
    # Looks come when a test asks for them.
    monkeypatch.setattr(daily, "SETTLE", 10**6)
    return clock


class World:
    """A project with one file of tasks, its cache and its journal."""

    def __init__(self, folder: Path) -> None:
        self.plans = PlanWorld(folder)
        self.plans.work(0, "mention", FILE)
        self.project = project_id(str(self.plans.root))
        self.cache = Cache(folder / "c", self.plans.logs)

    async def tasks(self, *statuses: str) -> None:
        """The file has tasks of these statuses now, and was looked at."""
        path = self.plans.path(FILE)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"  - {{id: T-{n}, title: do, status: {status}}}" for n, status in enumerate(statuses)]
        path.write_text("\n".join(["---", "status: in_progress", "tasks:", *lines, "---", ""]))
        await self.cache.app.pipeline.apply({str(path)})

    async def look(self) -> None:
        await self.cache.app._following.daily.look()

    def lines(self) -> list[tuple[str, int, int]]:
        """What the journal says: of which day, with how many tasks, of which are done."""
        journal = self.cache.paths.journal
        edits = [json.loads(line) for line in journal.read_bytes().splitlines()] if journal.exists() else []
        assert all(edit["type"] == "day" for edit in edits)
        counts = [edit.get("tasks", {}) for edit in edits]
        return [(edit["day"], sum(of.values()), of.get("done", 0)) for edit, of in zip(edits, counts, strict=True)]

    async def days(self) -> list[tuple[str, Figures]]:
        """What the cache holds."""
        read = lambda connection, _: progress_days.days(connection, [self.project])  # noqa: E731
        found = (await self.cache.app.database.read(read)).get(self.project, [])
        return [(day.isoformat(), figures) for day, figures in found]


def run(test: Callable[[World], Awaitable[None]], folder: Path) -> None:
    async def in_world() -> None:
        world = World(folder)
        await world.cache.open()
        try:
            await test(world)
        finally:
            await world.cache.close()

    asyncio.run(in_world())


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def restarted(world: World) -> AsyncIterator[None]:
    """A daemon that comes after the one that ends."""
    await world.cache.close()
    yield
    await world.cache.open()


def test_a_line_of_a_project_is_followed_by_the_next_after_some_time(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.look()
        assert world.lines() == []  # of a project without plans there is nothing to say
        await world.tasks("done", "todo")
        await world.look()
        await world.look()
        assert world.lines() == [("2026-03-04", 2, 1)]
        await world.tasks("done", "done")
        await world.look()
        await world.tasks("done", "done", "todo")
        clock.passed += daily.APART - 1
        await world.look()
        assert len(world.lines()) == 1
        clock.passed += 2
        await world.look()
        assert world.lines() == [("2026-03-04", 2, 1), ("2026-03-04", 3, 2)]
        ((day, figures),) = await world.days()
        assert (day, figures.done, figures.undated, figures.features, figures.progress) == ("2026-03-04", 2, 2, 1, 0.666667)
        # A day on which nothing changed is as the last one.
        clock.today = datetime(2026, 3, 6)
        clock.passed += daily.APART
        await world.look()
        assert len(world.lines()) == 2

    run(test, tmp_path)


def test_what_is_undone_again_needs_no_line(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("done", "todo")
        await world.look()
        await world.tasks("done", "done")
        await world.look()
        await world.tasks("done", "todo")
        clock.passed += daily.APART
        await world.look()
        assert world.lines() == [("2026-03-04", 2, 1)]

    run(test, tmp_path)


def test_what_waits_when_a_day_ends_is_noted_as_of_that_day(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("todo", "todo")
        await world.look()
        await world.tasks("done", "todo")
        await world.look()
        clock.today = datetime(2026, 3, 5, 0, 1)
        await world.tasks("done", "done")
        await world.look()
        assert world.lines()[1:] == [("2026-03-04", 2, 1)]
        clock.passed += daily.APART
        await world.look()
        assert world.lines()[2:] == [("2026-03-05", 2, 2)]

    run(test, tmp_path)


def test_the_last_figures_are_noted_at_the_end_and_once(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("todo", "todo")
        await world.look()
        await world.tasks("done", "todo")
        async with restarted(world):
            assert world.lines() == [("2026-03-04", 2, 0), ("2026-03-04", 2, 1)]
        await world.look()
        async with restarted(world):
            assert len(world.lines()) == 2
        # Changed while no daemon was there.
        async with restarted(world):
            world.plans.delete(FILE)
        await world.look()
        assert world.lines()[2:] == [("2026-03-04", 0, 0)]

    run(test, tmp_path)


def test_days_outlive_the_cache_and_follow_the_journal(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("todo")
        await world.look()
        clock.today = datetime(2026, 3, 9)
        clock.passed += daily.APART
        await world.tasks("done")
        await world.look()
        known = await world.days()
        assert [day for day, _ in known] == ["2026-03-04", "2026-03-09"]
        async with restarted(world):
            for path in world.cache.paths.cache_dir.glob("cache.db*"):
                path.unlink()
        await world.look()
        assert await world.days() == known
        assert len(world.lines()) == 2
        # Another journal, of another machine say, where other days are known, and another project.
        journal = world.cache.paths.journal
        async with restarted(world):
            # Without the checksum, which is that of the line as it was.
            first, _ = re.sub(rb',"sum":"[^"]*"', b"", journal.read_bytes()).splitlines(keepends=True)
            elsewhere = first.replace(str(world.plans.root).encode(), b"/elsewhere")
            other = journal.with_name("other.jsonl")
            other.write_bytes(first.replace(b"03-04", b"03-02") + elsewhere)
            other.replace(journal)
        await world.look()
        assert [day for day, _ in await world.days()] == ["2026-03-02", "2026-03-09"]
        assert await world.cache.app.database.read(
            lambda connection, _: list(progress_days.days(connection, [project_id("/elsewhere")]))
        ) == [project_id("/elsewhere")]

    run(test, tmp_path)


def test_two_keepers_say_it_once(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("done")
        other = daily.Daily(world.cache.app)
        await asyncio.gather(world.look(), other.look())
        await other.stop()
        assert world.lines() == [("2026-03-04", 1, 1)]

    run(test, tmp_path)


def test_a_journal_that_cannot_be_written_is_a_problem_until_it_can(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily, "SETTLE", 0)
    monkeypatch.setattr(daily, "RETRY", 0)

    async def test(world: World) -> None:
        app = world.cache.app
        data = world.cache.paths.data_dir
        data.parent.mkdir(parents=True, exist_ok=True)
        data.write_text("in the way")
        await world.tasks("done", "todo")
        await until(app.problems.all)
        (problem,) = app.problems.all()
        assert problem.part == "progress"
        assert problem.problem.startswith("how far plans are today could not be noted in the journal: ")
        # All else goes on.
        await world.tasks("done", "done")
        assert await world.days() == []
        data.unlink()
        await until(lambda: not app.problems.all())
        assert len(world.lines()) == 1

    run(test, tmp_path)


def test_an_end_that_cannot_note_anything_is_an_end(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("done")
        world.cache.paths.journal.mkdir(parents=True)
        async with restarted(world):
            assert list(world.cache.paths.journal.iterdir()) == []
            world.cache.paths.journal.rmdir()
        await world.look()
        assert world.lines() == [("2026-03-04", 1, 1)]

    run(test, tmp_path)


def test_changes_wake_it_and_what_waits_is_noted_in_time(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily, "time", time)
    monkeypatch.setattr(daily, "SETTLE", 0)
    monkeypatch.setattr(daily, "APART", 0.05)

    async def test(world: World) -> None:
        await world.tasks("todo")
        await until(lambda: world.lines() == [("2026-03-04", 1, 0)])
        await world.tasks("done")
        await until(lambda: world.lines()[1:] == [("2026-03-04", 1, 1)])

    run(test, tmp_path)


def test_plans_that_are_gone_with_their_folder_say_nothing(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("done")
        await world.look()
        clock.passed += daily.APART
        world.plans.root.rename(tmp_path / "unmounted")
        await world.cache.scan()
        await world.look()
        (tmp_path / "unmounted").rename(world.plans.root)
        await world.cache.scan()
        await world.look()
        assert world.lines() == [("2026-03-04", 1, 1)]
        world.plans.delete(FILE)
        await world.cache.scan()
        await world.look()
        assert world.lines()[1:] == [("2026-03-04", 0, 0)]

    run(test, tmp_path)


def test_plans_that_are_not_read_say_nothing(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("done")
        await world.look()
        async with restarted(world):
            world.cache.settings = msgspec.structs.replace(world.cache.settings, planning=False)
        await world.look()
        assert await world.cache.app.database.read(lambda connection, _: progress_days.current(connection)) == {}
        assert world.lines() == [("2026-03-04", 1, 1)]

    run(test, tmp_path)


def test_half_an_index_says_nothing(tmp_path: Path, clock: Clock) -> None:
    async def test(world: World) -> None:
        await world.tasks("done")
        world.cache.app.pipeline.progress("plans", complete=False)
        await world.look()
        world.cache.app.pipeline.progress("plans", complete=True)
        await world.look()
        assert world.lines() == []
        world.cache.app.pipeline.progress("idle")
        await world.look()
        assert len(world.lines()) == 1

    run(test, tmp_path)
