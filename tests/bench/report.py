"""Rows of results, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.bench.peers import PEERS


@dataclass(frozen=True)
class Limit:
    """A bound measured in the same run: what cannot be undercut, whatever the program does."""

    name: str
    value: float


@dataclass(frozen=True)
class Row:
    """One figure. `target` is None where only shown; `higher` when more is better."""

    name: str
    value: float
    unit: str
    target: float | None = None
    limit: Limit | None = None
    higher: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the limit this is (or the limit this), 1 being the bound itself."""
        if self.limit is None or not self.limit.value or not self.value:
            return None
        return self.limit.value / self.value if self.higher else self.value / self.limit.value

    def as_json(self, size: str) -> dict[str, object]:
        return {
            "size": size,
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "limit": None if self.limit is None else {"name": self.limit.name, "value": self.limit.value},
            "ratio": self.ratio,
            "peer": PEERS.get(self.name),
            "note": self.note,
        }


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` of `values` lie (nearest rank); NaN of nothing."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def number(value: float) -> str:
    """Three significant digits, thousands with a comma."""
    if math.isnan(value):
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(rows: Sequence[Row], *, peers: bool) -> str:
    """The rows as plain text; with the peers' figures where they compare."""
    head = ["what", "measured", "target", "limit in this run", "ratio", "peer" if peers else ""]
    lines = [head]
    for row in rows:
        sign = "≥" if row.higher else "≤"
        lines.append(
            [
                row.name,
                f"{number(row.value)} {row.unit}".strip(),
                "" if row.target is None else f"{sign} {number(row.target)} {row.unit}".strip(),
                "" if row.limit is None else f"{row.limit.name}: {number(row.limit.value)}",
                "" if row.ratio is None else f"{row.ratio:.2f}",
                PEERS.get(row.name, "") if peers else "",
            ]
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths if width))
    notes = [f"  {row.name}: {row.note}" for row in rows if row.note]
    return "\n".join([*text, *(["notes:", *notes] if notes else [])])
