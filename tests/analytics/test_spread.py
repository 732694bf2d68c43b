"""Heat maps, distributions and top sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from ccdashd.analytics.spread import distribution, heatmap, top
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from tests.store.ledger import DAYS, MAIN, NOW, SECOND, ZONES, Day, Ledger, ledger, slot, sums, write
from tests.store.plans import cache

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def shared() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


@pytest.fixture
def book(shared: Ledger) -> Ledger:
    shared.clear()
    return shared


def heat(book: Ledger, zone: str = "Europe/Berlin", **params: Any) -> t.Heatmap:
    return heatmap(book.connection, t.HeatmapParams(**params), ZoneInfo(zone), NOW, 7)


def spread(book: Ledger, **params: Any) -> t.Distribution:
    return distribution(book.connection, t.DistributionParams(**params), BERLIN, NOW, 7)


def most(book: Ledger, **params: Any) -> t.Top:
    return top(book.connection, t.TopParams(**params), BERLIN, NOW, 7)


@settings(max_examples=20, deadline=None)
@given(day=DAYS, zone=ZONES)
def test_cells_and_what_has_no_time_add_up(shared: Ledger, day: Day, zone: str) -> None:
    write(shared, day)
    found = heat(shared, zone, metric="tokens")
    whole = sums(day)
    assert found.total == float(whole.input + whole.output + whole.cache_read + whole.cache_write)
    assert [len(row) for row in found.cells] == [24] * 7
    assert sum(map(sum, found.cells)) + found.undated == found.total


def test_cells_are_hours_of_local_clocks(book: Ledger) -> None:
    book.usage(1, slot("2026-03-29T00:45Z"), input=1)  # Sunday 01:45
    book.usage(1, slot("2026-03-29T01:00Z"), input=2)  # Sunday 03:00
    book.usage(1, slot("2026-03-29T22:00Z"), input=4)  # Monday 00:00
    book.usage(1, slot("2026-10-25T00:00Z"), input=8)  # Sunday 02:00
    book.usage(1, slot("2026-10-25T01:00Z"), input=16)  # Sunday 02:00 again
    cells = heat(book, metric="tokens").cells
    assert {(day, hour): value for day, row in enumerate(cells) for hour, value in enumerate(row) if value} == {
        (6, 1): 1.0,
        (6, 3): 2.0,
        (0, 0): 4.0,
        (6, 2): 24.0,
    }


def test_active_time_by_default(book: Ledger) -> None:
    book.add("session_minutes", file_id=1, slot=slot("2026-11-21T12:00Z"), minutes=0b111)
    found = heat(book)
    assert (found.metric, found.unit, found.cells[5][13]) == ("activeSeconds", "seconds", 180.0)


@pytest.mark.parametrize("metric", ["cacheHitShare", "activeSessions", "contextPeak", "tasksDone"])
def test_what_does_not_add_up_has_no_heat_map(book: Ledger, metric: str) -> None:
    with pytest.raises(InvalidParams, match=f"metric: {metric} is no sum over hours"):
        heat(book, metric=metric)


def test_a_distribution_is_one_over_sessions_with_their_subagents(book: Ledger) -> None:
    book.usage(1, 10, input=10)
    book.usage(2, 11, input=20)
    book.usage(4, 10, input=130)
    book.usage(7, 10, input=1000)  # of no session
    found = spread(book, metric="tokens", bins=2)
    assert (found.count, found.mean, found.minimum, found.maximum) == (2, 80.0, 30.0, 130.0)
    assert (found.p10, found.p25, found.median, found.p75, found.p90) == (40.0, 55.0, 80.0, 105.0, 120.0)
    assert found.p95 == pytest.approx(125) and found.p99 == pytest.approx(129)
    assert found.bins == [t.Bin(start=30.0, end=80.0, count=1), t.Bin(start=80.0, end=130.0, count=1)]


def test_sessions_without_a_value_are_left_out(book: Ledger) -> None:
    book.tool(1, 10, "Bash", calls=2)
    book.tool(4, 10, "Bash", calls=2, success=1)
    found = spread(book, metric="toolSuccessRate")
    assert (found.count, found.median) == (1, 1.0)


def test_of_nothing_there_is_no_distribution(book: Ledger) -> None:
    found = spread(book)
    assert found.count == 0 and found.bins == []
    assert found.mean is found.minimum is found.median is found.p99 is found.maximum is None


@pytest.mark.parametrize("bins", [0, 101, -1])
def test_bins_are_bounded(book: Ledger, bins: int) -> None:
    with pytest.raises(InvalidParams, match="bins: must be between 1 and 100"):
        spread(book, bins=bins)


def test_plans_are_not_of_sessions(book: Ledger) -> None:
    with pytest.raises(InvalidParams, match="metric: tasksDone cannot be told by session"):
        spread(book, metric="tasksDone")
    with pytest.raises(InvalidParams, match="metric: featureProgress cannot be told by session"):
        most(book, metric="featureProgress")


def test_the_sessions_with_most(book: Ledger) -> None:
    book.usage(1, 10, pico=10**12)
    book.usage(2, 10, pico=2 * 10**12)
    book.usage(4, 10, pico=10**12)
    book.usage(6, 10, pico=9 * 10**12)  # whose session is not there
    found = most(book)
    assert [(item.session.id, item.values) for item in found.items] == [(MAIN, {"cost": 3.0}), (SECOND, {"cost": 1.0})]
    assert found.items[0].cost is not None and found.items[0].cost.usd == 3.0
    assert [item.session.id for item in most(book, limit=1).items] == [MAIN]
    assert most(book, metric="tokens").items == []
    assert [item.values for item in most(book, subagents="only").items] == [{"cost": 2.0}]
