"""How far plans were, day by day: what is counted, when tasks were completed, and which days are kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from ccdashd.sources.planning.model import STATUSES

DAILY: Final = 400
"""Age in days up to which every day is kept; of older ones, the last of each week (weeks end with the month, too)."""

WEEKLY: Final = 5 * 365
"""Age in days up to which every week is kept; of older ones, the last day of each month."""

_DONE = STATUSES.index("done")
_LEFT_OUT = (STATUSES.index("deferred"), STATUSES.index("archived"))
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")


@dataclass(frozen=True)
class Figures:
    """How far the plans of a project are."""

    counts: tuple[int, ...] = (0,) * len(STATUSES)
    """Tasks by status, in the order of `STATUSES`."""
    undated: int = 0
    """Done tasks whose file does not say when."""
    features: int = 0
    features_done: int = 0
    progress: float = 0.0
    """Mean of the features, 0 to 1, to six digits."""

    @property
    def done(self) -> int:
        return self.counts[_DONE]


def completion(counts: Sequence[int]) -> tuple[int, int]:
    """Done tasks, and all of which they are a part: those that were neither deferred nor archived."""
    return counts[_DONE], sum(counts) - sum(counts[place] for place in _LEFT_OUT)


def moment(written: str) -> str:
    """A date or time in a planning file as ``2026-11-03``, or ``2026-11-03T10:00:00Z``; empty where it is none, or
    before 1970.

    A time without a zone is one of an unknown place: its date is all that it says.
    """
    written = written.strip()
    try:
        time = datetime.fromisoformat(written)
        if time.tzinfo is not None:
            time = time.astimezone(UTC)
            found = time.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
        else:
            found = time.date().isoformat()
    except (ValueError, OverflowError):
        begin = _DATE.match(written)
        try:
            found = date.fromisoformat(begin[0]).isoformat() if begin else ""
        except ValueError:
            return ""
    return found if found >= "1970" else ""


def kept(days: Iterable[date]) -> set[date]:
    """Those of these days of a project that are kept, by their age at the newest of them.

    Whatever was left out before, in whatever order days came, the same are kept.
    """
    in_order = sorted(days)
    last: dict[tuple[int, ...], date] = {}
    for day in in_order:
        age = (in_order[-1] - day).days
        month = (day.year, day.month)
        if age <= DAILY:
            last[(*month, day.day, 0)] = day
        elif age <= WEEKLY:
            last[(*month, day.toordinal() - day.weekday())] = day
        else:
            last[month] = day
    return set(last.values())
