"""Windows in which agents count limits, how fast the running one fills, and where the month leads. Pure.

A five-hour window begins at the full hour (UTC) of its first use and lasts five hours; the first use after its end begins
the next one. So Claude counts, and so does ccusage (https://ccusage.com/guide/blocks-reports). Full hours are whole slots,
so slots are exact for that. A week begins at a day and time of day that the user's plan says.

What has no time is in no window.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from ccdashd.derive.slots import SLOT_MS

FIVE_HOURS: Final = 20
"""Slots of a five-hour window."""

DAY: Final = 96
"""Slots of a day without a change of clocks."""

FORECAST_DAYS: Final = 7
"""A forecast goes by the mean of at most so many days."""

_HOUR: Final = 4
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Span(NamedTuple):
    """From slot `start` until before slot `end`."""

    start: int
    end: int


class WeekStart(NamedTuple):
    """When weeks begin, in local time."""

    weekday: int
    """0: Monday."""
    minute: int
    """Of the day."""


class Pace(NamedTuple):
    """How fast a window fills from its first use on, and where that leads."""

    pico_per_hour: int
    """Picodollars."""
    tokens_per_minute: float
    projected_pico: int
    """At the end of the window."""
    projected_tokens: int
    exhausted_at: int | None
    """When the limit is reached, in milliseconds since the epoch; None where it is not within the window, or none is
    known."""


class Outlook(NamedTuple):
    """Where a month leads."""

    pico_per_day: int
    """Picodollars: the mean of the last days."""
    days: int
    """How many these are."""
    projected_pico: int


def five_hours(slots: Iterable[int]) -> list[Span]:
    """The five-hour windows of use in these slots, which ascend."""
    found: list[Span] = []
    for slot in slots:
        if slot >= 0 and (not found or slot >= found[-1].end):
            start = slot - slot % _HOUR
            found.append(Span(start, start + FIVE_HOURS))
    return found


def after_pause(slots: Sequence[int]) -> Sequence[int]:
    """Those of these slots, which ascend, that come after the first pause as long as a window: their five-hour windows do
    not depend on what was before. Empty where there is no such pause."""
    return next((slots[place:] for place in range(1, len(slots)) if slots[place] - slots[place - 1] >= FIVE_HOURS), ())


def weeks(slots: Iterable[int], start: WeekStart, zone: tzinfo) -> list[Span]:
    """The weeks of use in these slots, which ascend. Where clocks change, a week has an hour less or more."""
    found: list[Span] = []
    for slot in slots:
        if slot >= 0 and (not found or slot >= found[-1].end):
            found.append(_week(slot, start, zone))
    return found


def week_start(text: str) -> WeekStart:
    """What the setting `week_start` says, such as ``mon 09:00``."""
    day, _, time = text.partition(" ")
    hour, _, minute = time.partition(":")
    return WeekStart(_DAYS.index(day), int(hour) * 60 + int(minute))


def pace(window: Span, first: int, last: int, now: int, *, pico: int, tokens: int, limit: int | None) -> Pace:
    """How fast a window fills that used so many picodollars and tokens, from slot `first` to slot `last`.

    `now` in milliseconds since the epoch; where clocks were set back it is before the last use, which counts then. At
    least one slot has passed. `limit` in picodollars.
    """
    begin, end = first * SLOT_MS, window.end * SLOT_MS
    passed = min(max(now, (last if last > first else first + 1) * SLOT_MS, begin + SLOT_MS), end) - begin
    whole = end - begin
    reached = begin + limit * passed // pico if limit and pico > 0 else None
    return Pace(
        pico_per_hour=pico * _HOUR_MS // passed,
        tokens_per_minute=tokens * 60_000 / passed,
        projected_pico=pico * whole // passed,
        projected_tokens=tokens * whole // passed,
        exhausted_at=reached if reached is not None and reached <= end else None,
    )


def outlook(days: Iterable[int], so_far: int, left_ms: int) -> Outlook:
    """Where a month leads that cost `so_far` and lasts another `left_ms` milliseconds, in picodollars.

    `days` are the costs of whole days, the newest first, back to the first day of all; days without use are 0. Without a
    whole day the month is foreseen to stay as it is.
    """
    known = [cost for cost, _ in zip(days, range(FORECAST_DAYS), strict=False)]
    total, count = sum(known), max(len(known), 1)
    return Outlook(total // count, len(known), so_far + total * max(left_ms, 0) // (count * _DAY_MS))


def _week(slot: int, start: WeekStart, zone: tzinfo) -> Span:
    moment = datetime.fromtimestamp(slot * SLOT_MS // 1000, UTC)
    day = moment.astimezone(zone).replace(tzinfo=None)
    begin = datetime(day.year, day.month, day.day) - timedelta(days=(day.weekday() - start.weekday) % 7)
    begin += timedelta(minutes=start.minute)
    # On a day when clocks change, local times are compared in UTC: one may be missing, or be there twice.
    while _slot(begin, zone) > slot:
        begin -= timedelta(days=7)
    while _slot(begin + timedelta(days=7), zone) <= slot:
        begin += timedelta(days=7)
    return Span(_slot(begin, zone), _slot(begin + timedelta(days=7), zone))


def _slot(local: datetime, zone: tzinfo) -> int:
    """The slot of a local time: of the first one where it is there twice, of one hour later where it is missing."""
    return int(local.replace(tzinfo=zone).timestamp() * 1000) // SLOT_MS
