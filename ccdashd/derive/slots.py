"""Quarters of an hour, the finest step of figures over time. Pure."""

from __future__ import annotations

from typing import Final

SLOT_MS: Final = 900_000
"""Milliseconds of a slot. All time zones of today are whole slots away from UTC."""

UNDATED: Final = -1
"""The slot of what has no time."""


def slot_of(time: int | None) -> int:
    """The slot of a time in milliseconds since the epoch; times before the epoch are damage, and count as none."""
    return UNDATED if time is None or time < 0 else time // SLOT_MS
