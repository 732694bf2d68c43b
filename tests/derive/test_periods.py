"""Ranges of time as people say them, and steps of time zones, in the nights in which clocks are changed too."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.clock import MachineZone, iso, machine_zone
from ccdashd.derive import periods
from ccdashd.derive.periods import ALL, Bin, Range
from ccdashd.derive.slots import FAR_MS, SLOT_MS
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from tests.store.ledger import ZONES

BERLIN = ZoneInfo("Europe/Berlin")
LAST = FAR_MS // SLOT_MS


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOW = ms("2026-11-21T14:06:00Z")


def said(range: Range | None) -> tuple[str, str] | None:
    """A range as people in Berlin read it."""
    if range is None or range.start is None or range.end is None:
        return None
    start, end = (periods.local(time, BERLIN) for time in (range.start, range.end))
    return start.isoformat(" ", "minutes"), end.isoformat(" ", "minutes")


def steps(step: t.Step, since: str, until: str, zone: tzinfo) -> list[Bin]:
    """The steps of a range."""
    start, end = periods.resolve(since, until, zone, NOW).slots
    assert start is not None and end is not None
    return periods.steps(step, start, end, zone)


def hours(day: str, zone: tzinfo) -> list[tuple[str, int]]:
    """The hours of a day, with their slots."""
    return [(bin.label, bin.end - bin.start) for bin in steps("hour", day, day, zone)]


# --- steps ---


def test_a_day_has_23_hours_when_clocks_go_forward() -> None:
    found = hours("2026-03-29", BERLIN)
    assert len(found) == 23
    assert [label for label, _ in found[1:4]] == [
        "2026-03-29 01:00+01:00",
        "2026-03-29 03:00+02:00",
        "2026-03-29 04:00+02:00",
    ]
    assert {length for _, length in found} == {4}


def test_a_day_has_25_hours_when_clocks_go_back() -> None:
    found = hours("2026-10-25", BERLIN)
    assert len(found) == 25
    assert [label for label, _ in found[1:5]] == [
        "2026-10-25 01:00+02:00",
        "2026-10-25 02:00+02:00",
        "2026-10-25 02:00+01:00",
        "2026-10-25 03:00+01:00",
    ]


def test_where_clocks_are_changed_by_half_an_hour_an_hour_is_half_as_long() -> None:
    back = hours("2026-04-05", ZoneInfo("Australia/Lord_Howe"))
    assert back[1:4] == [
        ("2026-04-05 01:00+11:00", 4),
        ("2026-04-05 01:30+10:30", 2),
        ("2026-04-05 02:00+10:30", 4),
    ]
    assert sum(length for _, length in back) == 98
    forward = hours("2026-10-04", ZoneInfo("Australia/Lord_Howe"))
    assert forward[1:4] == [
        ("2026-10-04 01:00+10:30", 4),
        ("2026-10-04 02:30+11:00", 2),
        ("2026-10-04 03:00+11:00", 4),
    ]
    assert sum(length for _, length in forward) == 94


def test_hours_begin_at_a_quarter_of_utc_in_kathmandu() -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    assert [label for label, _ in hours("2026-03-29", zone)][:2] == ["2026-03-29 00:00+05:45", "2026-03-29 01:00+05:45"]
    assert iso(periods.resolve("2026-03-29", None, zone, NOW).start) == "2026-03-28T18:15:00.000Z"


def test_a_day_that_a_zone_left_out_is_no_step() -> None:
    zone = ZoneInfo("Pacific/Apia")
    assert [bin.label for bin in steps("day", "2011-12-29", "2011-12-31", zone)] == ["2011-12-29", "2011-12-31"]


def test_weeks_begin_on_monday_and_have_the_year_of_their_thursday() -> None:
    assert [bin.label for bin in steps("week", "2026-12-27", "2027-01-04", BERLIN)] == ["2026-W52", "2026-W53", "2027-W01"]


@given(
    zone=ZONES.map(ZoneInfo),
    step=st.sampled_from(("hour", "day", "week", "month")),
    start=st.one_of(st.integers(0, LAST - 6000), st.integers(1_950_000, 1_990_000)),
    length=st.integers(1, 5000),
)
def test_steps_hold_every_slot_once(zone: ZoneInfo, step: t.Step, start: int, length: int) -> None:
    end = start + length
    found = periods.steps(step, start, end, zone)
    assert found[0].start <= start < found[0].end
    assert found[-1].start < end <= found[-1].end
    assert all(one.end == other.start and one.key < other.key for one, other in pairwise(found))
    assert len({bin.label for bin in found}) == len(found)
    for bin in found:
        assert periods.begins(step, bin.key, zone) == bin.start
        assert periods.label(step, bin.key, zone) == bin.label
    if step != "hour":
        parts = periods.segments(max(start, 0), end, zone)
        for segment in parts:
            for slot in (segment.start, segment.end - 1):
                key = periods.key_of(step, (slot + segment.offset) // 96)
                assert [bin.start <= slot < bin.end for bin in found if bin.key == key] == [True]


@given(zone=ZONES.map(ZoneInfo), slot=st.integers(0, LAST - 1), length=st.integers(1, 10_000))
def test_segments_say_the_offset_of_every_slot(zone: ZoneInfo, slot: int, length: int) -> None:
    found = periods.segments(slot, slot + length, zone)
    assert found[0].start == slot and found[-1].end == slot + length
    assert all(one.end == other.start and one.offset != other.offset for one, other in pairwise(found))
    for segment in found:
        for at in (segment.start, segment.end - 1):
            offset = periods.local(at * SLOT_MS, zone).utcoffset()
            # Some zones were no whole slots away from UTC in the seventies: their offset is rounded down.
            assert offset is not None and offset // timedelta(milliseconds=SLOT_MS) == segment.offset


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(InvalidParams, match=r"step: makes 490,896 points from 1970-01-01 until 2025-12-31, at most 40,000"):
        periods.steps("hour", 0, ms("2026-01-01T00:00:00Z") // SLOT_MS, ZoneInfo("UTC"))


# --- ranges ---


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("today", None, ("2026-11-21 00:00+01:00", "2026-11-21 15:15+01:00")),
        ("yesterday", None, ("2026-11-20 00:00+01:00", "2026-11-21 15:15+01:00")),
        ("yesterday", "yesterday", ("2026-11-20 00:00+01:00", "2026-11-21 00:00+01:00")),
        ("week", None, ("2026-11-16 00:00+01:00", "2026-11-21 15:15+01:00")),
        ("week", "week", ("2026-11-16 00:00+01:00", "2026-11-23 00:00+01:00")),
        ("month", None, ("2026-11-01 00:00+01:00", "2026-11-21 15:15+01:00")),
        ("year", None, ("2026-01-01 00:00+01:00", "2026-11-21 15:15+01:00")),
        ("24h", None, ("2026-11-20 15:00+01:00", "2026-11-21 15:15+01:00")),
        ("30d", None, ("2026-10-22 15:00+02:00", "2026-11-21 15:15+01:00")),
        ("4w", "1w", ("2026-10-24 15:00+02:00", "2026-11-14 15:15+01:00")),
        ("2026-03-29", "2026-03-29", ("2026-03-29 00:00+01:00", "2026-03-30 00:00+02:00")),
        ("2026-03-29T12:07", "2026-03-29T12:08", ("2026-03-29 12:00+02:00", "2026-03-29 12:15+02:00")),
        ("2026-03-29T12:00Z", "2026-03-29T12:30:00+00:00", ("2026-03-29 14:00+02:00", "2026-03-29 14:30+02:00")),
        ("2026-12-24", "2026-12-24", ("2026-12-24 00:00+01:00", "2026-12-25 00:00+01:00")),
    ],
)
def test_what_people_say(since: str, until: str | None, expected: tuple[str, str]) -> None:
    assert said(periods.resolve(since, until, BERLIN, NOW)) == expected


def test_all_time_is_open() -> None:
    assert periods.resolve(None, None, BERLIN, NOW) == ALL
    assert periods.resolve(None, "2026-03-29", BERLIN, NOW) == Range(None, ms("2026-03-30T00:00:00+02:00"))


@pytest.mark.parametrize("field", ["since", "until"])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no time; give an ISO 8601 time or date"),
        ("soon", "is no time"),
        ("0d", "is no time"),
        ("-1d", "is no time"),
        ("1.5h", "is no time"),
        ("٣d", "is no time"),
        ("0000-01-01", "is no time"),
        ("2026-02-30", "is no time"),
        ("2026-01-01T25:00", "is no time"),
        ("99999w", "must be between 1970 and 9998"),
        ("0001-01-01", "must be between 1970 and 9998"),
        ("1969-12-31", "must be between 1970 and 9998"),
        ("9999-12-31", "must be between 1970 and 9998"),
        ("9999-12-31T23:59:59-12:00", "must be between 1970 and 9998"),
    ],
)
def test_what_is_no_time_is_said(field: str, text: str, problem: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        periods.resolve(text if field == "since" else None, text if field == "until" else None, BERLIN, NOW)
    assert caught.value.data["field"] == field
    assert caught.value.data["got"] == text
    assert caught.value.data["problem"].startswith(problem)


@pytest.mark.parametrize(
    ("since", "until", "field", "problem"),
    [
        ("2026-01-02", "2026-01-01", "until", "is not after since, '2026-01-02'"),
        ("2026-01-01", "2026-01-01T00:00", "until", "is not after since"),
        ("2027-01-01", None, "since", "is in the future; give until too"),
    ],
)
def test_a_range_that_ends_before_it_begins(since: str, until: str | None, field: str, problem: str) -> None:
    with pytest.raises(InvalidParams, match=problem) as caught:
        periods.resolve(since, until, BERLIN, NOW)
    assert caught.value.data["field"] == field


@pytest.mark.parametrize("now", [0, 1, -5, ms("9998-06-01T00:00:00Z")])
def test_a_clock_gone_wrong_has_days_too(now: int) -> None:
    zone = ZoneInfo("UTC")
    if now < 0:
        with pytest.raises(InvalidParams):
            periods.resolve("today", None, zone, now)
    else:
        start, end, _ = periods.resolve("today", None, zone, now)
        assert start is not None and end is not None and start <= now <= end


# --- the time before ---


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("today", None, ("2026-11-20 00:00+01:00", "2026-11-20 15:15+01:00")),
        ("week", None, ("2026-11-09 00:00+01:00", "2026-11-14 15:15+01:00")),
        ("month", None, ("2026-10-01 00:00+02:00", "2026-10-21 15:15+02:00")),
        ("year", None, ("2025-01-01 00:00+01:00", "2025-11-21 15:15+01:00")),
        # Days of the calendar, whatever their hours.
        ("2026-03-29", "2026-03-30", ("2026-03-27 00:00+01:00", "2026-03-29 00:00+01:00")),
        ("2026-10-25", "2026-10-25", ("2026-10-24 00:00+02:00", "2026-10-25 00:00+02:00")),
        ("2026-03-29T12:00", "2026-03-29T13:00", ("2026-03-29 11:00+02:00", "2026-03-29 12:00+02:00")),
        (None, "2026-03-29", None),
        (None, None, None),
        ("1970-01-02", "2026-01-01", None),
    ],
)
def test_the_time_before(since: str | None, until: str | None, expected: tuple[str, str] | None) -> None:
    assert said(periods.previous(periods.resolve(since, until, BERLIN, NOW), BERLIN)) == expected


def test_a_running_month_is_compared_with_no_more_than_the_month_before() -> None:
    late = periods.resolve("month", None, BERLIN, ms("2026-03-31T12:00:00+02:00"))
    assert said(periods.previous(late, BERLIN)) == ("2026-02-01 00:00+01:00", "2026-03-01 00:00+01:00")


@given(zone=ZONES.map(ZoneInfo), start=st.integers(2**30, 2**31), length=st.integers(1, 10_000))
def test_the_time_before_ends_where_the_range_begins(zone: ZoneInfo, start: int, length: int) -> None:
    begin = start // 1000 * SLOT_MS
    before = periods.previous(Range(begin, begin + length * SLOT_MS), zone)
    assert before is not None and before.start is not None
    assert before.start < begin == before.end


# --- time zones ---


@pytest.mark.parametrize("name", ["Europe/Berln", "Europe", "../x", "/etc/passwd", "\0", "x" * 5000, "ä"])
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(InvalidParams, match="timeZone: is no time zone that this machine knows; ") as caught:
        periods.zone(name)
    assert ("Europe/Berlin" in caught.value.message) or "did you mean" in caught.value.message


def test_zones_are_found_again_by_their_names() -> None:
    assert periods.zone("Europe/Berlin") is BERLIN
    assert periods.zone_name(BERLIN) == "Europe/Berlin"
    assert periods.zone_name(MachineZone()) == "local"
    assert periods.zone("local") == periods.zone(None) == periods.zone("")


@pytest.fixture
def machine() -> Iterator[None]:
    """Undoes what a test said of the machine's time zone."""
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("machine")
def test_the_zone_of_the_machine_has_its_name_or_else_its_rules() -> None:
    os.environ["TZ"] = ":Asia/Kathmandu"
    assert machine_zone() == ZoneInfo("Asia/Kathmandu")
    os.environ["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
    time.tzset()
    rules = machine_zone()
    assert isinstance(rules, MachineZone)
    assert machine_zone() is rules, "so that what is computed of it is kept"
    for day in ("2026-03-29", "2026-10-25", "2026-07-01"):
        assert hours(day, rules) == hours(day, BERLIN)
    for moment in range(ms("2026-10-24T20:00:00Z"), ms("2026-10-25T05:00:00Z"), SLOT_MS):
        assert periods.local(moment, rules).utcoffset() == periods.local(moment, BERLIN).utcoffset()
    assert periods.local(NOW, rules).tzname() == "CET"
    assert rules.utcoffset(None) is None
    os.environ["TZ"] = "EST5EDT,M3.2.0,M11.1.0"
    assert machine_zone() is not rules
