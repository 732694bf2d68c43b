"""Alert rules on a running daemon: each crossing is told once, whatever happens to the daemon and its cache."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ccdashd.analytics import alerting
from ccdashd.protocol import types as t
from tests.analytics.alert_world import HOUR, MINUTE, NOON, World
from tests.helpers import PATIENCE

Test = Callable[[World], Coroutine[Any, Any, None]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def run(world: World, test: Test) -> None:
    async def whole() -> None:
        async with world.opened():
            await test(world)

    asyncio.run(whole())


def shown(told: list[t.AlertFired]) -> list[tuple[str, bool]]:
    """The texts of alerts, and whether each is over."""
    return [(alert.text, alert.resolved_at is not None) for alert in told]


# --- sessions ---


def test_a_session_that_costs_too_much_fires_once(world: World) -> None:
    async def test(world: World) -> None:
        await world.work(usd=4)
        assert await world.look() == []
        await world.work("s1/a1", usd=1.5)
        (alert,) = await world.look()
        assert alert.rule == "session-cost" and alert.scope == "session"
        assert alert.subject == t.EntityRef(type="session", id="s1")
        assert (alert.value, alert.threshold, alert.operator) == (5.5, 5.0, ">")
        assert alert.text.endswith(": cost is $5.50, more than $5.00") and alert.resolved_at is None
        await world.work(usd=3)
        assert await world.look() == []
        listed = await world.listed()
        assert listed.firing == [alert]
        rule = (await world.rules())["session-cost"]
        assert (rule.state, rule.fired, rule.last_fired_at) == ("firing", 1, alert.fired_at)
        assert await world.history("session-cost") == [alert]

    run(world, test)


def test_only_sessions_that_changed_are_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from ccdashd.store import facts

    asked: list[tuple[str, ...] | None] = []
    measures = facts.measures

    def spy(connection: Any, filter: Any, *rest: Any) -> Any:
        asked.append(filter.sessions)
        return measures(connection, filter, *rest)

    async def test(world: World) -> None:
        for n in range(5):
            await world.work(f"s{n}", usd=1)
        await world.look()
        monkeypatch.setattr(facts, "measures", spy)
        await world.work("s3/a1", usd=1)
        await world.look()
        assert {sessions for sessions in asked if sessions is not None} == {("s3",)}
        asked.clear()
        await world.look()
        assert asked == []

    run(world, test)


def test_a_first_index_tells_nothing_of_the_past(world: World) -> None:
    async def before(world: World) -> None:
        for n in range(3):
            await world.work(f"old{n}", usd=30)
        world.now += 2 * HOUR
        await world.work("live", usd=7)

    run(world, before)
    world.paths.database.unlink()
    world.paths.journal.unlink(missing_ok=True)

    async def after(world: World) -> None:
        told = await world.look()
        assert [alert.subject.id for alert in told if alert.subject is not None] == ["live"]
        # One who comes back to an old session is told.
        await world.work("old1", usd=0.1)
        assert [alert.subject.id for alert in await world.look() if alert.subject is not None] == ["old1"]

    run(world, after)


def test_who_falls_silent_is_resolved_and_not_told_again(world: World) -> None:
    async def test(world: World) -> None:
        await world.only(metric="cost", operator=">", threshold=5.0, scope="session")
        await world.work(usd=6)
        assert len(await world.look()) == 1
        world.now += 61 * MINUTE
        (over,) = await world.look()
        assert over.resolved_at is not None
        assert (await world.listed()).firing == []
        await world.work(usd=1)
        assert await world.look() == []
        assert [line["op"] for line in world.journal()] == ["fired", "quieted"]

    run(world, test)


def test_a_rate_that_recovers_can_fire_again(world: World) -> None:
    async def test(world: World) -> None:
        await world.only(metric="toolSuccessRate", operator="<", threshold=0.5, resolve=0.6, scope="session")
        await world.work()  # no call at all has no rate
        assert await world.look() == []
        await world.work(errors=6, good=4)
        assert len(await world.look()) == 1
        await world.work(good=2, errors=0)  # 6 of 12: back above the threshold, but not at 0.6
        assert await world.look() == []
        await world.work(good=3)
        assert shown(await world.look()) == [("s1: tool success is 40 %, less than 50 %", True)]
        await world.work(errors=8)
        assert shown(await world.look()) == [("s1: tool success is 39.13 %, less than 50 %", False)]
        assert [line["op"] for line in world.journal()] == ["fired", "resolved", "fired"]

    run(world, test)


def test_a_value_that_came_back_in_silence_is_noted_and_told_to_nobody(world: World) -> None:
    async def test(world: World) -> None:
        await world.only(metric="toolSuccessRate", operator="<", threshold=0.5, scope="session")
        await world.work(errors=2)
        assert len(await world.look()) == 1
        world.now += 2 * HOUR
        assert len(await world.look()) == 1
        await world.work(good=8)
        assert await world.look() == []
        assert [line["op"] for line in world.journal()] == ["fired", "quieted", "resolved"]
        await world.work(errors=20)
        assert len(await world.look()) == 1

    run(world, test)


# --- time ---


def test_a_day_ends_with_its_alert(world: World) -> None:
    async def test(world: World) -> None:
        rule = await world.only(metric="cost", operator=">", threshold=20.0)
        assert (rule.period, rule.name) == ("day", "Cost per day > $20.00")
        await world.work("s1", usd=15)
        await world.work("s2", usd=6)
        assert shown(await world.look()) == [("All projects, 2026-03-04: cost is $21.00, more than $20.00", False)]
        world.now += 3 * HOUR
        assert await world.look() == []  # silence does not end a day
        world.now = NOON + 13 * HOUR
        await world.work("s1", usd=31)
        over = ("All projects, 2026-03-04: cost is $21.00, more than $20.00", True)
        assert sorted(shown(await world.look())) == [
            over,
            ("All projects, 2026-03-05: cost is $31.00, more than $20.00", False),
        ]
        world.now += 24 * HOUR
        assert shown(await world.look()) == [("All projects, 2026-03-05: cost is $31.00, more than $20.00", True)]

    run(world, test)


def test_it_must_hold_for_its_time(world: World) -> None:
    async def test(world: World) -> None:
        rule = await world.only(metric="cost", operator=">", threshold=5.0, scope="session", for_seconds=600.0)
        await world.work(usd=6)
        assert await world.look() == []
        assert (await world.rules())[rule.id].state == "pending"
        world.now += 9 * MINUTE
        assert await world.look() == []
        world.now -= HOUR  # the clock is set right, and the wait begins anew
        assert await world.look() == []
        world.now += 9 * MINUTE
        assert await world.look() == []
        world.now += MINUTE
        assert len(await world.look()) == 1
        assert (await world.rules())[rule.id].state == "firing"

    run(world, test)


def test_a_window_of_five_hours(world: World) -> None:
    async def test(world: World) -> None:
        await world.only(metric="cost", operator=">=", threshold=10.0, scope="window")
        world.now += 20 * MINUTE
        await world.work(usd=9)
        assert await world.look() == []
        world.now += 4 * HOUR
        await world.work(usd=2)
        text = "Five hours from 2026-03-04 12:00+00:00: cost is $11.00, at least $10.00"
        assert shown(await world.look()) == [(text, False)]
        world.now += 40 * MINUTE
        assert shown(await world.look()) == [(text, True)]
        await world.work(usd=9)
        assert await world.look() == []

    run(world, test)


# --- other subjects ---


def test_projects_are_looked_at_one_by_one(world: World) -> None:
    async def test(world: World) -> None:
        await world.work("s1", project="/work/till")
        each = await world.only(metric="cost", operator=">", threshold=3.0, scope="project")
        one = await world.rule(metric="toolErrors", operator=">", threshold=0.0, project="/work/till", period="total")
        assert (one.scope, one.project) == ("project", (await world.rules())[one.id].project)
        await world.work("s1", usd=4, errors=1, project="/work/till")
        await world.work("s2", usd=2, errors=1)
        await world.work("s3", usd=2)
        told = {alert.rule: alert for alert in await world.look()}
        assert len(world.told) == 3
        assert told[one.id].text == "till: tool errors is 1, more than 0"
        labels = {alert.subject_label for alert in world.told if alert.rule == each.id}
        assert labels == {"till, 2026-03-04", "shop, 2026-03-04"}

    run(world, test)


def test_features_and_plans(world: World) -> None:
    root = world.folder / "shop"
    (root / "docs").mkdir(parents=True)
    plan = root / "docs/till-plan.md"

    def write(done: int) -> None:
        words = ["completed"] * done + ["pending"] * (4 - done)
        tasks = "".join(f"  - {{id: T{n}, title: t, status: {word}}}\n" for n, word in enumerate(words))
        plan.write_text(
            f"---\ntype: implementation_plan\nfeature_slug: till\nstatus: draft\ntasks:\n{tasks}---\n\n# Till\n"
        )

    async def test(world: World) -> None:
        import time

        world.now = round(time.time() * 1000)
        write(1)
        await world.work(project=str(root))
        await world.app.pipeline.reconcile("test")
        await world.only(metric="taskCompletion", operator=">=", threshold=0.75, scope="feature")
        project = await world.rule(metric="taskCompletion", operator=">=", threshold=0.75, scope="project")
        every = await world.rule(metric="featureProgress", operator=">=", threshold=0.75)
        await world.rule(metric="tasksDone", operator=">=", threshold=2.0, scope="project", name="Good day")
        assert (project.period, every.period) == ("total", "total")
        assert await world.look() == []
        await world.app._following.daily.look(at_once=True)  # tasks that are done now did not become it today
        write(3)
        await world.app.pipeline.apply([str(plan)])
        found = await world.look()
        told = {alert.scope: alert.text for alert in found if alert.name != "Good day"}
        assert [alert.value for alert in found if alert.name == "Good day"] == [2]
        assert told["feature"].endswith("tasks complete is 75 %, at least 75 %")
        assert told["project"] == "shop: tasks complete is 75 %, at least 75 %"
        assert told["all"].startswith("All projects: progress is ")
        write(1)
        await world.app.pipeline.apply([str(plan)])
        assert all(alert.resolved_at for alert in await world.look())
        assert {alert.scope for alert in world.told} == {"feature", "project", "all"}

    run(world, test)


def test_a_feature_costs_what_its_sessions_cost(world: World) -> None:
    root = world.folder / "shop"
    (root / "docs").mkdir(parents=True)
    (root / "docs/till.md").write_text("---\ntype: prd\nfeature_slug: till\nstatus: draft\n---\n\n# Till\n")

    async def test(world: World) -> None:
        from ccdashd.rpc import links

        await world.work("s1", usd=2, project=str(root))
        await world.app.pipeline.reconcile("test")
        rule = await world.only(metric="cost", operator=">", threshold=3.0, scope="feature")
        features = await world.app.database.read(
            lambda connection, _: connection.exec_driver_sql("SELECT id FROM features").scalars().all()
        )
        feature = t.EntityRef(type="feature", id=features[0])
        for session in ("s1", "s2"):
            await world.work(session, usd=1, project=str(root))
            entity = t.EntityRef(type="session", id=session)
            await links.links_create(world.call, t.LinkCreate(source=entity, target=feature))
        (alert,) = await world.look()
        assert (alert.rule, alert.subject, alert.value) == (rule.id, feature, 4.0)

    run(world, test)


# --- rules that change ---


def test_a_rule_that_is_turned_off_or_removed_ends_what_fires(world: World) -> None:
    async def test(world: World) -> None:
        from ccdashd.rpc import alerts

        rule = await world.only(metric="cost", operator=">", threshold=5.0, scope="session")
        await world.work(usd=6)
        assert len(await world.look()) == 1
        await alerts.alerts_update(world.call, t.AlertUpdate(id=rule.id, threshold=10.0))
        (over,) = await world.look()
        assert over.resolved_at is not None and over.threshold == 5.0
        await world.work(usd=6)
        assert [alert.threshold for alert in await world.look()] == [10.0]
        await alerts.alerts_update(world.call, t.AlertUpdate(id=rule.id, active=False))
        assert [alert.resolved_at is not None for alert in await world.look()] == [True]
        assert (await world.rules())[rule.id].state == "off"
        await alerts.alerts_update(world.call, t.AlertUpdate(id=rule.id, active=True))
        assert len(await world.look()) == 1
        await alerts.alerts_delete(world.call, t.AlertId(id=rule.id))
        assert [alert.resolved_at is not None for alert in await world.look()] == [True]
        assert len(await world.history(rule.id)) == 3

    run(world, test)


# --- what happens to the daemon ---


def test_what_fires_is_known_after_a_restart_and_a_rebuild(world: World) -> None:
    async def fire(world: World) -> None:
        await world.work(usd=6)
        assert len(await world.look()) == 1

    async def again(world: World) -> None:
        await world.work("s2", usd=1)
        assert await world.look() == []
        assert [alert.rule for alert in (await world.listed()).firing] == ["session-cost"]

    run(world, fire)
    run(world, again)
    for path in world.paths.cache_dir.glob("cache.db*"):
        path.unlink()
    run(world, again)

    async def rebuilt(world: World) -> None:
        await world.app.pipeline.rebuild()
        assert await world.look() == []

    run(world, rebuilt)


def test_what_is_in_the_journal_alone_does_not_fire_twice(world: World, tmp_path: Path) -> None:
    """As after a kill between the line on disk and the commit."""
    before = tmp_path / "before.db"

    async def work(world: World) -> None:
        await world.work(usd=6)

    async def fire(world: World) -> None:
        assert len(await world.look()) == 1

    async def after(world: World) -> None:
        assert await world.look() == []
        assert [alert.rule for alert in (await world.listed()).firing] == ["session-cost"]
        assert [line["op"] for line in world.journal()] == ["fired"]

    run(world, work)
    shutil.copy(world.paths.database, before)
    run(world, fire)
    shutil.copy(before, world.paths.database)
    run(world, after)


def test_two_looks_at_the_same_time_tell_once(world: World) -> None:
    async def test(world: World) -> None:
        await world.work(usd=6)
        await asyncio.sleep(0)
        looks = []
        for _ in range(2):
            world.app.alerting.look_at_all()
            looks.append(asyncio.create_task(world.app.alerting.look()))
            await asyncio.sleep(0)
        await asyncio.gather(*looks)
        assert len(world.told) == 1
        assert [line["op"] for line in world.journal()] == ["fired"]

    run(world, test)


def test_what_cannot_be_noted_is_a_problem_and_is_told_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, settle=0.0)
    monkeypatch.setattr(alerting, "RETRY", 0.05)
    journal = world.paths.journal

    async def until(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.005)

    async def test(world: World) -> None:
        journal.mkdir(parents=True)
        await world.work(usd=6)
        await until(world.app.problems.all)
        (problem,) = world.app.problems.all()
        assert problem.part == "alerts" and "journal" in problem.problem
        assert world.told == []
        journal.rmdir()
        await until(lambda: world.told)
        await until(lambda: not world.app.problems.all())
        assert shown(world.told) == [("s1: cost is $6.00, more than $5.00", False)]

    run(world, test)


def test_nothing_is_looked_at_while_files_are_read_or_priced(world: World) -> None:
    async def test(world: World) -> None:
        await world.work(usd=6)
        world.app.pipeline.progress("parse", total=1)
        assert await world.look() == []
        world.app.pipeline.progress("idle")
        await world.app.pipeline.repricing.settled()
        world.app.pipeline.repricing._settled.clear()
        assert await world.look() == []
        world.app.pipeline.repricing._settled.set()
        assert len(await world.look()) == 1

    run(world, test)
