"""Hours and days of a time zone, as expressions over slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Final, Literal

from ccdashd.derive import periods
from ccdashd.derive.periods import Segment
from ccdashd.derive.slots import FAR_MS, SLOT_MS
from ccdashd.store.filters import Filter

Grain = Literal["hour", "day", "clock"]
"""``hour``: by its first slot; ``day``: counted from that of the epoch; ``clock``: hours that local clocks show, counted
from the epoch, so that 24 make a day."""

_DAY: Final = 96
_AHEAD: Final = _DAY
"""Slots after now up to which times are believed: clocks of machines differ."""

_YEAR: Final = 366 * _DAY


@dataclass(frozen=True)
class Times:
    """How slots become keys of time."""

    grain: Grain
    segments: Sequence[Segment]

    def key(self, column: str) -> str:
        """The key of a slot, in SQL; NULL for what has no time, or one beyond."""
        arms = [f"WHEN {column} >= {self.segments[-1].end} THEN NULL"] if self.segments else ["WHEN 1 THEN NULL"]
        # The newest first: most of what is asked for is there.
        arms += [
            f"WHEN {column} >= {segment.start} THEN {self._at(column, segment)}" for segment in reversed(self.segments)
        ]
        return f"CASE {' '.join(arms)} END"

    def _at(self, column: str, segment: Segment) -> str:
        if self.grain == "hour":
            return f"MAX({segment.start}, {column} - ({column} + {segment.offset + _DAY}) % 4)"
        # Whole days are added and taken away, since division is rounded towards 0.
        length = _DAY if self.grain == "day" else 4
        return f"({column} + {segment.offset + _DAY}) / {length} - {_DAY // length}"


def times(grain: Grain, zone: tzinfo, filter: Filter, now: int) -> Times:
    """The keys for the rows of a filter at the time `now`. Where its end is open, what lies more than a day in the future
    is the fault of a clock, and has no time."""
    end = min(now // SLOT_MS + _AHEAD, FAR_MS // SLOT_MS) if filter.end is None else filter.end
    if filter.first is not None:
        # From before it on, as the hour may begin there.
        return Times(grain, periods.segments(max(filter.first - _DAY, 0), end, zone))
    known = _segments(zone, end // _YEAR + 1)
    return Times(grain, [part._replace(end=min(part.end, end)) for part in known if part.start < end])


@lru_cache(maxsize=8)
def _segments(zone: tzinfo, years: int) -> tuple[Segment, ...]:
    return tuple(periods.segments(0, years * _YEAR, zone))
