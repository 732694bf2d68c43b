"""Windows of limits: what they hold adds up, whose use they are, and how fast the active one fills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.analytics.windows import windows
from ccdashd.clock import milliseconds
from ccdashd.derive import periods
from ccdashd.derive.measures import usd
from ccdashd.derive.periods import Range
from ccdashd.derive.slots import SLOT_MS
from ccdashd.derive.windows import week_start
from ccdashd.protocol import types as t
from ccdashd.store import facts, filters
from ccdashd.store.filters import Filter
from tests.store.ledger import APP, DAYS, NOW, OPUS, SECOND, SONNET, ZONES, Day, Ledger, ledger, write
from tests.store.plans import cache

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000
NOON = 1_971_600  # 2026-03-25, 12:00 UTC
DOLLAR = 10**12

whatever = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def book() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


@pytest.fixture
def empty(book: Ledger) -> Ledger:
    book.clear()
    return book


def asked(book: Ledger, now: int = NOW, zone: ZoneInfo = BERLIN, start: str = "mon 00:00", **params: Any) -> list[t.Window]:
    given = t.WindowsParams(**params)
    found = windows(
        book.connection,
        given,
        filters.resolve(book.connection, given),
        periods.resolve(given.since, given.until, zone, now),
        week_start=week_start(start),
        zone=zone,
        now=now,
        revision=7,
    )
    assert (found.kind, found.revision) == (given.kind, 7)
    return found.items


@whatever
@given(day=DAYS, kind=st.sampled_from(["fiveHours", "week"]), zone=ZONES)
def test_windows_add_up_to_all_that_has_a_time(book: Ledger, day: Day, kind: Any, zone: str) -> None:
    write(book, day)
    found = asked(book, zone=ZoneInfo(zone), kind=kind, limit=500)
    dated = facts.total(book.connection, Filter().during(Range(0, None)))
    assert sum(window.tokens.input for window in found) == dated.input
    assert sum(window.values["messages"] or 0 for window in found) == dated.messages
    for window in found:
        range = Range(milliseconds(window.start), milliseconds(window.end))
        whole = facts.total(book.connection, Filter().during(range))
        assert window.values["cost"] == usd(whole.cost)
        assert window.tokens.cache_read == whole.cache_read
        assert window.start <= (window.first or "") <= (window.last or "") < window.end
    starts = [milliseconds(window.start) for window in found]
    assert starts == sorted(starts, reverse=True)
    assert [window.active for window in found].count(True) <= 1


def test_where_windows_begin_follows_from_all_use_and_what_they_hold_from_the_scope(empty: Ledger) -> None:
    empty.usage(8, NOON + 1, pico=DOLLAR)  # in a hidden project
    empty.usage(1, NOON + 10, SONNET, pico=2 * DOLLAR, input=5, lower_bounds=1)
    empty.usage(4, NOON + 18, OPUS, pico=3 * DOLLAR)
    empty.usage(4, NOON + 20, pico=4 * DOLLAR)
    first, second = reversed(asked(empty, NOW))
    assert (first.start, first.end) == ("2026-03-25T12:00:00.000Z", "2026-03-25T17:00:00.000Z")
    assert (first.first, first.last) == ("2026-03-25T14:30:00.000Z", "2026-03-25T16:30:00.000Z")
    assert (first.sessions, first.models, first.values["cost"]) == (2, [OPUS, SONNET], 5.0)
    assert first.cost is not None
    assert first.cost.provenance == "lower_bound"
    assert (first.active, first.burn) == (False, None)
    assert second.start == "2026-03-25T17:00:00.000Z"
    (own,) = asked(empty, project=APP)
    assert (own.start, own.first, own.values["cost"], own.sessions) == (first.start, first.first, 2.0, 1)
    assert [window.values["cost"] for window in asked(empty, include_hidden=True)] == [4.0, 6.0]
    assert [window.values["cost"] for window in asked(empty, model=SONNET)] == [2.0]
    assert [window.values["cost"] for window in asked(empty, session=SECOND)] == [4.0, 3.0]
    assert asked(empty, limit=1) == [second]
    assert asked(empty, since="2026-03-25T17:00Z") == [second]
    assert asked(empty, until="2026-03-25T16:59Z") == [first], "windows are told whole"
    assert asked(empty, since="2026-03-26") == []


def test_how_fast_the_active_window_fills(empty: Ledger) -> None:
    now = NOON * SLOT_MS
    empty.usage(1, NOON - 200, pico=30 * DOLLAR)
    empty.usage(1, NOON - 100, pico=20 * DOLLAR)
    empty.usage(1, NOON - 8, pico=5 * DOLLAR, output=600)
    empty.usage(1, NOON - 4, pico=5 * DOLLAR, input=600)
    active = asked(empty, now)[0]
    assert active.burn == t.Burn(
        usd_per_hour=5.0,
        tokens_per_minute=10.0,
        projected_usd=25.0,
        projected_tokens=3000,
        limit_usd=30.0,
        exhausted_at=None,
    )
    empty.usage(1, NOON - 7, pico=10 * DOLLAR)
    assert asked(empty, now)[0].burn.exhausted_at == "2026-03-25T13:00:00.000Z"  # type: ignore[union-attr]
    assert [window.active for window in asked(empty, now)] == [True, False, False]
    assert not asked(empty, now + 3 * HOUR)[0].active, "it ends after five hours"
    alone = asked(empty, (NOON - 199) * SLOT_MS, until="2026-03-23")[0].burn
    assert alone is not None
    assert (alone.limit_usd, alone.exhausted_at) == (None, None)


def test_clocks_that_were_set_back(empty: Ledger) -> None:
    empty.usage(1, NOON, pico=4 * DOLLAR)
    empty.usage(1, NOON + 8, pico=4 * DOLLAR)
    before, during = asked(empty, (NOON - 1) * SLOT_MS)[0], asked(empty, NOON * SLOT_MS)[0]
    assert (before.active, before.burn) == (False, None), "a window of the future"
    assert during.burn is not None
    assert during.burn.usd_per_hour == 4.0, "until the last use, which is two hours later"


def test_a_week_by_the_setting_over_a_change_of_clocks(empty: Ledger) -> None:
    empty.usage(1, NOON, pico=DOLLAR)
    empty.usage(1, NOON + 4 * 96, pico=DOLLAR)
    (week,) = asked(empty, kind="week")
    assert (week.start, week.end) == ("2026-03-22T23:00:00.000Z", "2026-03-29T22:00:00.000Z")
    later, earlier = asked(empty, kind="week", start="sat 09:00")
    assert (earlier.start, earlier.end) == ("2026-03-21T08:00:00.000Z", "2026-03-28T08:00:00.000Z")
    assert (later.start, later.end) == ("2026-03-28T08:00:00.000Z", "2026-04-04T07:00:00.000Z")
    ago = [window.values["cost"] for window in asked(empty, kind="week", zone=ZoneInfo("Pacific/Kiritimati"))]
    assert ago == [1.0, 1.0], "it is Monday there"


def test_nothing_was_used(empty: Ledger) -> None:
    assert asked(empty) == asked(empty, kind="week") == []
    empty.usage(1, -1, pico=DOLLAR)
    assert asked(empty) == [], "what has no time is in no window"
