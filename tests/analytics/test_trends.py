"""Trends: every step, the parts add up to the whole, and what has no time is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.analytics.trends import trend
from ccdashd.derive.slots import SLOT_MS
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from tests.store.ledger import APP, DAYS, FEATURES, MAIN, NOW, OPUS, ZONES, Day, Ledger, ledger, slot, sums, write
from tests.store.plans import cache

BERLIN = ZoneInfo("Europe/Berlin")
WHOLE = ("tokens", "toolCalls", "edits", "activeSeconds", "sessions")
"""Metrics that add up to the last unit."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


@pytest.fixture
def book(shared: Ledger) -> Ledger:
    shared.clear()
    return shared


def ask(book: Ledger, zone: str = "Europe/Berlin", now: int = NOW, **params: Any) -> t.Trend:
    return trend(book.connection, t.TrendParams(**params), ZoneInfo(zone), now, 7)


def shown(found: t.Series) -> dict[str, float | int | None]:
    """The first metric of each step that has any."""
    values = {point.label: next(iter(point.values.values())) for point in found.points}
    return {label: value for label, value in values.items() if value}


@settings(max_examples=12, deadline=None)
@given(
    day=DAYS,
    zone=ZONES,
    step=st.sampled_from(("week", "month")),
    split=st.sampled_from((None, "project", "branch", "feature")),
)
def test_steps_and_series_add_up_to_the_total(shared: Ledger, day: Day, zone: str, step: str, split: str | None) -> None:
    write(shared, day)
    found = ask(shared, zone, metrics=WHOLE, step=step, split=split, series=2)
    whole = sums(day)
    assert found.total.values == {
        "tokens": whole.input + whole.output + whole.cache_read + whole.cache_write,
        "toolCalls": whole.calls,
        "edits": whole.edits,
        "activeSeconds": 60 * whole.minutes,
        "sessions": 2,
    }
    undated = found.undated.values if found.undated is not None else dict.fromkeys(WHOLE, 0)
    for metric in WHOLE:
        dated = sum(point.values[metric] or 0 for series in found.series for point in series.points)
        assert dated + (undated[metric] or 0) == found.total.values[metric], metric
        assert sum(series.total.values[metric] or 0 for series in found.series) == found.total.values[metric], metric


def test_a_day_is_that_of_the_zone(book: Ledger) -> None:
    book.usage(1, slot("2026-03-28T22:45Z"), input=1)
    book.usage(1, slot("2026-03-28T23:00Z"), input=2)
    book.usage(1, slot("2026-03-29T21:45Z"), input=4)
    book.usage(1, slot("2026-03-29T22:00Z"), input=8)
    params: dict[str, Any] = {"metrics": ("tokens",), "since": "2026-03-28", "until": "2026-03-30"}
    assert shown(ask(book, **params).series[0]) == {"2026-03-28": 1, "2026-03-29": 6, "2026-03-30": 8}
    assert shown(ask(book, "Asia/Kathmandu", **params).series[0]) == {"2026-03-29": 3, "2026-03-30": 12}


def test_the_night_in_which_an_hour_comes_twice(book: Ledger) -> None:
    for place, time in enumerate(("2026-10-24T23:45Z", "2026-10-25T00:00Z", "2026-10-25T00:45Z", "2026-10-25T01:00Z")):
        book.usage(1, slot(time), input=1 << place)
    found = ask(book, metrics=("tokens",), step="hour", since="2026-10-25", until="2026-10-25").series[0]
    assert len(found.points) == 25
    assert shown(found) == {
        "2026-10-25 01:00+02:00": 1,
        "2026-10-25 02:00+02:00": 6,
        "2026-10-25 02:00+01:00": 8,
    }


def test_every_step_is_there(book: Ledger) -> None:
    book.usage(1, slot("2026-11-17T12:00Z"), pico=10**12)
    found = ask(book).series[0]
    assert [point.label for point in found.points] == [f"2026-11-{day}" for day in (17, 18, 19, 20, 21)]
    assert found.points[0].start == "2026-11-16T23:00:00.000Z"
    assert [point.values["cost"] for point in found.points] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert found.points[0].cost is not None and found.points[1].cost is None


def test_shares_of_nothing_are_unknown_and_that_of_all_is_no_mean_of_shares(book: Ledger) -> None:
    book.usage(1, slot("2026-11-17T12:00Z"), input=10)
    book.usage(1, slot("2026-11-19T12:00Z"), input=10, cache_read=60)
    found = ask(book, metrics=("cacheHitShare",), since="2026-11-17", until="2026-11-19")
    assert [point.values["cacheHitShare"] for point in found.series[0].points] == [0, None, 60 / 70]
    assert found.total.values["cacheHitShare"] == 60 / 80


def test_the_largest_parts_and_all_others(book: Ledger) -> None:
    for place, model in enumerate(("a", "b", "c", "d")):
        book.usage(1, slot("2026-11-20T12:00Z"), model, input=10**place)
    found = ask(book, metrics=("tokens",), split="model", series=2)
    assert [(series.key, series.label, series.total.values["tokens"]) for series in found.series] == [
        ("d", "d", 1000),
        ("c", "c", 100),
        ("…", "others", 11),
    ]
    assert [series.key for series in ask(book, metrics=("tokens",), split="model").series] == ["d", "c", "b", "a"]
    assert [series.key for series in ask(book, metrics=("tokens",), split="model", series=0).series] == ["…"]


def test_parts_are_called_by_their_names(book: Ledger) -> None:
    book.usage(1, slot("2026-11-20T12:00Z"), input=1)
    book.link(MAIN, "feature", FEATURES[0], 0.5)
    for split, key, label in (("project", APP, "app"), ("session", MAIN, "Main"), ("feature", FEATURES[0], "X")):
        series = ask(book, metrics=("tokens",), split=split).series
        assert [(one.key, one.label) for one in series] == [(key, label)]


def test_what_has_no_time_is_told_apart_and_only_of_all_time(book: Ledger) -> None:
    book.usage(1, -1, input=5)
    book.usage(1, slot("2026-11-20T12:00Z"), input=1)
    found = ask(book, metrics=("tokens",))
    assert found.total.values == {"tokens": 6}
    assert found.undated is not None and found.undated.values == {"tokens": 5}
    some = ask(book, metrics=("tokens",), since="month")
    assert some.total.values == {"tokens": 1} and some.undated is None


def test_what_a_clock_dates_to_the_future_has_no_time(book: Ledger) -> None:
    book.usage(1, slot("2150-01-01T00:00Z"), input=5)
    book.usage(1, slot("2026-11-22T12:00Z"), input=1)
    found = ask(book, metrics=("tokens",))
    assert [point.label for point in found.series[0].points] == ["2026-11-22"]
    assert found.undated is not None and found.undated.values == {"tokens": 5}
    then = ask(book, metrics=("tokens",), step="month", since="2149-12-01", until="2150-01-31")
    assert shown(then.series[0]) == {"2150-01": 5}


def test_what_a_clock_dates_to_1970_is_told_by_day(book: Ledger) -> None:
    book.usage(1, 0, input=5)
    assert shown(ask(book, metrics=("tokens",)).series[0]) == {"1970-01-01": 5}
    with pytest.raises(
        InvalidParams, match=r"step: makes .* points from 1970-01-01 until 2026-11-21, at most 40,000; give"
    ):
        ask(book, step="hour")
    assert shown(ask(book, metrics=("tokens",), step="month").series[0]) == {"1970-01": 5}
    assert shown(ask(book, "America/New_York", metrics=("tokens",), step="month").series[0]) == {"1969-12": 5}


def test_points_of_all_series_together_are_bounded(book: Ledger) -> None:
    for number in range(12):
        book.usage(1, 0, f"model-{number}", input=number + 1)
    assert len(ask(book, split="model").series) == 6
    problem = (
        r"series: makes 20,\d+ points in each of 12 series, at most 240,000 in all; give fewer, since, or a longer step"
    )
    with pytest.raises(InvalidParams, match=problem):
        ask(book, split="model", series=12)


def test_the_time_before_is_told_too(book: Ledger) -> None:
    book.usage(1, slot("2026-11-13T12:00Z"), input=1)
    book.usage(1, slot("2026-11-14T14:00Z"), input=2)
    book.usage(1, slot("2026-11-14T15:00Z"), input=4)
    book.usage(1, slot("2026-11-20T12:00Z"), input=8)
    found = ask(book, metrics=("tokens",), since="week", compare=True)
    assert found.total.values == {"tokens": 8}
    assert found.previous is not None and found.previous.values == {"tokens": 3}
    assert found.previous_period == t.Period(start="2026-11-08T23:00:00.000Z", end="2026-11-14T14:15:00.000Z")
    assert ask(book, compare=True).previous is None
    assert ask(book, since="week").previous is None


def test_edits_by_file(book: Ledger) -> None:
    for n, (path, day) in enumerate((("/a", 19), ("/a", 20), ("/b", 20), ("/c", 20))):
        time = slot(f"2026-11-{day}T12:00Z") * SLOT_MS
        book.add("session_tool_calls", file_id=1, n=n, tool_use_id=f"t{n}", message=None)
        row = {"file_path": path, "action": "edit", "additions": 2, "deletions": 1, "time": time, "counted": 1}
        book.add("session_file_updates", file_id=1, n=n, **row)
    for day, edits in ((19, 1), (20, 3)):
        sums = {"edits": edits, "additions": 2 * edits, "deletions": edits}
        book.add("activity_slots", file_id=1, slot=slot(f"2026-11-{day}T12:00Z"), **sums)
    found = ask(book, metrics=("edits", "churn"), split="file", series=1, since="week")
    assert [(series.key, shown(series), series.total.values) for series in found.series] == [
        ("/a", {"2026-11-19": 1, "2026-11-20": 1}, {"edits": 2, "churn": 6}),
        ("…", {"2026-11-20": 2}, {"edits": 2, "churn": 6}),
    ]
    assert ask(book, metrics=("filesChanged",), since="week").total.values == {"filesChanged": 3}
    book.connection.exec_driver_sql("DELETE FROM session_tool_calls")
    book.connection.exec_driver_sql("DELETE FROM session_file_updates")


def test_an_empty_cache_has_no_steps(book: Ledger) -> None:
    with cache() as connection:
        found = ask(Ledger(connection))
        assert found.series[0].points == [] and found.total.values == {"cost": 0.0} and found.total.cost is None
        assert found.undated is None
        assert ask(Ledger(connection), split="project").series == []
        assert len(ask(Ledger(connection), since="week").series[0].points) == 6


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"metrics": ("nothing",)}, "metrics: is no metric"),
        ({"metrics": ()}, "metrics: is empty"),
        ({"split": "day"}, "split: is a time"),
        ({"split": "tool"}, "split: cost cannot be told by tool, only by "),
        ({"metrics": ("toolCalls",), "model": OPUS}, "model: toolCalls cannot be told by model"),
        ({"metrics": ("tasksDone",), "branch": "main"}, "branch: tasksDone is of plans"),
        ({"metrics": ("tasksDone",), "subagents": "only"}, "subagents: tasksDone is of plans"),
        ({"series": -1, "split": "model"}, "series: must be between 0 and 50"),
        ({"series": 51, "split": "model"}, "series: must be between 0 and 50"),
        ({"since": "tomorrow"}, "since: is no time"),
        ({"step": "hour", "since": "1990-01-01"}, "step: makes 323,"),
    ],
)
def test_what_cannot_be_told_is_said(book: Ledger, params: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        ask(book, **params)
    assert caught.value.message.startswith(problem)
