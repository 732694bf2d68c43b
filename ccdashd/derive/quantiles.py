"""How values are spread: percentiles and bins. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Bin(NamedTuple):
    """Values from `start` until before `end`; in the last also those at its end."""

    start: float
    end: float
    values: int


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which `share` of ascending values lie, by linear interpolation between the two that are nearest
    (type 7 of R. J. Hyndman and Y. Fan, Sample Quantiles in Statistical Packages, 1996); None without values."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def histogram(ordered: Sequence[float], number: int) -> list[Bin]:
    """Ascending values in so many bins of one width, from the least to the largest; one where all are the same."""
    if not ordered:
        return []
    least, largest = ordered[0], ordered[-1]
    if least == largest:
        return [Bin(least, largest, len(ordered))]
    width = (largest - least) / number
    counts = [0] * number
    for value in ordered:
        counts[min(int((value - least) / width), number - 1)] += 1
    edges = [*(least + place * width for place in range(number)), largest]
    return [Bin(start, end, count) for start, end, count in zip(edges, edges[1:], counts, strict=False)]
