"""Windows of limits: every use in exactly one, weeks where clocks change, pace and outlook."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.slots import FAR_MS, SLOT_MS
from ccdashd.derive.windows import FIVE_HOURS, Span, WeekStart, after_pause, five_hours, outlook, pace, week_start, weeks

HOUR = 3_600_000
DAY = 24 * HOUR
MONDAY = WeekStart(0, 0)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia")

slots_of_use = st.lists(st.integers(-1, FAR_MS // SLOT_MS - 1) | st.integers(1_900_000, 1_900_400), unique=True).map(sorted)
week_starts = st.builds(WeekStart, st.integers(0, 6), st.integers(0, 95).map(lambda quarter: quarter * 15))


def slot(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000) // SLOT_MS


def text(slot: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(slot * SLOT_MS // 1000, zone):%a %m-%d %H:%M}"


def assert_each_in_one(slots: list[int], windows: list[Span]) -> None:
    assert all(before.end <= after.start for before, after in pairwise(windows))
    holding = [[window for window in windows if window.start <= slot < window.end] for slot in slots if slot >= 0]
    assert all(len(found) == 1 for found in holding)
    assert {window for found in holding for window in found} == set(windows), "a window without use"


@given(slots_of_use)
def test_each_use_is_in_one_window_which_begins_at_the_hour_of_its_first(slots: list[int]) -> None:
    windows = five_hours(slots)
    assert_each_in_one(slots, windows)
    for window in windows:
        first = min(slot for slot in slots if slot >= window.start)
        assert window.start == first - first % 4
        assert window.end == window.start + FIVE_HOURS


@given(slots_of_use)
def test_windows_after_a_pause_do_not_depend_on_what_was_before(slots: list[int]) -> None:
    used = [slot for slot in slots if slot >= 0]
    after = after_pause(used)
    whole = five_hours(used)
    assert five_hours(after) == whole[len(whole) - len(five_hours(after)) :]
    before = used[: len(used) - len(after)]
    assert all(later - earlier < FIVE_HOURS for earlier, later in pairwise(before))
    assert not after or after[0] - before[-1] >= FIVE_HOURS


def test_five_hours_as_claude_counts_them() -> None:
    used = ["2026-03-02T09:59Z", "2026-03-02T13:59Z", "2026-03-02T14:00Z", "2026-03-02T19:00Z", "2026-03-03T00:15Z"]
    starts = [slot("2026-03-02T09:00Z"), slot("2026-03-02T14:00Z"), slot("2026-03-02T19:00Z"), slot("2026-03-03T00:00Z")]
    assert [window.start for window in five_hours(map(slot, used))] == starts


@given(slots_of_use, week_starts, st.sampled_from(ZONES))
def test_each_use_is_in_one_week(slots: list[int], start: WeekStart, name: str) -> None:
    windows = weeks(slots, start, ZoneInfo(name))
    assert_each_in_one(slots, windows)
    for window in windows:
        assert 6 * DAY <= (window.end - window.start) * SLOT_MS < 8 * DAY + HOUR


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 167), ("2026-10-25", 169), ("2026-06-10", 168)], ids=["spring", "autumn", "summer"]
)
def test_a_week_with_a_change_of_clocks(day: str, hours: int) -> None:
    (week,) = weeks([slot(f"{day}T00:30Z")], MONDAY, BERLIN)
    assert week.end - week.start == hours * 4
    assert [text(edge, BERLIN)[:3] + text(edge, BERLIN)[9:] for edge in week] == ["Mon 00:00"] * 2


@pytest.mark.parametrize(
    ("used", "begin"),
    [
        ("2026-03-29T00:45Z", "Sun 03-22 02:30"),
        ("2026-03-29T01:15Z", "Sun 03-22 02:30"),  # 03:15, after the hour that is missing
        ("2026-03-29T01:30Z", "Sun 03-29 03:30"),
        ("2026-10-25T00:15Z", "Sun 10-18 02:30"),
        ("2026-10-25T00:30Z", "Sun 10-25 02:30"),
        ("2026-10-25T01:15Z", "Sun 10-25 02:30"),  # 02:15 for the second time
    ],
)
def test_a_week_that_begins_in_the_hour_of_the_change(used: str, begin: str) -> None:
    (week,) = weeks([slot(used)], week_start("sun 02:30"), BERLIN)
    assert text(week.start, BERLIN) == begin


def test_the_setting() -> None:
    assert week_start("mon 00:00") == MONDAY
    assert week_start("sun 23:45") == WeekStart(6, 23 * 60 + 45)


WINDOW = Span(1_900_000, 1_900_020)
START = WINDOW.start * SLOT_MS


def test_pace_from_the_first_use_until_now() -> None:
    found = pace(WINDOW, WINDOW.start + 4, WINDOW.start + 10, START + 3 * HOUR, pico=600, tokens=1_200, limit=1_000)
    assert (found.pico_per_hour, found.tokens_per_minute) == (300, 10)
    assert (found.projected_pico, found.projected_tokens) == (1_200, 2_400)
    assert found.exhausted_at == START + HOUR + 10 * HOUR // 3


@pytest.mark.parametrize("limit", [None, 0, 1_201])
def test_no_time_of_exhaustion_without_a_limit_or_beyond_the_window(limit: int | None) -> None:
    used = pace(WINDOW, WINDOW.start + 4, WINDOW.start + 10, START + 3 * HOUR, pico=600, tokens=0, limit=limit)
    assert used.exhausted_at is None
    assert pace(WINDOW, WINDOW.start, WINDOW.start, START, pico=0, tokens=0, limit=5).exhausted_at is None


@given(st.integers(0, 19), st.integers(0, 19), st.integers(-DAY, DAY), st.integers(0, 10**20), st.integers(0, 10**12))
def test_pace_at_any_time_of_the_clock(first: int, later: int, offset: int, pico: int, tokens: int) -> None:
    first, last = sorted((first, later))
    found = pace(WINDOW, WINDOW.start + first, WINDOW.start + last, START + offset, pico=pico, tokens=tokens, limit=pico)
    assert found.projected_pico >= pico
    assert found.projected_tokens >= tokens
    assert 0 <= found.pico_per_hour <= 4 * pico
    if offset < last * SLOT_MS:
        at_last = pace(WINDOW, WINDOW.start + first, WINDOW.start + last, START, pico=pico, tokens=tokens, limit=None)
        assert found._replace(exhausted_at=None) == at_last, "the last use counts as now"
    if pico:
        assert found.exhausted_at is not None
        assert START < found.exhausted_at <= WINDOW.end * SLOT_MS


def test_outlook_by_the_mean_of_the_last_seven_days() -> None:
    assert outlook([7, 0, 0, 7, 0, 0, 7, 1_000], 50, 2 * DAY) == (3, 7, 56)
    assert outlook([4, 2], 50, DAY // 2) == (3, 2, 51)
    assert outlook([], 50, 20 * DAY) == (0, 0, 50)
    assert outlook([4], 50, -DAY) == (4, 1, 50)
