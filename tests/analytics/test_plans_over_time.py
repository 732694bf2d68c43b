"""Metrics of plans beside those of sessions, in trends and breakdowns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ccdashd.analytics.breakdown import breakdown
from ccdashd.analytics.trends import trend
from ccdashd.protocol import types as t
from tests.store.ledger import APP, FEATURES, MAIN, NOW, OTHER, SECRET, Ledger, ledger, slot
from tests.store.plans import cache

X, Y, Z = FEATURES
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def book() -> Iterator[Ledger]:
    """Two tasks of `X` done on two days, one of `Y` nobody knows when, and one open; one of another project, one hidden."""
    with cache() as connection:
        book = ledger(connection)
        for project in (APP, OTHER, SECRET):
            book.add("documents", id=project, project_id=project, path="plan.md")
        tasks = [
            (APP, X, "done", "2026-11-19"),
            (APP, X, "done", "2026-11-20T10:00:00+00:00"),
            (APP, Y, "done", ""),
            (APP, Y, "todo", ""),
            (OTHER, None, "done", "2026-11-20"),
            (SECRET, None, "done", "2026-11-20"),
        ]
        for n, (project, feature, status, completed) in enumerate(tasks):
            row = {"project_id": project, "feature_id": feature, "status": status, "completed": completed}
            book.add("tasks", id=f"t{n}", document_id=project, **row)
        book.usage(1, slot("2026-11-20T12:00Z"), pico=4 * 10**12)
        book.link(MAIN, "feature", X, 0.9)
        yield book


def over_time(book: Ledger, *metrics: str, **params: Any) -> t.Trend:
    return trend(book.connection, t.TrendParams(metrics=list(metrics), **params), BERLIN, NOW, 7)


def told_by(book: Ledger, by: t.Dimension, *metrics: str, **params: Any) -> t.Breakdown:
    return breakdown(book.connection, t.BreakdownParams(by=by, metrics=list(metrics), **params), BERLIN, NOW, 7)


def test_tasks_beside_what_they_cost(book: Ledger) -> None:
    found = over_time(book, "tasksDone", "cost")
    assert [(point.label, point.values) for point in found.series[0].points] == [
        ("2026-11-19", {"tasksDone": 1, "cost": 0.0}),
        ("2026-11-20", {"tasksDone": 2, "cost": 4.0}),
        ("2026-11-21", {"tasksDone": 0, "cost": 0.0}),
    ]
    assert found.total.values == {"tasksDone": 4, "cost": 4.0}
    assert found.undated is not None and found.undated.values == {"tasksDone": 1, "cost": 0.0}


def test_a_series_for_each_project(book: Ledger) -> None:
    found = over_time(book, "tasksDone", split="project", since="2026-11-20", until="2026-11-20")
    assert [(series.key, series.total.values, len(series.points)) for series in found.series] == [
        (APP, {"tasksDone": 1}, 1),
        (OTHER, {"tasksDone": 1}, 1),
    ]
    every = over_time(book, "tasksDone", split="project", series=1, include_hidden=True)
    assert [(series.key, series.total.values) for series in every.series] == [
        (APP, {"tasksDone": 3}),
        ("…", {"tasksDone": 2}),
    ]


def test_by_feature_with_what_it_cost(book: Ledger) -> None:
    found = told_by(book, "feature", "tasksDone", "cost", "taskCompletion")
    assert [(row.key, row.values, row.sessions) for row in found.items] == [
        (X, {"tasksDone": 2, "cost": 4.0, "taskCompletion": 1.0}, 1),
        ("", {"tasksDone": 1, "cost": 0.0, "taskCompletion": 1.0}, None),
        (Y, {"tasksDone": 1, "cost": 0.0, "taskCompletion": 0.5}, None),
        (Z, {"tasksDone": 0, "cost": 0.0, "taskCompletion": None}, None),
    ]
    assert found.total.values == {"tasksDone": 4, "cost": 4.0, "taskCompletion": 4 / 5}
    assert [row.share for row in found.items] == [0.5, 0.25, 0.25, 0.0]
    one = told_by(book, "feature", "tasksDone", feature="x")
    assert [row.key for row in one.items] == [X] and one.total.values == {"tasksDone": 2}


def test_by_project_with_the_time_before(book: Ledger) -> None:
    found = told_by(book, "project", "tasksDone", since="2026-11-20", until="2026-11-20", compare=True)
    assert [(row.key, row.values, row.previous) for row in found.items] == [
        (APP, {"tasksDone": 1}, {"tasksDone": 1}),
        (OTHER, {"tasksDone": 1}, {"tasksDone": 0}),
    ]
    assert found.previous is not None and found.previous.values == {"tasksDone": 1}
    assert told_by(book, "project", "tasksDone", project="app").total.values == {"tasksDone": 3}


def test_by_day_rows_and_the_rest_add_up(book: Ledger) -> None:
    found = told_by(book, "day", "tasksDone", "cost", limit=1)
    assert [(row.key, row.values) for row in found.items] == [("2026-11-20", {"tasksDone": 2, "cost": 4.0})]
    assert found.rest is not None and found.rest.values == {"tasksDone": 2, "cost": 0.0}
    assert found.total.values == {"tasksDone": 4, "cost": 4.0}
    assert [row.key for row in told_by(book, "day", "tasksDone").items] == ["2026-11-20", "", "2026-11-19"]
