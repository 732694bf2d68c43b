"""Quarters of an hour, the finest step of figures over time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

SLOT_MS: Final = 900_000
"""Milliseconds of a slot. All time zones of today are whole slots away from UTC."""

UNDATED: Final = -1
"""The slot of what has no time."""

FAR_MS: Final = 253_370_764_800_000
"""The year 9999: weeks and months of later times would end where no calendar goes."""


def slot_of(time: int | None) -> int:
    """The slot of a time in milliseconds since the epoch; times before the epoch, or from `FAR_MS` on, are damage, and
    count as none."""
    return time // SLOT_MS if time is not None and 0 <= time < FAR_MS else UNDATED


MINUTES: Final = 15
"""Minutes of a slot."""

CLOSE: Final = 5
"""Minutes, by the clock, between two active ones up to which those between them are active too."""


def is_minute(minute: int) -> bool:
    """Whether a number of minutes since the epoch is of a time that `slot_of` does not take for none."""
    return 0 <= minute < FAR_MS // 60_000


def active(minutes: Iterable[int]) -> dict[int, int]:
    """Minutes since the epoch, and all between two that are close, as bit masks by slot: the lowest bit for its first.

    Comes out the same in whatever pieces the minutes come, each with those that `minutes_of` gives of the pieces before.
    """
    masks: dict[int, int] = {}
    last = -CLOSE - 1
    for minute in sorted(minutes):
        for each in range(last + 1 if minute - last <= CLOSE else minute, minute + 1):
            masks[each // MINUTES] = masks.get(each // MINUTES, 0) | 1 << each % MINUTES
        last = minute
    return masks


def minutes_of(masks: Mapping[int, int]) -> list[int]:
    """The minutes since the epoch that masks by slot hold."""
    return [slot * MINUTES + bit for slot, mask in masks.items() for bit in range(MINUTES) if mask >> bit & 1]
