"""Quarters of an hour, the finest step of figures over time. Pure."""

from __future__ import annotations

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
