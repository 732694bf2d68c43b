"""Active minutes: the same in whatever pieces they come, and nothing between what lies far apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.slots import CLOSE, FAR_MS, UNDATED, active, is_minute, minutes_of, slot_of

minutes = st.lists(st.integers(0, 120), max_size=30)


def test_times_that_no_calendar_holds_have_no_slot() -> None:
    assert [slot_of(time) for time in (0, 899_999, 900_000)] == [0, 0, 1]
    assert [slot_of(time) for time in (None, -1, FAR_MS, 2**62)] == [UNDATED] * 4
    assert [is_minute(time // 60_000) for time in (-1, 0, FAR_MS - 1, FAR_MS)] == [False, True, True, False]


def test_the_lowest_bit_is_the_first_minute() -> None:
    assert active([30]) == {2: 1}
    assert active([44, 29]) == {2: 1 << 14, 1: 1 << 14}


def test_what_lies_between_close_minutes_is_active() -> None:
    assert minutes_of(active([13, 13 + CLOSE])) == [13, 14, 15, 16, 17, 18]
    assert minutes_of(active([13, 13 + CLOSE + 1])) == [13, 19]


@given(minutes)
def test_a_minute_is_active_when_it_lies_between_two_that_are_close(given: list[int]) -> None:
    def between(minute: int) -> bool:
        before = max((each for each in given if each <= minute), default=None)
        after = min((each for each in given if each >= minute), default=None)
        return before is not None and after is not None and after - before <= CLOSE

    assert sorted(minutes_of(active(given))) == [minute for minute in range(121) if between(minute)]


@given(st.lists(minutes, max_size=5))
def test_pieces_make_the_minutes_of_the_whole(pieces: list[list[int]]) -> None:
    known: dict[int, int] = {}
    for piece in pieces:
        known = active(minutes_of(active(piece)) + minutes_of(known))
    assert known == active(minute for piece in pieces for minute in piece)
