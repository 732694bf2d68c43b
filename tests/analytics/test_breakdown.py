"""Breakdowns: rows, the rest and the total, whatever they are told by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.analytics.breakdown import breakdown
from ccdashd.derive.slots import SLOT_MS
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from tests.store.ledger import (
    APP,
    DAYS,
    FEATURES,
    MAIN,
    NOW,
    OPUS,
    OTHER,
    SECOND,
    SONNET,
    ZONES,
    Day,
    Ledger,
    ledger,
    write,
)
from tests.store.plans import cache

TODAY = NOW // SLOT_MS
BY_SESSION = ("project", "agent", "branch", "session", "feature", "task")
TIMES = ("hour", "day", "week", "month")


@pytest.fixture(scope="module")
def shared() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


@pytest.fixture
def book(shared: Ledger) -> Ledger:
    shared.clear()
    return shared


def ask(book: Ledger, by: str, *metrics: str, zone: str = "Europe/Berlin", **params: Any) -> t.Breakdown:
    asked = t.BreakdownParams(by=by, metrics=metrics or ("tokens",), **params)  # type: ignore[arg-type]
    return breakdown(book.connection, asked, ZoneInfo(zone), NOW, 7)


def shown(found: t.Breakdown) -> dict[str, float | int | None]:
    """The first metric by key, in order."""
    return {row.key: next(iter(row.values.values())) for row in found.items}


@settings(max_examples=30, deadline=None)
@given(day=DAYS, zone=ZONES, by=st.sampled_from((*BY_SESSION, *TIMES)), limit=st.integers(1, 5), offset=st.integers(0, 3))
def test_rows_and_the_rest_add_up_to_the_total(
    shared: Ledger, day: Day, zone: str, by: str, limit: int, offset: int
) -> None:
    write(shared, day)
    metrics = ("tokens", "messages", "toolCalls", "toolErrors", "prompts", "churn", "activeSeconds", "sessions")
    found = ask(shared, by, *metrics, zone=zone, limit=limit, offset=offset)
    for metric in metrics:
        rest = found.rest.values[metric] if found.rest is not None else 0
        assert sum(row.values[metric] or 0 for row in found.items) + (rest or 0) == found.total.values[metric], metric
    every = ask(shared, by, *metrics, zone=zone, limit=500)
    assert every.rest is None and len(every.items) == every.count == found.count
    assert [row.key for row in found.items] == [row.key for row in every.items[offset : offset + limit]]
    values = [row.values["tokens"] or 0 for row in every.items]
    assert values == sorted(values, reverse=True)
    if every.total.values["tokens"]:
        assert sum(row.share or 0 for row in every.items) == pytest.approx(1)


def test_rows_name_their_entity(book: Ledger) -> None:
    book.usage(1, 10, input=5)
    book.usage(4, 10, input=3)
    book.usage(7, 10, input=1)
    book.link(MAIN, "feature", FEATURES[0], 0.5)
    rows = ask(book, "project").items
    assert [(row.key, row.label, row.share) for row in rows] == [
        (APP, "app", 5 / 9),
        (OTHER, "other", 3 / 9),
        ("", "no project", 1 / 9),
    ]
    assert rows[0].entity == t.EntityRef(type="project", id=APP) and rows[2].entity is None
    assert [(row.key, row.label) for row in ask(book, "session").items] == [
        (MAIN, "Main"),
        (SECOND, "Second"),
        ("", "no session"),
    ]
    assert [(row.key, row.label) for row in ask(book, "feature").items] == [(FEATURES[0], "X"), ("", "no feature")]


def test_features_tell_how_many_sessions_they_share(book: Ledger) -> None:
    x, y, _ = FEATURES
    book.usage(1, 10, input=90)
    book.usage(4, 10, input=10)
    book.link(MAIN, "feature", x, 0.6)
    book.link(MAIN, "feature", y, 0.3)
    book.link(SECOND, "feature", y, 0.9)
    rows = ask(book, "feature").items
    assert [(row.key, row.values["tokens"], row.sessions, row.shared) for row in rows] == [(x, 60, 1, 1), (y, 40, 2, 1)]
    assert ask(book, "feature", feature="y").total.values == {"tokens": 100}


def test_tools_and_skills(book: Ledger) -> None:
    book.tool(1, 10, "Bash", calls=5, success=3, errors=1)
    book.tool(1, 10, "Skill", "pdf", calls=2, success=2)
    book.tool(4, 11, "Skill", "pdf", calls=1, errors=1)
    book.tool(4, 11, "SlashCommand", "/go", calls=1)
    found = ask(book, "tool", "toolCalls", "toolSuccessRate")
    assert [(row.key, row.values) for row in found.items] == [
        ("Bash", {"toolCalls": 5, "toolSuccessRate": 0.75}),
        ("Skill", {"toolCalls": 3, "toolSuccessRate": 2 / 3}),
        ("SlashCommand", {"toolCalls": 1, "toolSuccessRate": None}),
    ]
    assert found.total.values == {"toolCalls": 9, "toolSuccessRate": 5 / 7}
    assert shown(ask(book, "skill", "toolCalls")) == {"pdf": 3, "/go": 1}
    assert [row.share for row in ask(book, "tool", "toolSuccessRate").items] == [None] * 3


def test_values_that_are_unknown_come_last(book: Ledger) -> None:
    book.tool(1, 10, "A", calls=5)
    book.tool(1, 10, "B", calls=1, errors=1)
    assert shown(ask(book, "tool", "toolSuccessRate")) == {"B": 0, "A": None}


def test_times(book: Ledger) -> None:
    book.usage(1, -1, input=1)
    book.usage(1, TODAY, input=5)
    book.usage(1, TODAY - 96, input=7)
    assert shown(ask(book, "day")) == {"2026-11-20": 7, "2026-11-21": 5, "": 1}
    assert shown(ask(book, "week")) == {"2026-W47": 12, "": 1}
    assert shown(ask(book, "month")) == {"2026-11": 12, "": 1}
    assert shown(ask(book, "hour")) == {"2026-11-20 15:00+01:00": 7, "2026-11-21 15:00+01:00": 5, "": 1}
    assert [row.label for row in ask(book, "day").items][-1] == "no time"


def test_the_time_before(book: Ledger) -> None:
    book.usage(1, TODAY, OPUS, input=5)
    book.usage(1, TODAY - 96, OPUS, input=7)
    book.usage(1, TODAY - 96, SONNET, input=1)
    found = ask(book, "model", since="today", compare=True)
    assert [(row.key, row.values, row.previous) for row in found.items] == [(OPUS, {"tokens": 5}, {"tokens": 7})]
    assert found.previous is not None and found.previous.values == {"tokens": 8}
    assert ask(book, "model", compare=True).items[0].previous is None


def test_files(book: Ledger) -> None:
    paths = ["/work/app-1/a", "/work/app-1/a", "/work/app-1/b", "/elsewhere", None]
    for n, path in enumerate(paths):
        time = (TODAY - n * 96) * SLOT_MS
        book.add("session_tool_calls", file_id=1, n=n, tool_use_id=f"t{n}")
        row = {"file_path": path, "action": "edit", "additions": n, "time": time, "counted": 1}
        book.add("session_file_updates", file_id=1, n=n, **row)
        book.add("activity_slots", file_id=1, slot=TODAY - n * 96, edits=1, additions=n)
    book.add("session_tool_calls", file_id=8, n=0, tool_use_id="t")
    book.add("session_file_updates", file_id=8, n=0, file_path="/secret", action="edit", additions=9, counted=1)
    try:
        found = ask(book, "file", "edits", "additions", limit=2)
        assert [(row.key, row.label, row.values["edits"]) for row in found.items] == [
            ("/work/app-1/a", "a", 2),
            ("", "no path", 1),
        ]
        assert found.count == 4
        assert found.total.values == {"edits": 5, "additions": 10}
        assert found.rest is not None and found.rest.values == {"edits": 2, "additions": 5}
        assert shown(ask(book, "file", "additions", offset=1)) == {"/elsewhere": 3, "/work/app-1/b": 2, "/work/app-1/a": 1}
        some = ask(book, "file", "edits", since="today", compare=True)
        assert [(row.key, row.previous) for row in some.items] == [("/work/app-1/a", {"edits": 1})]
        assert shown(ask(book, "file", "edits", include_hidden=True))["/secret"] == 1
    finally:
        book.connection.exec_driver_sql("DELETE FROM session_tool_calls")
        book.connection.exec_driver_sql("DELETE FROM session_file_updates")


@pytest.mark.parametrize("by", [*BY_SESSION, *TIMES, "model", "subagentType"])
def test_an_empty_cache_has_no_rows(by: str) -> None:
    with cache() as connection:
        found = ask(Ledger(connection), by, "cost")
        assert found.items == [] and found.count == 0 and found.rest is None
        assert found.total == t.Values(values={"cost": 0.0}, cost=None)


def test_what_cannot_be_told_is_said(book: Ledger) -> None:
    with pytest.raises(InvalidParams, match=r"by: cost cannot be told by tool, only by .*model"):
        ask(book, "tool", "cost")
    with pytest.raises(InvalidParams, match=r"by: tokens cannot be told by file, only by "):
        ask(book, "file", "edits", "tokens")
    with pytest.raises(InvalidParams, match=r"by: taskCompletion cannot be told by model"):
        ask(book, "model", "taskCompletion")
