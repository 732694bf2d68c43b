"""Money, shares and changes as people read them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdash.amounts import amount, change, cost, money, percent


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0"), (0.00001, "<$0.0001"), (0.00005, "$0.0001"), (0.0042, "$0.0042"), (0.0099, "$0.0099"), (0.01, "$0.01"),
        (3.119, "$3.12"), (999.99, "$999.99"), (999.996, "$1,000"), (1234.4, "$1,234"), (-0.5, "-$0.50"),
    ],
)  # fmt: skip
def test_money(usd: float, text: str) -> None:
    assert money(usd) == text


@given(st.floats(0.00005, 1e9))
def test_money_is_what_was_meant_to_its_last_digit(usd: float) -> None:
    shown = money(usd)
    assert re.fullmatch(r"\$[\d,]+(\.\d\d(\d\d)?)?", shown)
    whole, _, digits = shown[1:].replace(",", "").partition(".")
    assert abs(float(f"{whole}.{digits or 0}") - usd) <= 0.5000001 * 10.0 ** -len(digits)


@pytest.mark.parametrize(
    ("provenance", "text"),
    [("reported", "$3.12"), ("computed", "$3.12"), ("lower_bound", "≥ $3.12"), ("unpriced", "unpriced")],
)
def test_a_cost_says_how_sure_it_is(provenance: str, text: str) -> None:
    told: dict[str, Any] = {"usd": 3.12, "provenance": provenance, "unpricedModels": []}
    assert cost(told) == text
    assert cost(told, ascii_only=True) == text.replace("≥", ">=")
    assert cost(None) == ""


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("usd", 0.5, "$0.50"), ("tokens", 12_345, "12.3k"), ("tokens", 4_512_345, "4.51M"), ("count", 12_345, "12,345"),
        ("count", 2.5, "2.5"), ("lines", 950, "950"), ("seconds", 4800, "1h 20m"), ("share", 0.947, "94.7 %"),
        ("seconds", 840, "14m"), ("seconds", 841, "14m 01s"), ("perDay", 1.25, "1.2"),
        ("usd", None, "-"), ("share", None, "-"),
    ],
)  # fmt: skip
def test_a_value_is_shown_by_its_unit(unit: str, value: float | None, text: str) -> None:
    assert amount(unit, value) == text


@given(st.floats(0, 1))
def test_a_share_is_all_or_nothing_only_where_it_is(share: float) -> None:
    assert (percent(share) == "100 %") == (share == 1)
    assert (percent(share) == "0 %") == (share == 0)


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (112, 100, "+12 %"), (97, 100, "-3 %"), (100.1, 100, "same"), (5, 0, "new"), (0, 0, "-"), (0, 5, "-100 %"),
        (1234, 1, "1,234 times"), (None, 5, "-"), (5, None, "-"),
    ],
)  # fmt: skip
def test_a_change(now: float | None, before: float | None, text: str) -> None:
    assert change(now, before) == text
