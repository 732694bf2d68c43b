"""Numbers as people read them: counts, sizes, tokens, durations, times, and times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ccdash.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")
_DATED = re.compile(r"-(20\d{6}|latest)$")
ID_CELLS = 8
NOTHING = "-"


def short_id(identifier: str) -> str:
    """What is typed for a session: ``0f3c9d1e`` for a UUID, ``0f3c9d1e/agent-1a2b3c4d`` for a sub-agent's."""
    parent, slash, agent = identifier.partition("/")
    if slash:
        return f"{short_id(parent)}/{agent[: agent.rfind('-') + 1 + ID_CELLS]}"
    return identifier[:ID_CELLS] if _UUID.match(identifier) else identifier


def short_model(model: str) -> str:
    """``claude-sonnet-4-20250514`` as ``sonnet-4``: without maker and date."""
    return _DATED.sub("", model).removeprefix("claude-") or NOTHING


def count(number: float) -> str:
    """A count with four significant characters: 950, 12.3k, 4.56M."""
    for limit, divisor, unit in ((1e3, 1, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "G")):
        if abs(number) < limit:
            return _scaled(number / divisor, unit)
    return _scaled(number / 1e12, "T")


def size(number: float) -> str:
    """A size given in bytes: 950 B, 12.3 kB, 4.56 GB."""
    text = count(number)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{text} B"


def duration(seconds: float) -> str:
    """Seconds in at most two units: 4s, 3m 20s, 2h 05m, 3d 4h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d {whole % 86_400 // 3600}h"


def total_tokens(tokens: dict[str, Any]) -> int:
    """All four kinds together. `cacheWrite` holds its two lifetimes already."""
    return sum(int(tokens.get(kind, 0)) for kind in ("input", "output", "cacheRead", "cacheWrite"))


def parse_time(stamp: str | None) -> datetime | None:
    """A time of the wire; None for one that is missing or no time."""
    if not stamp:
        return None
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def ago(stamp: str | None, now: datetime | None = None) -> str:
    """How long ago: now, 5m ago, 3h ago, 6d ago; a local date beyond four weeks."""
    moment = parse_time(stamp)
    if moment is None:
        return NOTHING
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 60:
        return "now" if seconds > -60 else local(stamp)
    if seconds < 3600:
        return f"{int(seconds // 60)}m ago"
    if seconds < 86_400:
        return f"{int(seconds // 3600)}h ago"
    if seconds < 28 * 86_400:
        return f"{int(seconds // 86_400)}d ago"
    return f"{moment.astimezone():%Y-%m-%d}"


def local(stamp: str | None) -> str:
    """A time of the wire as local date and time."""
    moment = parse_time(stamp)
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else NOTHING


def clock(stamp: str | None) -> str:
    """A time of the wire as local time of day."""
    moment = parse_time(stamp)
    return f"{moment.astimezone():%H:%M:%S}" if moment else "--:--:--"


def read_time(text: str, *, end: bool = False, now: datetime | None = None) -> str:
    """What a user means by ``2h``, ``3d``, ``today``, ``yesterday``, a date or a time, as a time of the wire.

    Dates are local days: their first moment, or with `end` the first of the day after. Raises `UsageError`.
    """
    here = (now or datetime.now(UTC)).astimezone()
    word = text.strip().lower()
    if match := re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smhdw])", word):
        return stamp_of(here - timedelta(seconds=float(match[1]) * _UNITS[match[2]]))
    if word == "now":
        return stamp_of(here)
    if word in ("today", "yesterday"):
        day = here.date() - timedelta(days=word == "yesterday")
        return stamp_of(_midnight(datetime(day.year, day.month, day.day), end))
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{text!r} is no time. Use a date (2025-06-30), a time (2025-06-30T14:00), today, yesterday, "
            "or an age (30m, 2h, 3d, 1w)."
        ) from None
    if len(text.strip()) <= len("2025-06-30"):
        return stamp_of(_midnight(moment, end))
    return stamp_of(moment.astimezone() if moment.tzinfo is None else moment)


def read_seconds(text: str) -> float:
    """Seconds from ``90``, ``90s``, ``10m``, ``2h``, ``1d``. Raises `UsageError`."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smhdw]?)", text.strip().lower())
    if not match:
        raise UsageError(f"{text!r} is no length of time. Use 90s, 10m, 2h or 1d.")
    return float(match[1]) * _UNITS[match[2] or "s"]


def stamp_of(moment: datetime) -> str:
    """A moment as the wire writes it: UTC, milliseconds, ``Z``."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _midnight(day: datetime, end: bool) -> datetime:
    # Local midnight through astimezone, so that days of 23 and 25 hours are whole days as well.
    return (day + timedelta(days=1 if end else 0)).astimezone()


def _scaled(number: float, unit: str) -> str:
    if not unit:
        return f"{number:.0f}" if number == int(number) else f"{number:.1f}"
    return f"{number:.{2 if abs(number) < 10 else 1 if abs(number) < 100 else 0}f}{unit}"
