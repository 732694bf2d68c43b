"""Slots of stored times, in SQL."""

from __future__ import annotations

from ccdashd.derive.slots import FAR_MS, SLOT_MS, UNDATED


def slot_of(time: str) -> str:
    """The slot of a time, as `derive.slots.slot_of` has it."""
    return f"CASE WHEN {time} >= 0 AND {time} < {FAR_MS} THEN {time} / {SLOT_MS} ELSE {UNDATED} END"
