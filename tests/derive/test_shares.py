"""What a session used, divided among features: to the last token."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ccdashd.derive.measures import NONE, SUMS, Measures
from ccdashd.derive.shares import apportion, split

CONFIDENCES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1), min_size=1)


@given(amount=st.integers(0, 10**30), weights=st.lists(st.integers(1, 10_000), min_size=1, max_size=8))
def test_parts_add_up_and_are_less_than_one_off(amount: int, weights: list[int]) -> None:
    parts = apportion(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


def test_what_is_left_goes_to_those_who_lost_most() -> None:
    assert apportion(100, [1, 1, 1]) == [34, 33, 33]
    assert apportion(10, [6, 3, 1]) == [6, 3, 1]
    assert apportion(1, [3, 4]) == [0, 1]
    assert apportion(0, [3, 4]) == [0, 0]


@given(confidences=CONFIDENCES, amounts=st.lists(st.integers(0, 10**15), min_size=len(SUMS), max_size=len(SUMS)))
def test_every_measure_adds_up(confidences: dict[str, float], amounts: list[int]) -> None:
    sums = Measures(**dict(zip(SUMS, amounts, strict=True)))  # type: ignore[arg-type]
    whole = replace(sums, context_max=7, active=frozenset({"s"}))
    parts = split(whole, confidences)
    assert parts.keys() == confidences.keys()
    assert sum(parts.values(), NONE) == whole


def test_a_session_is_one_and_goes_to_the_surest() -> None:
    parts = split(Measures(sessions=1, timed_sessions=1, session_ms=999, prompts=2), {"a": 0.4, "b": 0.6})
    assert parts["b"] == Measures(sessions=1, timed_sessions=1, session_ms=999, prompts=1)
    assert parts["a"] == Measures(prompts=1)


def test_links_as_sure_as_each_other_have_equal_parts() -> None:
    assert split(Measures(input=3), {"b": 0.0, "a": 0.0}) == {"a": Measures(input=2), "b": Measures(input=1)}
