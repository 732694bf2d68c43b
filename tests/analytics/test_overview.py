"""The overview: every figure in it is that of the question that asks for it alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings

from ccdashd.analytics.overview import DAYS as COURSE
from ccdashd.analytics.overview import METRICS, overview
from ccdashd.analytics.trends import trend
from ccdashd.derive import periods
from ccdashd.derive.slots import SLOT_MS
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from tests.store.ledger import APP, DAYS, MAIN, NOW, OPUS, OTHER, SECOND, SONNET, ZONES, Day, Ledger, ledger, write
from tests.store.plans import cache

BERLIN = ZoneInfo("Europe/Berlin")
DOLLAR = 10**12

whatever = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def book() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


@pytest.fixture
def empty(book: Ledger) -> Ledger:
    book.clear()
    return book


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def glance(book: Ledger, now: int = NOW, zone: ZoneInfo = BERLIN, **params: Any) -> t.Overview:
    return overview(book.connection, t.OverviewParams(**params), zone, now, 7)


def totals(book: Ledger, now: int, zone: ZoneInfo, since: str | None, step: t.Step = "month") -> t.Trend:
    params = t.TrendParams(since=since, step=step, metrics=list(METRICS), compare=since is not None)
    return trend(book.connection, params, zone, now, 7)


@whatever
@given(day=DAYS, zone=ZONES)
def test_figures_are_those_of_trends(book: Ledger, day: Day, zone: str) -> None:
    write(book, day)
    where = ZoneInfo(zone)
    found = glance(book, zone=where)
    whole = totals(book, NOW, where, None)
    assert (found.total, found.revision) == (whole.total, 7)
    assert sum(row.values["cost"] or 0 for row in found.models) == pytest.approx(whole.total.values["cost"], abs=5e-6)
    for since, now_told, before_told in (
        ("today", found.today, found.previous_day),
        ("week", found.week, found.previous_week),
        ("month", found.month, found.previous_month),
    ):
        alone = totals(book, NOW, where, since)
        assert (now_told, before_told) == (alone.total, alone.previous), since
    first = periods.local(NOW, where).date().toordinal() - COURSE + 1
    alone = totals(book, NOW, where, datetime.fromordinal(first).date().isoformat(), "day")
    assert found.daily == alone.series[0].points
    assert len(found.daily) == COURSE
    assert found.forecast.so_far == found.month.values["cost"]


def test_lists_have_the_largest_first(empty: Ledger) -> None:
    empty.usage(1, 2_000_000, pico=2 * DOLLAR, input=7)
    empty.usage(3, 2_000_000, SONNET, pico=3 * DOLLAR)
    empty.usage(4, 2_000_001, "own", pico=0, output=5, unpriced=1)
    empty.usage(6, 2_000_001, pico=6 * DOLLAR)  # of a sub-agent whose main session nobody has
    empty.usage(7, -1, pico=DOLLAR)  # of no session, nobody knows when
    empty.tool(1, 2_000_000, "Bash", calls=3)
    empty.tool(4, 2_000_001, "Read", calls=5)
    found = glance(empty)
    assert [(row.key, row.label, row.values) for row in found.projects] == [
        (APP, "app", {"cost": 8.0}),
        (OTHER, "other", {"cost": 3.0}),
        ("", "no project", {"cost": 1.0}),
    ]
    assert [row.share for row in found.projects] == [8 / 12, 3 / 12, 1 / 12]
    assert found.projects[0].entity == t.EntityRef(type="project", id=APP)
    assert [(row.key, row.values) for row in found.models] == [
        (OPUS, {"cost": 9.0, "tokens": 7}),
        (SONNET, {"cost": 3.0, "tokens": 0}),
        ("own", {"cost": 0.0, "tokens": 5}),
    ]
    assert found.models[2].cost == t.Cost(usd=0.0, provenance="unpriced", unpriced_models=["own"])
    assert found.projects[1].cost == t.Cost(usd=3.0, provenance="lower_bound", unpriced_models=["own"])
    assert [(row.key, row.values) for row in found.tools] == [("Read", {"toolCalls": 5}), ("Bash", {"toolCalls": 3})]
    assert [(row.session.id, row.values["cost"]) for row in found.top] == [(MAIN, 5.0), (SECOND, 0.0)]
    assert found.unpriced_models == ["own"]
    assert found.total.values == {"cost": 12.0, "tokens": 12, "messages": 5, "sessions": 2}
    assert found.undated is not None
    assert found.undated.values["cost"] == 1.0
    scoped = glance(empty, project=OTHER, since="2027-01-15", until="2027-01-16")
    assert [row.key for row in scoped.models] == [SONNET, "own"]
    assert (scoped.undated, scoped.total.values["sessions"]) == (None, 0)


def test_a_models_part_has_no_sessions_and_no_tools(empty: Ledger) -> None:
    empty.usage(1, 2_000_000, pico=2 * DOLLAR)
    empty.usage(1, 2_000_000, SONNET, pico=DOLLAR)
    empty.tool(1, 2_000_000, "Bash")
    found = glance(empty, model=SONNET)
    assert (found.total.values, found.tools) == ({"cost": 1.0, "tokens": 0, "messages": 1}, [])
    assert [row.values for row in found.top] == [{"cost": 1.0}]


def test_the_month_ahead(empty: Ledger) -> None:
    now = at("2026-03-11 12:00")  # half of 31 days of a month are left, and one more hour in summer
    for day in range(1, 12):
        empty.usage(1, at(f"2026-03-{day:02} 10:00") // SLOT_MS, pico=day * DOLLAR)
    forecast = glance(empty, now, ZoneInfo("UTC")).forecast
    assert (forecast.month, forecast.so_far, forecast.days) == ("2026-03", 66.0, 7)
    assert forecast.per_day == 7.0, "of the 4th to the 10th; today is not over"
    assert forecast.projected == 66 + 7 * 20.5


def test_the_month_ahead_of_two_days_and_of_the_first(empty: Ledger) -> None:
    utc = ZoneInfo("UTC")
    now = at("2026-03-11 12:00")
    empty.usage(1, at("2026-03-09 23:45") // SLOT_MS, pico=4 * DOLLAR)
    forecast = glance(empty, now, utc).forecast
    assert (forecast.days, forecast.per_day, forecast.projected) == (2, 2.0, 4 + 2 * 20.5)
    forecast = glance(empty, at("2026-03-09 23:59"), utc).forecast
    assert (forecast.days, forecast.per_day, forecast.projected) == (0, 0.0, 4.0)


def test_what_goes_on(empty: Ledger) -> None:
    now = at("2026-03-11 12:00")
    empty.usage(1, now // SLOT_MS - 4, pico=2 * DOLLAR)
    empty.usage(1, now // SLOT_MS - 400, pico=9 * DOLLAR)
    empty.add("alert_states", rule_id="r", subject="a", state="firing", since=now, value=1.0)
    empty.add("alert_states", rule_id="r", subject="b", state="pending", since=now, value=1.0)
    empty.connection.exec_driver_sql("UPDATE sessions SET ended_at = ? WHERE id = ?", (now - 60_000, SECOND))
    found = glance(empty, now)
    assert (found.active, found.alerts) == (1, 1)
    assert glance(empty, now, project=APP).active == 0
    assert found.window is not None
    assert (found.window.values["cost"], found.window.start) == (2.0, "2026-03-11T11:00:00.000Z")
    assert found.window.burn is not None
    assert found.window.burn.limit_usd == 9.0
    assert glance(empty, now, project=OTHER).window is None
    empty.connection.exec_driver_sql("UPDATE sessions SET ended_at = NULL WHERE id = ?", (SECOND,))
    empty.connection.exec_driver_sql("DELETE FROM alert_states")
    assert (glance(empty, now).active, glance(empty, now).alerts) == (0, 0)


def test_nothing_at_all(empty: Ledger) -> None:
    found = glance(empty)
    assert found.total.values == {"cost": 0.0, "tokens": 0, "messages": 0, "sessions": 2}
    assert found.total.cost is None
    assert found.forecast == t.Forecast(month="2026-11", so_far=0.0, per_day=0.0, days=0, projected=0.0)
    assert (found.window, found.undated, found.projects, found.top) == (None, None, [], [])


def test_bad_ranges_and_unknown_things(empty: Ledger) -> None:
    with pytest.raises(InvalidParams, match="until"):
        glance(empty, since="2026-03-02", until="2026-03-01")
    with pytest.raises(NotFound, match="nowhere"):
        glance(empty, project="nowhere")
