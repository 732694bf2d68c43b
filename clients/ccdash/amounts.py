"""Amounts as people read them: money with how sure it is, and the values of metrics by their unit.

Imports nothing but `ccdash.figures`, since a status line needs it within milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccdash.figures import NOTHING, count, duration

AT_LEAST = "≥ "
AT_LEAST_ASCII = ">= "
UNPRICED = "unpriced"
SMALLEST = 0.00005
"""Dollars below which money would be shown as nothing."""


def money(usd: float) -> str:
    """US dollars: $0.0042 below a cent, $3.12, $1,234 from a thousand on; money is never shown as $0 that is not."""
    if usd < 0:
        return f"-{money(-usd)}"
    if usd == 0:
        return "$0"
    if usd < SMALLEST:
        return "<$0.0001"
    if usd < 0.01:
        return f"${usd:.4f}"
    return f"${usd:,.2f}" if round(usd, 2) < 1000 else f"${usd:,.0f}"


def cost(told: Mapping[str, Any] | None, *, ascii_only: bool = False) -> str:
    """A ``Cost`` of the wire: ``$3.12``, ``≥ $3.12`` where that is a lower bound, ``unpriced``; empty for null."""
    if told is None:
        return ""
    if told["provenance"] == "unpriced":
        return UNPRICED
    bound = told["provenance"] == "lower_bound"
    return f"{(AT_LEAST_ASCII if ascii_only else AT_LEAST) if bound else ''}{money(told['usd'])}"


def amount(unit: str, value: float | None) -> str:
    """A value of a metric, by the metric's unit: ``$3.12``, ``4.56M``, ``1h 20m``, ``94.7 %``, ``1,234``."""
    if value is None:
        return NOTHING
    if unit == "usd":
        return money(value)
    if unit == "seconds":
        # Minutes of work are whole ones.
        return duration(value).removesuffix(" 00s")
    if unit == "share":
        return percent(value)
    if unit == "perDay":
        return f"{value:,.1f}"
    if unit == "tokens" or value != int(value):
        return count(value)
    return f"{int(value):,}"


def percent(share: float) -> str:
    """A share from 0 to 1, with a digit after the point: ``94.7 %``; 100 only for all, and 0 only for nothing."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    return f"{min(max(100 * share, 0.1), 99.9) if 0 < share < 1 else 100 * share:.1f} %"


def change(now: float | None, before: float | None) -> str:
    """By how much a value is other than before: ``+12 %``, ``-3 %``, ``new``; a sign where there is nothing to compare."""
    if now is None or before is None:
        return NOTHING
    if before == 0:
        return "new" if now else NOTHING
    ratio = now / before
    if ratio >= 10:
        return f"{ratio:,.0f} times"
    number = round(100 * (ratio - 1))
    return f"{number:+d} %" if number else "same"
