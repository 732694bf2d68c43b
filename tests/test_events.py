"""Who hears of what: topics, coalescing, the changes of late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ccdashd import events
from ccdashd.errors import InvalidParams
from ccdashd.events import Event, Events, Problems
from ccdashd.protocol import types as t
from tests.protocol.figures import FIRED


class Ear:
    def __init__(self) -> None:
        self.heard: list[Event] = []

    def notify(self, event: Event) -> None:
        self.heard.append(event)

    @property
    def changes(self) -> list[list[tuple[str, str, str]]]:
        return [
            [(change.type, change.id, change.op) for change in event.params.changes]
            for event in self.heard
            if isinstance(event.params, t.ChangedNotification)
        ]


def session(id: str, op: str = "upsert") -> t.Change:
    return t.Change(type="session", id=id, op=op)  # type: ignore[arg-type]


def project(id: str) -> t.Change:
    return t.Change(type="project", id=id, op="upsert")


def run(test: Callable[[Events], Awaitable[None]]) -> None:
    async def main() -> None:
        bus = Events()
        bus.start(0)
        await test(bus)

    asyncio.run(main())


async def tick() -> None:
    await asyncio.sleep(0)


def test_each_subscriber_hears_its_topics() -> None:
    async def test(bus: Events) -> None:
        sessions, projects, everything, nothing = Ear(), Ear(), Ear(), Ear()
        assert bus.subscribe(sessions, ["sessions"]) == ["sessions"]
        bus.subscribe(projects, ["projects"])
        assert bus.subscribe(everything, ["*"]) == sorted(events.PLAIN_TOPICS)
        bus.publish([session("s"), project("p")], 1)
        bus.indexing(t.Indexing(phase="parse"))
        await tick()
        assert sessions.changes == [[("session", "s", "upsert")]]
        assert projects.changes == [[("project", "p", "upsert")]]
        assert everything.changes == [[("session", "s", "upsert"), ("project", "p", "upsert")]]
        assert [event.method for event in everything.heard] == ["ccdash/changed", "ccdash/indexing"]
        assert nothing.heard == []

    run(test)


def test_changes_of_one_tick_are_one_notification_with_the_last_of_each() -> None:
    async def test(bus: Events) -> None:
        ear = Ear()
        bus.subscribe(ear, ["sessions", "indexing"])
        for revision in range(1, 101):
            bus.publish([session("a"), session(f"n{revision % 3}")], revision)
            bus.indexing(t.Indexing(phase="parse", done=revision))
        bus.publish([session("a", "delete")], 101)
        await tick()
        changed, progress = ear.heard
        assert changed.params.revision == 101
        assert sorted(ear.changes[0]) == [
            ("session", "a", "delete"),
            ("session", "n0", "upsert"),
            ("session", "n1", "upsert"),
            ("session", "n2", "upsert"),
        ]
        assert isinstance(progress.params, t.IndexingNotification) and progress.params.indexing.done == 100

    run(test)


def test_a_notification_is_encoded_once_for_all_who_hear_the_same() -> None:
    async def test(bus: Events) -> None:
        ears = [Ear() for _ in range(5)]
        for ear in ears:
            bus.subscribe(ear, ["sessions"])
        bus.publish([session("s")], 1)
        await tick()
        assert len({id(ear.heard[0].frame) for ear in ears}) == 1

    run(test)


def test_a_change_that_nobody_follows_is_not_sent() -> None:
    async def test(bus: Events) -> None:
        ear = Ear()
        bus.subscribe(ear, ["projects"])
        bus.publish([session("s")], 1)
        await tick()
        assert ear.heard == []

    run(test)


def test_transcripts_go_to_those_who_follow_that_session() -> None:
    async def test(bus: Events) -> None:
        one, other = Ear(), Ear()
        bus.subscribe(one, ["transcript:s1"])
        bus.subscribe(other, ["transcript:s2", "*"])
        assert bus.has_transcript_subscribers("s1")
        assert not bus.has_transcript_subscribers("s")
        bus.transcript("s1", [], 4)
        assert [event.params for event in one.heard] == [t.TranscriptNotification(session_id="s1", entries=[], revision=4)]
        assert other.heard == []
        bus.drop(one)
        assert not bus.has_transcript_subscribers("s1")

    run(test)


def test_unsubscribe_and_drop() -> None:
    async def test(bus: Events) -> None:
        ear = Ear()
        bus.subscribe(ear, ["*", "transcript:s"])
        left = bus.unsubscribe(ear, ["sessions", "transcript:s"])
        assert left == sorted({*events.PLAIN_TOPICS} - {"sessions"})
        bus.publish([session("s"), project("p")], 1)
        await tick()
        assert ear.changes == [[("project", "p", "upsert")]]
        assert bus.unsubscribe(ear, ["*"]) == []
        bus.drop(ear)
        bus.publish([project("p")], 2)
        await tick()
        assert len(ear.heard) == 1

    run(test)


@pytest.mark.parametrize("topic", ["", "session", "transcript:", "Sessions"])
def test_a_wrong_topic_is_refused_and_nothing_subscribed(topic: str) -> None:
    async def test(bus: Events) -> None:
        ear = Ear()
        with pytest.raises(InvalidParams) as caught:
            bus.subscribe(ear, ["sessions", topic])
        assert caught.value.data["got"] == topic
        bus.publish([session("s")], 1)
        await tick()
        assert ear.heard == []

    run(test)


def test_the_topics_of_one_subscriber_are_bounded() -> None:
    async def test(bus: Events) -> None:
        with pytest.raises(InvalidParams):
            bus.subscribe(Ear(), [f"transcript:{number}" for number in range(events.MAX_TOPICS + 1)])

    run(test)


def test_since_tells_each_entity_once() -> None:
    async def test(bus: Events) -> None:
        bus.start(10)
        bus.publish([session("a"), session("b")], 11)
        bus.publish([session("a", "delete")], 12)
        assert bus.since(10) == t.Changes(revision=12, fresh=False, changes=[session("b"), session("a", "delete")])
        assert bus.since(11).changes == [session("a", "delete")]
        assert bus.since(12) == t.Changes(revision=12, fresh=False, changes=[])

    run(test)


def test_since_is_fresh_before_the_start_after_the_end_and_beyond_what_is_kept() -> None:
    async def test(bus: Events) -> None:
        bus.start(10)
        for revision in range(11, 11 + events.KEPT_CHANGES + 5):
            bus.publish([session(str(revision))], revision)
        assert bus.since(9).fresh
        assert bus.since(10_000_000).fresh
        assert bus.since(14).fresh
        assert not bus.since(15).fresh
        assert len(bus.since(15).changes) == events.KEPT_CHANGES
        bus.start(3)
        assert bus.since(16).fresh
        assert bus.since(3) == t.Changes(revision=3, fresh=False, changes=[])

    run(test)


def test_a_revision_of_which_some_changes_are_forgotten_is_not_told_in_part() -> None:
    async def test(bus: Events) -> None:
        bus.publish([session(str(number)) for number in range(events.KEPT_CHANGES + 1)], 1)
        assert bus.since(0).fresh
        assert not bus.since(1).fresh

    run(test)


def test_reached_waits_for_the_revision() -> None:
    async def test(bus: Events) -> None:
        assert await bus.reached(0, 0.0)
        assert not await bus.reached(1, 0.01)
        waiting = asyncio.create_task(bus.reached(2, 10))
        await tick()
        bus.publish([], 1)
        await tick()
        assert not waiting.done()
        bus.publish([], 2)
        assert await waiting
        assert not bus._waiters

    run(test)


def test_missed_stands_in_for_an_event() -> None:
    changed = Event("changed", "ccdash/changed", t.ChangedNotification(revision=4, changes=[session("s")]))
    assert changed.missed.params == t.ChangedNotification(revision=4, changes=[], missed=True)
    progress = t.IndexingNotification(indexing=t.Indexing(phase="parse", done=3), revision=4)
    assert Event("indexing", "ccdash/indexing", progress).missed.params == progress
    fired = t.AlertFiredNotification(alert=FIRED, revision=4)
    missed = Event("alerts", "alerts/fired", fired).missed
    assert missed.params == t.AlertFiredNotification(alert=FIRED, revision=4, missed=True)


def test_alerts_reach_those_who_follow_them() -> None:
    async def test(bus: Events) -> None:
        alerts, others = Ear(), Ear()
        bus.subscribe(alerts, ["alerts"])
        bus.subscribe(others, ["sessions", "indexing"])
        bus.alert(FIRED, 3)
        assert [event.params for event in alerts.heard] == [t.AlertFiredNotification(alert=FIRED, revision=3)]
        assert others.heard == []

    run(test)


def test_problems_keep_their_first_time_and_tell_of_changes() -> None:
    problems = Problems()
    told: list[int] = []
    problems.on_change = lambda: told.append(len(problems.all()))
    problems.set("watch", "deaf", "wait")
    since = problems.all()[0].since
    problems.set("watch", "deaf", "wait")
    problems.set("watch", "blind")
    problems.set("cache", "full")
    assert {problem.part: problem.problem for problem in problems.all()} == {"watch": "blind", "cache": "full"}
    assert next(problem for problem in problems.all() if problem.part == "watch").since == since
    problems.clear("cache")
    problems.clear("cache")
    problems.clear("watch")
    assert told == [1, 1, 2, 1, 0]
