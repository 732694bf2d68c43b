"""Quantiles. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which that share of `values`, which ascend, lies, between two of them in proportion (type 7 of
    Hyndman and Fan, 1996, as most tools have it); None where there are none."""
    if not values:
        return None
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
