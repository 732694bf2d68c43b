"""Percentiles and bins."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.quantiles import Bin, histogram, quantile

VALUES = st.lists(st.floats(0, 1e9), min_size=1, max_size=50).map(sorted)


@given(VALUES.filter(lambda values: len(values) > 1))
def test_percentiles_are_those_of_the_standard_library(values: list[float]) -> None:
    expected = statistics.quantiles(values, n=20, method="inclusive")
    assert [quantile(values, n / 20) for n in range(1, 20)] == pytest.approx(expected)
    assert quantile(values, 0) == values[0]
    assert quantile(values, 1) == values[-1]


def test_percentiles_of_one_and_of_none() -> None:
    assert quantile([7.0], 0.9) == 7.0
    assert quantile([], 0.5) is None


@given(VALUES, st.integers(1, 20))
def test_every_value_is_in_one_bin(values: list[float], number: int) -> None:
    bins = histogram(values, number)
    assert sum(bin.values for bin in bins) == len(values)
    assert (bins[0].start, bins[-1].end) == (values[0], values[-1])
    assert len(bins) == (number if values[0] < values[-1] else 1)


def test_bins() -> None:
    assert histogram([], 5) == []
    assert histogram([3.0, 3.0], 5) == [Bin(3.0, 3.0, 2)]
    assert histogram([0.0, 1.0, 2.0, 2.5, 4.0], 2) == [Bin(0.0, 2.0, 2), Bin(2.0, 4.0, 3)]
