"""When tasks were completed, and which days of progress are kept."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.progress_days import DAILY, WEEKLY, completion, kept, moment
from ccdashd.sources.planning.model import STATUSES

NEWEST = date(2026, 7, 15)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-11-03", "2026-11-03"),
        (" 2026-11-03 ", "2026-11-03"),
        ("2026-11-03T10:00:00Z", "2026-11-03T10:00:00Z"),
        ("2026-11-03 10:00:00+00:00", "2026-11-03T10:00:00Z"),
        ("2026-11-03T23:30:00.250-05:00", "2026-11-04T04:30:00Z"),
        ("2026-11-03T23:30:00", "2026-11-03"),
        ("2026-11-03 (in the afternoon)", "2026-11-03"),
        ("2026-11-03T25:00:00Z", "2026-11-03"),
        ("2026-11-031", ""),
        ("2026-13-03", ""),
        ("YYYY-MM-DD", ""),
        ("true", ""),
        ("9", ""),
        ("", ""),
        ("1969-12-31", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("1970-01-01", "1970-01-01"),
    ],
)
def test_a_date_that_a_file_says(written: str, found: str) -> None:
    assert moment(written) == found


@given(st.one_of(st.text(), st.datetimes(timezones=st.timezones()).map(str), st.from_regex(r"\d{4}-\d\d-\d\d\D?.*")))
def test_whatever_is_written_is_a_date_or_none(written: str) -> None:
    found = moment(written)
    assert found == "" or found >= "1970"
    assert moment(found) == found


def test_what_was_deferred_is_no_part_of_completion() -> None:
    counts = [2 if status in ("done", "deferred", "archived") else 1 for status in STATUSES]
    assert completion(counts) == (2, 2 + 5)


ages = st.one_of(st.integers(0, 30), st.integers(DAILY - 20, DAILY + 60), st.integers(WEEKLY - 60, WEEKLY + 100))


@given(st.lists(ages, max_size=60))
def test_the_same_days_are_kept_in_whatever_order_and_steps_they_came(come: list[int]) -> None:
    days = [NEWEST - timedelta(age) for age in come]
    step_by_step: set[date] = set()
    for day in days:
        step_by_step = kept({*step_by_step, day})
    assert step_by_step == kept(days) == kept(kept(days))


@given(st.sets(ages), st.data())
def test_of_old_weeks_and_months_the_last_day_is_kept(come: set[int], data: st.DataObject) -> None:
    days = {NEWEST - timedelta(age) for age in {0, *come}}
    left = kept(days)
    for day in days - left:
        age = (NEWEST - day).days
        assert age > DAILY
        later = [other for other in left if other > day and other.month == day.month and other.year == day.year]
        assert later
        if age <= WEEKLY:
            assert any(other.isocalendar()[:2] == day.isocalendar()[:2] for other in later)


def test_ten_years_of_days_are_few() -> None:
    left = kept(NEWEST - timedelta(age) for age in range(3653))
    by_age = [(NEWEST - day).days for day in left]
    assert sum(age <= DAILY for age in by_age) == DAILY + 1
    assert 208 <= sum(DAILY < age <= WEEKLY for age in by_age) <= 5 * 64
    assert 60 <= sum(age > WEEKLY for age in by_age) <= 62
