"""Charts keep to their width, draw what there is, and nothing else."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdash.amounts import money
from ccdash.charts import (
    ASCII,
    UNICODE,
    Glyphs,
    axis,
    bar,
    ceiling,
    columns,
    glyphs,
    heat,
    histogram,
    merged,
    short_labels,
    sparkline,
)
from ccdash.text import width

VALUES = st.lists(st.none() | st.floats(0, 1e12), min_size=1, max_size=200)
MARKS = st.sampled_from([UNICODE, ASCII])


def test_a_sparkline() -> None:
    assert sparkline([0, None, 1, 4, 8], UNICODE) == "  ▁▄█"
    assert sparkline([1, 4], UNICODE, 8) == "▁▄"
    assert sparkline([0, None, 1, 4, 8], ASCII) == "  __#"
    assert sparkline([], UNICODE) == ""
    assert sparkline([0, 0], UNICODE) == "  "


@given(VALUES, MARKS)
def test_a_sparkline_has_a_sign_for_each_value_and_none_for_nothing(values: list[float | None], marks: Glyphs) -> None:
    drawn = sparkline(values, marks)
    assert len(drawn) == len(values)
    assert [sign == " " for sign in drawn] == [not value for value in values]
    if any(values):
        assert drawn[values.index(max(value for value in values if value))] == marks.full


@given(st.floats(0, 1e9), st.floats(0.001, 1e9), st.integers(1, 60), MARKS)
def test_a_bar_fits_and_is_empty_only_for_nothing(value: float, most: float, cells: int, marks: Glyphs) -> None:
    drawn = bar(min(value, most), most, cells, marks)
    assert width(drawn) <= cells
    assert (drawn == "") == (value == 0)
    assert bar(most, most, cells, marks) == marks.full * cells


def test_bars_are_exact_to_an_eighth_of_a_cell() -> None:
    assert [bar(value, 16, 2, UNICODE) for value in (1, 7, 8, 9, 16)] == ["▏", "▉", "█", "█▏", "██"]


def test_columns_with_axes() -> None:
    assert columns([0, 10, 5, None], ["a", "b", "c", "d"], 40, 4, money, UNICODE) == [
        "$10.00 ┤        ███████",
        "       │        ███████",
        " $5.00 ┤        ███████ ███████",
        "       │        ███████ ███████",
        "    $0 └────────────────────────────────",
        "        a       b       c       d",
    ]
    assert columns([3, 10], ["01", "02"], 12, 4, money, ASCII) == [
        "$10.00 +  #",
        "       |  #",
        " $5.00 +  #",
        "       |# #",
        "    $0 +----",
        "        01",
    ]


@given(VALUES, st.integers(20, 160), st.integers(1, 12), MARKS, st.booleans())
def test_columns_keep_to_the_window(
    values: list[float | None], cells: int, height: int, marks: Glyphs, seconds: bool
) -> None:
    shown, each = merged(values, cells - 12, mean=False)
    labels = [f"{at:02}" for at in range(len(values))][::each]
    lines = columns(shown, labels, cells, height, lambda value: f"{value:.3g}", marks, seconds=seconds)
    assert len(lines) == height + 2
    assert all(width(line) <= cells for line in lines)


@given(VALUES, st.integers(1, 100))
def test_values_put_together_keep_their_sum(values: list[float | None], cells: int) -> None:
    shown, each = merged(values, cells, mean=False)
    assert len(shown) == math.ceil(len(values) / each) <= cells
    assert math.isclose(sum(value for value in shown if value), sum(value for value in values if value), rel_tol=1e-9)


def test_means_leave_out_what_is_not_known() -> None:
    assert merged([1, None, 3, 5, None, None], 3, mean=True) == ([1, 4, None], 2)
    assert merged([1, None], 2, mean=True) == ([1, None], 1)


@given(st.floats(1e-6, 1e15), st.booleans())
def test_the_axis_ends_at_a_round_number_above_all(value: float, seconds: bool) -> None:
    top = ceiling(value, seconds=seconds)
    assert value <= top * (1 + 1e-6)
    assert top <= max(2.51 * value, 1)


@pytest.mark.parametrize(
    ("value", "seconds", "top"),
    [(0, False, 1), (7, False, 8), (0.03, False, 0.03), (12_300, False, 15_000), (65, True, 120), (90_000, True, 129_600)],
)
def test_round_numbers(value: float, seconds: bool, top: float) -> None:
    assert ceiling(value, seconds=seconds) == pytest.approx(top)


@given(st.integers(1, 60), st.integers(1, 8))
def test_labels_stand_below_their_columns_and_apart(number: int, each: int) -> None:
    labels = [f"{at:02}-{at:02}" for at in range(number)]
    line = axis(labels, each)
    shown = [label for label in labels if label in line]
    assert shown[0] == labels[0]
    assert all(line.index(label) == labels.index(label) * each for label in shown)
    assert all(line.index(two) - line.index(one) >= len(one) + 2 for one, two in pairwise(shown))


def test_a_heat_map() -> None:
    cells = [[0.0] * 24, [0.0, 1.0, 4.0, *[0.0] * 21]]
    assert heat(cells, ["Mon", "Tue"], UNICODE) == [
        "    00       03       06       09       12       15       18       21",
        "Mon " + "·· " * 23 + "··",
        "Tue ·· ░░ ██ " + "·· " * 20 + "··",
    ]
    assert heat(cells, ["Mon", "Tue"], ASCII)[2].startswith("Tue .. -- ## ..")


def test_a_histogram() -> None:
    lines = histogram([(0, 1, 4), (1, 2, 1000), (2, 3, 0)], 40, money, UNICODE)
    assert lines == [
        "   $0 to $1.00      4  ▏",
        "$1.00 to $2.00  1,000  " + "█" * 17,
        "$2.00 to $3.00      0",
    ]
    assert all(width(line) <= 40 for line in lines)


def test_glyphs_are_those_that_can_be_shown() -> None:
    assert glyphs(lambda text: True) is UNICODE
    assert glyphs(str.isascii) is ASCII
    assert all(text.isascii() for text in ASCII)


@pytest.mark.parametrize(
    ("step", "labels", "short"),
    [
        ("day", ["2026-03-29", "2026-03-30"], ["03-29", "03-30"]),
        ("week", ["2026-W13", "2026-W14"], ["W13", "W14"]),
        ("week", ["2025-W52", "2026-W01"], ["2025-W52", "2026-W01"]),
        ("month", ["2026-03"], ["2026-03"]),
        ("hour", ["2026-03-29 01:00+01:00", "2026-03-29 03:00+02:00"], ["01:00", "03:00"]),
        ("hour", ["2026-03-29 23:00+02:00", "2026-03-30 00:00+02:00"], ["03-29 23h", "03-30 00h"]),
    ],
)
def test_labels_without_what_they_share(step: str, labels: list[str], short: list[str]) -> None:
    assert short_labels(labels, step) == short
