"""Ranges of time as people say them, and the hours, days, weeks and months of a time zone. Pure.

Figures are kept by slot, a quarter of an hour of UTC, so ranges and steps are whole slots. A day is that of the calendar:
23 or 25 hours long where clocks are changed. An hour is one of the clock: where clocks are changed by less than an hour,
one beside is shorter.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from ccdashd.clock import EPOCH, MachineZone, machine_zone
from ccdashd.derive.slots import FAR_MS, SLOT_MS
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t

MOST_STEPS: Final = 40_000
"""Steps of one trend, at most: days from that of the epoch on, where clocks that were never set date work to."""

Running = Literal["day", "week", "month", "year"]

_RUNNING: Final[dict[str, Running]] = {"today": "day", "week": "week", "month": "month", "year": "year"}
_ACCEPTED: Final = (
    "give an ISO 8601 time or date, such as 2026-01-31 or 2026-01-31T12:00, or today, yesterday, week, month, year, "
    "or a time until now, such as 24h, 7d or 4w"
)
_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_DAY: Final = 96
"""Slots of a day."""
_SLOTS: Final[dict[t.Step, int]] = {"hour": 4, "day": _DAY, "week": 7 * _DAY, "month": 30 * _DAY}
_EPOCH_DAY: Final = EPOCH.toordinal()
_THURSDAY: Final = 3
"""The day of the week, from Monday on, of the first day of the epoch."""


class Range(NamedTuple):
    """From `start` until before `end`, in milliseconds since the epoch, both whole slots; None: open."""

    start: int | None
    end: int | None
    running: Running | None = None
    """Where it is the part until now of a period of the calendar: which."""

    @property
    def slots(self) -> tuple[int | None, int | None]:
        """The same in slots."""
        start, end, _ = self
        return None if start is None else start // SLOT_MS, None if end is None else end // SLOT_MS


ALL: Final = Range(None, None)
"""All time, and what has none."""


class Segment(NamedTuple):
    """Slots from `start` until before `end`, in which local time is `offset` slots ahead of UTC."""

    start: int
    end: int
    offset: int


class Bin(NamedTuple):
    """One step of a trend: slots from `start` until before `end`. `key` is its first slot, if it is an hour, or else what
    `key_of` says of its days."""

    key: int
    start: int
    end: int
    label: str


# --- time zones ---


def zone(name: str | None) -> tzinfo:
    """The time zone of that name; without one, that of the machine. Raises InvalidParams."""
    if not name or name == MachineZone.key:
        return machine_zone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(name[:100], available_timezones(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "give an IANA name, such as Europe/Berlin"
        raise InvalidParams("timeZone", f"is no time zone that this machine knows; {hint}", name, near) from None


def zone_name(zone: tzinfo) -> str:
    """How `zone` finds a time zone again."""
    return zone.key if isinstance(zone, ZoneInfo) and zone.key else MachineZone.key


def local(milliseconds: int, zone: tzinfo) -> datetime:
    """A time of the epoch as clocks show it."""
    return (EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)


def midnight(day: date, zone: tzinfo) -> int:
    """When a day begins, in milliseconds since the epoch: where clocks jump over midnight, when they do."""
    return (datetime.combine(day, time(), zone) - EPOCH) // timedelta(milliseconds=1)


# --- ranges ---


def resolve(since: str | None, until: str | None, zone: tzinfo, now: int) -> Range:
    """The range that is meant at the time `now`, widened to whole slots. Raises InvalidParams of ``since`` or ``until``.

    Neither: all time. `until` alone: all dated time before; `since` alone: from then until now.
    """
    start = None if since is None else _whole(bounds("since", since, zone, now)[0])
    if until is not None:
        end = _whole(bounds("until", until, zone, now)[1] + SLOT_MS - 1)
        if start is not None and end <= start:
            raise InvalidParams("until", f"is not after since, {since!r}", until)
        return Range(start, end)
    if start is None:
        return ALL
    end = _whole(now + SLOT_MS - 1)
    if start > now:
        raise InvalidParams("since", "is in the future; give until too", since)
    return Range(start, max(end, start + SLOT_MS), _RUNNING.get(since or ""))


def running(unit: Running, zone: tzinfo, now: int) -> Range:
    """The running day, week, month or year until now."""
    word = next(word for word, named in _RUNNING.items() if named == unit)
    return resolve(word, None, zone, now)


def previous(range: Range, zone: tzinfo) -> Range | None:
    """The time of the same length before, which ends where `range` begins; None where that is open.

    Of a running period: the period before, until the same time of its day. Whole days are days of the calendar.
    """
    if range.start is None or range.end is None:
        return None
    start, end = local(range.start, zone), local(range.end, zone)
    if range.running is not None:
        before = _first(range.running, start.date() - timedelta(1))
        passed = end.replace(tzinfo=None) - start.replace(tzinfo=None)
        stop = (datetime.combine(before, time()) + passed).replace(tzinfo=zone)
        return Range(midnight(before, zone), min(_whole(_instant(stop, zone)), range.start))
    length = range.end - range.start
    if range.start - length < _DAY * SLOT_MS:
        return None
    if (midnight(start.date(), zone), midnight(end.date(), zone)) == (range.start, range.end):
        return Range(midnight(start.date() - (end.date() - start.date()), zone), range.start)
    return Range(range.start - length, range.start)


def _whole(milliseconds: int) -> int:
    return milliseconds // SLOT_MS * SLOT_MS


def bounds(field: str, text: str, zone: tzinfo, now: int) -> tuple[int, int]:
    """When what is meant begins and ends, in milliseconds since the epoch; of a moment, both are that. Raises InvalidParams
    of `field`."""
    try:
        begin, end = _meant(text, zone, now)
    except ValueError:
        raise InvalidParams(field, f"is no time; {_ACCEPTED}", text) from None
    except OverflowError:
        begin, end = -1, -1
    if begin < 0 or end > FAR_MS:
        raise InvalidParams(field, "must be between 1970 and 9998", text)
    return begin, end


def _meant(text: str, zone: tzinfo, now: int) -> tuple[int, int]:
    today = local(now, zone).date()
    if text in _RUNNING:
        first = _first(_RUNNING[text], today)
        return midnight(first, zone), midnight(_next(_RUNNING[text], first), zone)
    if text == "yesterday":
        return midnight(today - timedelta(1), zone), midnight(today, zone)
    if span := _SPAN.fullmatch(text):
        number, unit = int(span[1]), span[2]
        if unit == "h":
            moment = now - number * 3_600_000
        else:
            days = timedelta(number if unit == "d" else 7 * number)
            moment = _instant(local(now, zone).replace(tzinfo=None) - days, zone)
        return moment, moment
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = _instant(datetime.fromisoformat(text), zone)
        return moment, moment
    return midnight(day, zone), midnight(day + timedelta(1), zone)


def _instant(moment: datetime, zone: tzinfo) -> int:
    """Milliseconds since the epoch; in `zone` unless it says otherwise."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return (aware - EPOCH) // timedelta(milliseconds=1)


def _first(unit: Running, day: date) -> date:
    """The first day of the period that holds a day."""
    if unit == "week":
        return day - timedelta(day.weekday())
    return day if unit == "day" else day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)


def _next(unit: Running, first: date) -> date:
    """The first day of the next period."""
    days = {"day": 1, "week": 7, "month": 31, "year": 366}[unit]
    return _first(unit, first + timedelta(days))


# --- steps ---


def segments(start: int, end: int, zone: tzinfo) -> list[Segment]:
    """The times of one offset in the slots from `start` until before `end`."""
    found: list[Segment] = []
    while start < end:
        offset = _offset(start, zone)
        stop = min(_changes(start, end, offset, zone), end)
        found.append(Segment(start, stop, offset))
        start = stop
    return found


def _changes(start: int, end: int, offset: int, zone: tzinfo) -> int:
    """The first slot after `start` at another offset; `end` or later where there is none before."""
    # No zone changes its clocks there and back within a week.
    same, other = start, start
    while other < end:
        other = min(other + 7 * _DAY, end)
        if _offset(other, zone) != offset:
            while other - same > 1:
                middle = (same + other) // 2
                same, other = (middle, other) if _offset(middle, zone) == offset else (same, middle)
            return other
        same = other
    return end


def _offset(slot: int, zone: tzinfo) -> int:
    return (local(slot * SLOT_MS, zone).utcoffset() or timedelta()) // timedelta(milliseconds=SLOT_MS)


def key_of(step: t.Step, day: int) -> int:
    """The week or month of a day counted from that of the epoch, or the day itself."""
    if step == "week":
        return (day + _THURSDAY) // 7
    if step == "month":
        found = _date(day)
        return found.year * 12 + found.month - 1
    return day


def steps(step: t.Step, start: int, end: int, zone: tzinfo) -> list[Bin]:
    """All steps that hold slots from `start` until before `end`. Raises InvalidParams of ``step`` where there are more than
    `MOST_STEPS`."""
    number = (end - start) // _SLOTS[step]
    if number > MOST_STEPS:
        first, last = (local(slot * SLOT_MS, zone).date() for slot in (start, end - 1))
        raise InvalidParams(
            "step",
            f"makes {number:,} points from {first} until {last}, at most {MOST_STEPS:,}; give since, or a longer step",
            step,
        )
    return list(_hours(start, end, zone) if step == "hour" else _days(step, start, end, zone))


def _hours(start: int, end: int, zone: tzinfo) -> Iterator[Bin]:
    for segment in segments(max(start - _DAY, 0), end, zone):
        at = segment.start
        while at < segment.end:
            stop = min(at + 4 - (at + segment.offset) % 4, segment.end)
            if stop > start:
                yield Bin(at, at, stop, label("hour", at, zone))
            at = stop


def _days(step: t.Step, start: int, end: int, zone: tzinfo) -> Iterator[Bin]:
    unit: Running = "week" if step == "week" else "month" if step == "month" else "day"
    day = _first(unit, local(start * SLOT_MS, zone).date())
    at = midnight(day, zone) // SLOT_MS
    while at < end:
        after = _next(unit, day)
        stop = midnight(after, zone) // SLOT_MS
        # A day that a zone leaves out, to cross the line of dates, has no slot.
        if stop > at:
            key = key_of(step, day.toordinal() - _EPOCH_DAY)
            yield Bin(key, at, stop, label(step, key, zone))
        day, at = after, stop


def begins(step: t.Step, key: int, zone: tzinfo) -> int:
    """The first slot of a step."""
    return key if step == "hour" else midnight(_first_day(step, key), zone) // SLOT_MS


def label(step: t.Step, key: int, zone: tzinfo) -> str:
    """A step as people write it: an hour with its offset, so that it is told from the one that has the same name."""
    if step == "hour":
        return local(key * SLOT_MS, zone).isoformat(" ", "minutes")
    day = _first_day(step, key)
    if step == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return day.isoformat()[:7] if step == "month" else day.isoformat()


def _first_day(step: t.Step, key: int) -> date:
    if step == "month":
        return date(key // 12, key % 12 + 1, 1)
    return _date(7 * key - _THURSDAY if step == "week" else key)


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH_DAY)
