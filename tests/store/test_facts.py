"""Sums over roll-ups: whatever they are told by, the parts add up to the whole, to the last token and picodollar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.derive import periods
from ccdashd.derive.measures import Measures, add
from ccdashd.derive.slots import SLOT_MS
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.store import facts, filters
from ccdashd.store.filters import Filter
from ccdashd.store.times import Grain, times
from tests.store.ledger import (
    APP,
    DAYS,
    FEATURES,
    HIDDEN,
    LOGS,
    MAIN,
    NOW,
    OPUS,
    OTHER,
    SECOND,
    SHOWN,
    SLOTS,
    SONNET,
    TYPED,
    ZONES,
    Day,
    Ledger,
    ledger,
    sums,
    write,
)
from tests.store.plans import cache

NEEDS = (facts.EVERY | {"minutes", "active"}) - {"sessions", "timed_sessions", "session_ms"}
USAGE = NEEDS & {
    "messages",
    "lower_bounds",
    "unpriced",
    "input",
    "output",
    "cache_read",
    "cost",
    "context_max",
    "unpriced_models",
}
TOOLS = frozenset({"calls", "success", "errors", "tool_ms"})
BY: tuple[t.Dimension, ...] = ("project", "agent", "branch", "session", "feature", "task")

whatever = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def book() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


@pytest.fixture
def empty(book: Ledger) -> Ledger:
    book.clear()
    return book


@whatever
@given(day=DAYS, zone=ZONES, grain=st.sampled_from(("hour", "day", "clock")))
def test_parts_add_up_to_the_whole(book: Ledger, day: Day, zone: str, grain: Grain) -> None:
    write(book, day)
    connection, everything = book.connection, Filter()
    whole = sums(day)
    assert facts.total(connection, everything, NEEDS) == whole
    for by in BY:
        assert add(facts.measures(connection, everything, NEEDS, by).values()) == whole, by
        found = facts.over_time(connection, everything, NEEDS, times(grain, ZoneInfo(zone), everything, NOW), by)
        assert add(found.values()) == whole, by
    of_messages = facts.total(connection, everything, USAGE)
    assert add(facts.measures(connection, everything, USAGE, "model").values()) == of_messages
    assert add(facts.measures(connection, everything, USAGE, "subagentType").values()) == of_messages
    of_tools = facts.total(connection, everything, TOOLS)
    assert add(facts.measures(connection, everything, TOOLS, "tool").values()) == of_tools
    assert facts.total(connection, replace(everything, include_hidden=True), NEEDS) == sums(day, LOGS)


@whatever
@given(day=DAYS, cuts=st.lists(SLOTS.filter(lambda slot: slot >= 0), max_size=4, unique=True))
def test_times_add_up_to_the_whole(book: Ledger, day: Day, cuts: list[int]) -> None:
    write(book, day)
    bounds = [0, *sorted(cuts), 2**40]
    parts = [Filter(first=first, end=end) for first, end in pairwise(bounds)]
    undated = Day(
        {key: row for key, row in day.usage.items() if key[1] < 0},
        {key: row for key, row in day.tools.items() if key[1] < 0},
        {key: row for key, row in day.activity.items() if key[1] < 0},
        {},
        {},
    )
    found = [facts.total(book.connection, part, NEEDS) for part in parts]
    assert add([*found, sums(undated)]) == sums(day)


@whatever
@given(slots=st.lists(SLOTS, min_size=1, max_size=8, unique=True), zone=ZONES)
def test_queries_and_steps_cut_time_alike(book: Ledger, slots: list[int], zone: str) -> None:
    where = ZoneInfo(zone)
    book.clear()
    for slot in slots:
        book.usage(1, slot, input=1)
    dated = [slot for slot in slots if 0 <= slot <= NOW // SLOT_MS]
    for grain in ("hour", "day"):
        found = facts.over_time(book.connection, Filter(), frozenset({"input"}), times(grain, where, Filter(), NOW))
        expected: dict[int | None, int] = {}
        for slot in slots:
            key = None if slot not in dated else periods.steps(grain, slot, slot + 1, where)[0].key
            expected[key] = expected.get(key, 0) + 1
        assert {at: measures.input for (_, at), measures in found.items()} == expected


def test_nothing_adds_up_to_nothing(empty: Ledger) -> None:
    for by in (None, *BY):
        assert facts.measures(empty.connection, Filter(), NEEDS, by) == {}


def test_what_a_filter_leaves(empty: Ledger) -> None:
    for log in LOGS:
        empty.usage(log.id, 10, OPUS, input=1 << log.id)
    empty.usage(1, 10, SONNET, mirror=True, input=1)

    def logs(**fields: object) -> int:
        return facts.total(empty.connection, Filter(**fields), frozenset({"input"})).input  # type: ignore[arg-type]

    def of(*ids: int) -> int:
        return sum(1 << id for id in ids)

    assert logs() == of(1, 2, 3, 4, 5, 6, 7) + 1
    assert logs(include_hidden=True) == of(1, 2, 3, 4, 5, 6, 7, 8) + 1
    assert logs(project_id=APP) == of(1, 2, 6) + 1
    assert logs(branch="x") == of(2, 3, 4, 5)
    assert logs(agent="claude-code") == of(1, 2, 3, 4, 5, 6) + 1
    assert logs(models=(SONNET,)) == 1
    assert logs(models=()) == 0
    assert logs(sessions=(MAIN,)) == of(1, 2, 3) + 1
    assert logs(sessions=(TYPED,)) == of(2)
    assert logs(sessions=()) == 0
    assert logs(subagents="exclude") == of(1, 4, 5, 7)
    assert logs(subagents="only") == of(2, 3, 6) + 1
    assert logs(subagents="only", project_id=OTHER) == of(3)


def test_subagents_of_a_session_are_its_own(empty: Ledger) -> None:
    for log in SHOWN:
        empty.usage(log.id, 10, pico=10**log.id)
    found = facts.measures(empty.connection, Filter(), frozenset({"cost", "subagent_cost"}), "session")
    assert {key: (measures.cost, measures.subagent_cost) for key, measures in found.items()} == {
        MAIN: (10 + 100 + 1000, 1100),
        SECOND: (10**4 + 10**5, 0),
        "lost": (10**6, 10**6),
        "": (10**7, 0),
    }
    kinds = facts.measures(empty.connection, Filter(), frozenset({"cost"}), "subagentType")
    assert {key: measures.cost for key, measures in kinds.items()} == {
        "": 10 + 10**4 + 10**5 + 10**7,
        "explorer": 100,
        "unknown": 1000 + 10**6,
    }


def test_minutes_of_subagents_are_those_of_their_session(empty: Ledger) -> None:
    for log, mask in ((1, 0b0011), (2, 0b0110), (3, 0b1000), (4, 0b1)):
        empty.add("session_minutes", file_id=log, slot=100, minutes=mask)
    by_project = facts.measures(empty.connection, Filter(), frozenset({"minutes", "active"}), "project")
    assert by_project == {
        APP: Measures(minutes=4, active=frozenset({MAIN})),
        OTHER: Measures(minutes=1, active=frozenset({SECOND})),
    }


def test_sessions_count_when_they_began(empty: Ledger) -> None:
    needs = frozenset({"sessions", "timed_sessions", "session_ms"})
    assert facts.measures(empty.connection, Filter(), needs, "project") == {
        APP: Measures(sessions=1, timed_sessions=1, session_ms=7_200_000),
        OTHER: Measures(sessions=1),
    }
    assert facts.total(empty.connection, Filter(first=4, end=5), needs).sessions == 1
    assert facts.total(empty.connection, Filter(first=5, end=50), needs).sessions == 0
    assert facts.total(empty.connection, Filter(subagents="only"), needs).sessions == 0


def test_links_divide_what_a_session_used(empty: Ledger) -> None:
    x, y, z = FEATURES
    empty.usage(1, 10, input=90, pico=1)
    empty.usage(2, 10, input=10)
    empty.usage(4, 10, input=7)
    empty.link(MAIN, "feature", x, 0.6)
    empty.link(MAIN, "feature", y, 0.3)
    empty.link(TYPED, "feature", z, 0.9)  # of a sub-agent: it is its session's that count
    needs = frozenset({"input", "cost"})

    def shares() -> dict[str, tuple[int, int]]:
        found = facts.measures(empty.connection, Filter(), needs, "feature")
        return {key: (measures.input, measures.cost) for key, measures in found.items()}

    assert shares() == {x: (67, 1), y: (33, 0), "": (7, 0)}
    empty.say(MAIN, "feature", x, "dismissed")
    assert shares() == {y: (100, 1), "": (7, 0)}
    empty.say(SECOND, "feature", z, "made")
    assert shares() == {y: (100, 1), z: (7, 0)}


def test_a_link_that_the_user_made_from_a_feature_counts_too(empty: Ledger) -> None:
    empty.usage(1, 10, input=5)
    ends = {"source_type": "feature", "source_id": FEATURES[0], "target_type": "session", "target_id": MAIN}
    empty.add("user_links", id="l", link_type="references", state="made", **ends)
    assert facts.measures(empty.connection, Filter(), frozenset({"input"}), "feature").keys() == {FEATURES[0]}


# --- what a client asks for ---


def scope(book: Ledger, **fields: object) -> Filter:
    return filters.resolve(book.connection, t.Scope(**fields))  # type: ignore[arg-type]


def test_names_are_looked_up(empty: Ledger) -> None:
    empty.usage(1, 10, "claude-opus-4")
    empty.usage(1, 10, "claude-opus-4-6")
    empty.link(MAIN, "feature", FEATURES[0], 0.6)
    assert scope(empty, project="app").project_id == APP
    assert scope(empty, feature="x").sessions == (MAIN,)
    assert scope(empty, session=MAIN[:3]).sessions == (MAIN,)
    assert scope(empty, session=MAIN, feature="y").sessions == ()
    assert scope(empty, model="claude-opus-4").models == ("claude-opus-4",)
    assert scope(empty, model="OPUS").models == ("claude-opus-4", "claude-opus-4-6")


def test_what_is_asked_for_by_name_is_not_hidden(empty: Ledger) -> None:
    assert not scope(empty).include_hidden
    assert scope(empty, project="secret").include_hidden
    assert scope(empty, session=HIDDEN).include_hidden


def test_what_is_not_there_is_said(empty: Ledger) -> None:
    empty.usage(1, 10, "claude-opus-4")
    with pytest.raises(NotFound):
        scope(empty, project="nowhere")
    with pytest.raises(NotFound):
        scope(empty, feature="nothing")
    with pytest.raises(NotFound):
        scope(empty, session="nobody")
    with pytest.raises(InvalidParams, match="model: no message is of such a model; there are claude-opus-4"):
        scope(empty, model="gpt")
    empty.clear()
    assert scope(empty, model="gpt").models == ()
