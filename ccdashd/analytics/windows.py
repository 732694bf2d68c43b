"""``analytics/windows``: the windows in which agents count limits, and how fast the running one fills.

Where windows begin follows from all use of the machine, since limits are those of an account; what they hold is the part
of the work that is asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import tzinfo
from itertools import accumulate

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.derive.measures import cost_of, usd
from ccdashd.derive.metrics import find_all
from ccdashd.derive.periods import Range
from ccdashd.derive.slots import SLOT_MS
from ccdashd.derive.windows import DAY, Span, WeekStart, after_pause, five_hours, pace, weeks
from ccdashd.protocol import types as t
from ccdashd.store import usage_series
from ccdashd.store.filters import Filter
from ccdashd.store.usage_series import Held

METRICS = find_all(("cost", "tokens", "messages"))
"""What is told of each window."""


class Course:
    """The use of models over time, and the windows that it falls in."""

    def __init__(self, connection: sa.Connection, filter: Filter, now: int, *, days: int | None = None) -> None:
        """`filter` tells whose use, at any time; `days`: only windows of the last so many; `now` in milliseconds since the
        epoch."""
        self._connection = connection
        self._filter = filter
        self._now = now
        self._since = 0 if days is None else max(now // SLOT_MS - days * DAY, 0)
        costs = usage_series.costs(connection, filter.during(Range(self._since * SLOT_MS, None)))
        self._slots = [slot for slot, _ in costs]
        self._until = [0, *accumulate(cost for _, cost in costs)]

    def five_hours(self) -> list[Span]:
        """The five-hour windows."""
        used = self._all_used()
        if self._since and used:
            used = after_pause(used) or usage_series.used(self._connection)
        return five_hours(used)

    def weeks(self, start: WeekStart, zone: tzinfo) -> list[Span]:
        """The weeks with use."""
        return weeks(self._all_used(), start, zone)

    def _all_used(self) -> Sequence[int]:
        """The slots that anyone used."""
        everything = self._filter == Filter(include_hidden=True)
        return self._slots if everything else usage_series.used(self._connection, self._since)

    def active(self, spans: Sequence[Span]) -> Span | None:
        """The one that holds the time now, if it was used by whom is asked for."""
        found = next((span for span in reversed(spans) if span.start * SLOT_MS <= self._now < span.end * SLOT_MS), None)
        return found if found is not None and self._used(found) else None

    def last(self, spans: Sequence[Span], range: Range, limit: int) -> list[Span]:
        """The last of those that reach into `range` and were used by whom is asked for; the newest first."""
        start, end = range.slots
        reach = [span for span in spans if (start is None or span.end > start) and (end is None or span.start < end)]
        return [span for span in reversed(reach) if self._used(span)][: max(limit, 0)]

    def wire(self, spans: Sequence[Span], told: Sequence[Span]) -> list[t.Window]:
        """The windows `told`, of all of `spans`; an active one with its pace."""
        held = usage_series.held(self._connection, self._filter, told)
        return [self._window(spans, span, held[span]) for span in told if span in held]

    def _window(self, spans: Sequence[Span], span: Span, held: Held) -> t.Window:
        used = held.measures
        active = span.start * SLOT_MS <= self._now < span.end * SLOT_MS
        return t.Window(
            values={metric.id: metric.value(used) for metric in METRICS},
            cost=cost_of(used),
            start=_iso(span.start),
            end=_iso(span.end),
            first=_iso(held.first),
            last=_iso(held.last),
            active=active,
            tokens=t.Tokens(
                input=used.input,
                output=used.output,
                cache_read=used.cache_read,
                cache_write=used.cache_write,
                cache_write5m=used.cache_write_5m,
                cache_write1h=used.cache_write_1h,
            ),
            sessions=held.sessions,
            models=held.models,
            burn=self._burn(spans, span, held) if active else None,
        )

    def _burn(self, spans: Sequence[Span], span: Span, held: Held) -> t.Burn:
        used = held.measures
        limit = max((self._cost(before) for before in spans if before.end <= span.start), default=0) or None
        tokens = used.input + used.output + used.cache_read + used.cache_write
        found = pace(span, held.first, held.last, self._now, pico=used.cost, tokens=tokens, limit=limit)
        return t.Burn(
            usd_per_hour=usd(found.pico_per_hour),
            tokens_per_minute=round(found.tokens_per_minute, 3),
            projected_usd=usd(found.projected_pico),
            projected_tokens=found.projected_tokens,
            limit_usd=None if limit is None else usd(limit),
            exhausted_at=iso(found.exhausted_at),
        )

    def _used(self, span: Span) -> bool:
        return bisect_left(self._slots, span.start) < bisect_left(self._slots, span.end)

    def _cost(self, span: Span) -> int:
        return self._until[bisect_left(self._slots, span.end)] - self._until[bisect_left(self._slots, span.start)]


def windows(
    connection: sa.Connection,
    params: t.WindowsParams,
    filter: Filter,
    range: Range,
    *,
    week_start: WeekStart,
    zone: tzinfo,
    now: int,
    revision: int,
) -> t.Windows:
    """The last windows that reach into `range`; `filter` is that of the parameters at any time."""
    course = Course(connection, filter, now)
    spans = course.five_hours() if params.kind == "fiveHours" else course.weeks(week_start, zone)
    told = course.wire(spans, course.last(spans, range, params.limit))
    return t.Windows(kind=params.kind, items=told, revision=revision)


def _iso(slot: int) -> str:
    return iso(slot * SLOT_MS) or ""
